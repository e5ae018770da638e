package project

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// View is a project as commands return it.
type View struct {
	ID          string           `json:"id" doc:"the project"`
	Name        string           `json:"name" doc:"its name"`
	DisplayText string           `json:"displaytext" doc:"what it is for"`
	State       iam.ProjectState `json:"state" doc:"Active, Suspended or Disabled"`
	DomainID    string           `json:"domainid" doc:"its domain"`
	Domain      string           `json:"domain" doc:"the name of the domain"`
	AccountName string           `json:"projectaccountname" doc:"the account behind it"`
	Created     command.Time     `json:"created" doc:"when it was made"`
	Owners      []OwnerView      `json:"owner" doc:"who manages it"`
	Running     int              `json:"vmrunning" doc:"instances that run"`
	Stopped     int              `json:"vmstopped" doc:"instances that are stopped"`
	Tags        []label.TagView  `json:"tags" doc:"its tags"`
	Icon        *label.Icon      `json:"icon" type:"resourceiconresponse" doc:"its icon"`
	Tagged      []string         `json:"taggedresources,omitempty" doc:"limits by tags"`
	command.Pending
	iamcmd.Resources
}

// OwnerView is one who manages a project.
type OwnerView struct {
	Account string `json:"account" doc:"the account"`
	UserID  string `json:"userid" doc:"the user, when it is not the whole account"`
	User    string `json:"user" doc:"the name of the user"`
}

// ListRequest asks for projects.
type ListRequest struct {
	command.Paging
	label.ByTags
	label.Show
	ID          string   `json:"id" ref:"project" doc:"the project"`
	Name        string   `json:"name" doc:"name of the project, as a whole"`
	DisplayText string   `json:"displaytext" doc:"what it is for, as a whole"`
	State       string   `json:"state" enum:"Active,Suspended,Disabled" doc:"the state"`
	Account     string   `json:"account" doc:"projects that this account is in"`
	Username    string   `json:"username" doc:"projects that this user is in"`
	DomainID    string   `json:"domainid" ref:"domain" doc:"projects of the domain"`
	Recursive   bool     `json:"isrecursive" doc:"true lists the domains below domainid too"`
	ListAll     bool     `json:"listall" doc:"true lists everything the caller may see, not only its own"`
	Details     []string `json:"details" doc:"min leaves out limits and counts; all is the default"`
}

func (s *Service) listCommand() *command.Command {
	return command.New(meta("listProjects", "project", "", "Lists projects"), s.List)
}

// List returns a page of projects.
func (s *Service) List(ctx context.Context, r ListRequest) (out command.List[View], err error) {
	q, err := s.scope(ctx, s.db.In(ctx).Model(&iam.Project{}), r)
	if err != nil {
		return out, err
	}
	for column, v := range map[string]string{"id": r.ID, "state": r.State} {
		q = command.Equal(q, column, v)
	}
	q = command.Named(command.Named(q, "name", r.Name), "display_text", r.DisplayText)
	q = r.Narrow(ctx, s.db, q)
	rows, n, err := command.Rows[iam.Project](r.Search(q, "name", "display_text"), r.Paging, "name, id")
	if err != nil {
		return out, err
	}
	views, err := s.views(ctx, rows, !slices.Contains(r.Details, "min"))
	if err == nil {
		err = label.Fill(ctx, s.db, views, label.Want{Icons: r.Icon}, projectID, func(v *View, l label.Shown) { v.Icon = l.Icon(v.ID) })
	}
	return command.List[View]{Count: n, Items: views}, err
}

// scope narrows to whose projects are asked for: without anything else the
// caller's own.
func (s *Service) scope(ctx context.Context, q *gorm.DB, r ListRequest) (*gorm.DB, error) {
	actor, _ := store.From(ctx)
	if r.DomainID != "" {
		path, err := s.IAM.LookupDomain(ctx, r.DomainID)
		if err != nil {
			return nil, absentAs(err, "domainid", r.DomainID)
		}
		if r.Recursive {
			q = q.Where(clause.Like{Column: store.Column("domain_path"), Value: path + "%"})
		} else {
			q = q.Where("domain_id = ?", r.DomainID)
		}
	}
	mine := s.db.In(ctx).Model(&iam.Member{}).Select("project_id")
	switch {
	case r.Account != "":
		a, err := s.IAM.FindAccount(ctx, iam.AccountRef{Name: r.Account, DomainID: r.DomainID})
		if err != nil {
			return nil, absentAs(err, "account", r.Account)
		}
		return q.Where("id IN (?)", mine.Where("account_id = ?", a.ID)), nil
	case r.Username != "":
		u, err := s.userNamed(ctx, r)
		if err != nil {
			return nil, err
		}
		return q.Where("id IN (?)", mine.Where("account_id = ? AND user_id IN ?", u.AccountID, []string{"", u.ID})), nil
	case r.ID != "" || r.ListAll || r.DomainID != "" || actor.IsSystem() || actor.Rank == store.User:
		return q, nil
	}
	return q.Where("id IN (?)", mine.Where("account_id = ? AND user_id IN ?", actor.AccountID, []string{"", actor.UserID})), nil
}

