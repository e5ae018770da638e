package builtin

import (
	"context"
	"encoding/json"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// AsyncJob is a job as the API shows it.
type AsyncJob struct {
	Account      string          `json:"account" doc:"the account that executed the async command"`
	AccountID    string          `json:"accountid" doc:"the account id that executed the async command"`
	UserID       string          `json:"userid" doc:"the user that executed the async command"`
	Domain       string          `json:"domainid" doc:"the domain id that executed the async command"`
	DomainPath   string          `json:"domainpath" doc:"the domain that executed the async command"`
	Command      string          `json:"cmd" doc:"the async command executed"`
	Status       int             `json:"jobstatus" doc:"the current job status: 0 pending, 1 done, 2 failed"`
	ProcStatus   int             `json:"jobprocstatus" doc:"the progress information of the PENDING job"`
	ResultCode   int             `json:"jobresultcode" doc:"the result code for the job"`
	ResultType   string          `json:"jobresulttype" doc:"the result type"`
	Result       json.RawMessage `json:"jobresult" doc:"the result reason"`
	InstanceType string          `json:"jobinstancetype" doc:"the instance/entity object related to the job"`
	InstanceID   string          `json:"jobinstanceid" doc:"the unique ID of the instance/entity object related to the job"`
	ServerID     string          `json:"managementserverid" view:"admin" doc:"the msid of the management server on which the job is running"`
	ServerName   string          `json:"managementservername" view:"admin" doc:"the management server name of the host"`
	Created      command.Time    `json:"created" doc:"the created date of the job"`
	Completed    command.Time    `json:"completed" doc:"the completed date of the job"`
	ID           string          `json:"jobid" doc:"the ID of the async job"`
}

type queryAsyncJobResultRequest struct {
	// Not a ref: the polls are many and one query each is enough.
	JobID string `json:"jobid" type:"uuid" required:"true" doc:"the ID of the asynchronous job"`
}

func (s *Service) queryAsyncJobResult() *command.Command {
	return command.New(command.Meta{
		Name: "queryAsyncJobResult", Roles: command.Everyone,
		Doc: "Retrieves the current status of asynchronous job.",
	}, func(ctx context.Context, q queryAsyncJobResultRequest) (AsyncJob, error) {
		row, err := store.Find[job.Row](ctx, s.DB, q.JobID)
		if store.IsAbsent(err) {
			row, err = s.ownJob(ctx, q.JobID)
		}
		if err != nil {
			return AsyncJob{}, err
		}
		return s.asyncJob(ctx, s.labels(ctx), row), nil
	})
}

// ownJob finds a job that the caller started in a project, whatever its role
// there lets it see besides. Who has left the project is not told any more.
func (s *Service) ownJob(ctx context.Context, id string) (job.Row, error) {
	actor, _ := store.From(ctx)
	row, err := store.Find[job.Row](store.System(ctx, "a job of the caller's own"), s.DB, id)
	if err != nil && !store.IsAbsent(err) {
		return row, err
	}
	if err != nil || row.ActorUserID != actor.UserID || actor.Project(row.AccountID) == nil {
		return job.Row{}, fault.Absent("jobid", id)
	}
	return row, nil
}

type listAsyncJobsRequest struct {
	command.Paging
	command.Scope
	StartDate command.Date `json:"startdate" doc:"The start date of the async job"`
	ServerID  string       `json:"managementserverid" type:"uuid" view:"admin" doc:"The id of the management server"`
}

func (s *Service) listAsyncJobs() *command.Command {
	return command.New(command.Meta{
		Name: "listAsyncJobs", Object: "asyncjobs", Roles: command.Everyone,
		Doc: "Lists all pending asynchronous jobs for the account.",
	}, func(ctx context.Context, q listAsyncJobsRequest) (out command.List[AsyncJob], err error) {
		rows := s.DB.In(ctx).Model(&job.Row{})
		if rows, err = q.Apply(ctx, rows, ""); err != nil {
			return out, err
		}
		if !q.StartDate.IsZero() {
			rows = rows.Where("created_at >= ?", q.StartDate.Time)
		}
		if q.ServerID != "" {
			rows = rows.Where("worker LIKE ?", q.ServerID+"/%")
		}
		page, count, err := command.Rows[job.Row](q.Search(rows, "command", "object"), q.Paging, "id DESC")
		names := s.labels(ctx)
		return command.ListOf(page, count, func(r job.Row) AsyncJob { return s.asyncJob(ctx, names, r) }), err
	})
}

// The API's numbers for how a job stands.
const (
	pending = iota
	done
	failed
)

func (s *Service) asyncJob(ctx context.Context, names *labels, r job.Row) AsyncJob {
	role := roleOf(ctx)
	_, path := names.domain(r.ActorDomainID)
	j := AsyncJob{
		Account: names.account(r.ActorAccountID), AccountID: r.ActorAccountID, UserID: r.ActorUserID,
		Domain: r.ActorDomainID, DomainPath: path, Command: r.Command, InstanceType: r.Object, InstanceID: r.ObjectID,
		Created: command.Time{Time: r.CreatedAt}, Completed: command.At(r.FinishedAt), ID: r.ID,
		ServerID: s.ServerID, ServerName: s.ServerName,
	}
	switch r.Status {
	case job.Succeeded:
		j.Status, j.ResultType, j.Result = done, "object", s.result(ctx, role, r)
	case job.Failed:
		f := command.JobFailure(r.ErrorKind, r.ErrorKey, r.ErrorArgs, r.ResultCode, r.Command, role) //nolint:contextcheck // the API speaks one language
		j.Status, j.ResultType, j.ResultCode = failed, "object", f.Code
		j.Result, _ = json.Marshal(struct {
			Code int    `json:"errorcode"`
			Text string `json:"errortext"`
		}{f.Code, f.Text})
	case job.Queued, job.Running, job.Undoing:
		j.Status = pending
	}
	return j
}

// result is what the job left. It was rendered for whom started the job, who
// may see more than the reader; secrets are for that user alone.
func (s *Service) result(ctx context.Context, role command.Role, r job.Row) json.RawMessage {
	body, err := s.Registry.JobResult(ctx, &r)
	if err != nil || len(body) == 0 { // none, or sealed with a key that is lost
		return json.RawMessage(`{"success":true}`)
	}
	c := s.Registry.Get(r.Command)
	if c == nil || role&(command.RoleOf(r.Actor().Rank)|command.Admin) != 0 {
		return body
	}
	return c.Strip(role, body)
}