func (s *Service) userNamed(ctx context.Context, r ListRequest) (iam.User, error) {
	actor, _ := store.From(ctx)
	domain := actor.DomainID
	if r.DomainID != "" {
		domain = r.DomainID
	}
	u, err := s.IAM.UserByName(ctx, domain, r.Username)
	return u, absentAs(err, "username", r.Username)
}

func projectID(v *View) string { return v.ID }

// Show returns one project as commands return it; one that is gone by now only
// by its id.
func (s *Service) Show(ctx context.Context, id string) (View, error) {
	p, err := store.Find[iam.Project](ctx, s.db, id)
	if fault.Is(err, fault.NotFound) {
		return View{ID: id}, nil
	}
	if err != nil {
		return View{}, err
	}
	views, err := s.views(ctx, []iam.Project{p}, true)
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// views asks once for each kind of what belongs to projects.
func (s *Service) views(ctx context.Context, rows []iam.Project, whole bool) ([]View, error) {
	out := make([]View, len(rows))
	if len(rows) == 0 {
		return out, nil
	}
	ids, domains, entities := make([]string, len(rows)), make([]string, len(rows)), make([]string, len(rows))
	for i, p := range rows {
		ids[i], domains[i], entities[i] = p.ID, p.DomainID, "project/"+p.ID
	}
	// What is of a project that the caller sees, whatever its role there denies.
	sys := store.System(ctx, "what belongs to projects")
	names, err := store.NamesOf(sys, s.db, store.Some{Model: &iam.Account{}, IDs: ids}, store.Some{Model: &iam.Domain{}, IDs: domains})
	if err != nil {
		return nil, err
	}
	owners, err := s.owners(sys, ids)
	if err != nil {
		return nil, err
	}
	limits, work := map[string][]iam.Limit{}, map[string]iamcmd.Work{}
	if whole {
		if limits, err = s.IAM.LimitsOf(sys, ids); err != nil {
			return nil, err
		}
		if work, err = s.Work(sys, ids); err != nil {
			return nil, err
		}
	}
	jobs, err := gorm.G[job.Row](s.db.In(sys)).Where("entity IN ? AND live = ?", entities, true).Select("id", "object_id").Find(sys)
	if err != nil {
		return nil, err
	}
	for i, p := range rows {
		out[i] = View{
			ID: p.ID, Name: p.Name, DisplayText: p.DisplayText, State: p.State, DomainID: p.DomainID, Domain: names[p.DomainID],
			AccountName: names[p.ID], Created: command.Time{Time: p.CreatedAt}, Owners: owners[p.ID],
			Running: work[p.ID].Running, Stopped: work[p.ID].Stopped,
		}
		if whole {
			out[i].Fill(limits[p.ID])
		}
		for _, j := range jobs {
			if j.ObjectID == p.ID {
				out[i].Pending = command.Pending{JobID: j.ID, JobStatus: new(0)}
			}
		}
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Tags: true}, projectID, func(v *View, l label.Shown) { v.Tags = l.Tags(v.ID) })
}

// owners are who manages projects.
func (s *Service) owners(ctx context.Context, ids []string) (map[string][]OwnerView, error) {
	var rows []struct{ ProjectID, Account, UserID, User string }
	err := s.db.In(ctx).Model(&iam.Member{}).
		Joins("JOIN accounts a ON a.id = project_members.account_id").
		Joins("LEFT JOIN users u ON u.id = project_members.user_id").
		Where("project_members.project_id IN ? AND project_members.role = ?", ids, iam.ProjectAdmin).
		Order("project_members.created_at, project_members.id").
		Select("project_members.project_id", "a.name AS account", "project_members.user_id", "COALESCE(u.username, '') AS user").Scan(&rows).Error
	out := map[string][]OwnerView{}
	for _, r := range rows {
		out[r.ProjectID] = append(out[r.ProjectID], OwnerView{Account: r.Account, UserID: r.UserID, User: r.User})
	}
	return out, err
}
