package portal

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"gorm.io/gorm"

	"aerie/locales"
	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func jobs() area {
	return area{
		entries: []entry{{Group: "nav.activity", Key: "nav.jobs", Icon: "list-checks", Path: "/jobs", Needs: "listAsyncJobs"}},
		routes: func(on routes) {
			on.GET("/jobs", func(r *Request) error { return showList(r, jobList(r)) })
		},
		live: map[string]liveRows{"job": rowsOf(jobList)},
	}
}

// jobRow is a job with the names that its page shows.
type jobRow struct {
	job.Row
	Title, Name, Actor, Owner string
}

func jobList(r *Request) listPage[jobRow] {
	states := []components.Option{}
	for _, s := range []job.Status{job.Queued, job.Running, job.Undoing, job.Succeeded, job.Failed} {
		states = append(states, components.Option{Value: string(s), Label: r.T("state." + string(s))})
	}
	return listPage[jobRow]{
		ID: "jobs", Title: r.T("nav.jobs"), Kind: "job", IDs: "ids", SearchLabel: r.T("jobs.search"),
		Load:    func(v url.Values) (command.List[jobRow], error) { return r.jobRows(v) },
		Filters: []components.Filter{{Name: "status", Label: r.T("col.state"), Options: states}, {Name: "command", Label: r.T("col.action"), Options: r.jobCommands()}},
		RowID:   func(j jobRow) string { return j.ID }, Name: func(j jobRow) string { return j.Title },
		Busy:    func(j jobRow) bool { return j.Status.Live() },
		Columns: jobColumns(r),
		Empty:   components.Empty{Icon: "list-checks", Title: r.T("jobs.empty"), Text: r.T("jobs.empty_text")},
	}
}

// jobCommands are what jobs can be of, as far as the reader may ask for it.
func (r *Request) jobCommands() (out []components.Option) {
	for _, c := range r.Portal.Registry.All() {
		if c.Async && c.Event != "" && r.May(c.Name) {
			out = append(out, components.Option{Value: c.Name, Label: event.Title(r.Ctx(), c.Event)})
		}
	}
	slices.SortFunc(out, func(a, b components.Option) int { return strings.Compare(a.Label, b.Label) })
	return out
}

func jobColumns(r *Request) []column[jobRow] {
	return []column[jobRow]{
		{Key: "job", Label: r.T("col.action"), Text: func(j jobRow) string { return j.Title }, Cell: func(j jobRow) templ.Component {
			return components.Link{Label: j.Title, Href: "/jobs/" + j.ID}
		}},
		{Key: "state", Label: r.T("col.state"), Text: func(j jobRow) string { return string(j.Status) }, Cell: func(j jobRow) templ.Component { return jobState(r, j.Status) }},
		{Key: "object", Label: r.T("col.object"), Text: func(j jobRow) string { return j.Name }, Cell: func(j jobRow) templ.Component {
			return components.Link{Label: j.Name, Href: r.objectPath(j.Object, j.ObjectID)}
		}},
		{Key: "progress", Label: r.T("col.progress"), Text: func(j jobRow) string { return r.progress(j) }},
		{Key: "actor", Label: r.T("col.actor"), Text: func(j jobRow) string { return j.Actor }},
		{Key: "owner", Label: r.T("col.owner"), Optional: !r.Managing(), Text: func(j jobRow) string { return j.Owner }},
		{
			Key: "started", Label: r.T("col.started"), Phone: true, Text: func(j jobRow) string { return j.CreatedAt.UTC().Format(time.RFC3339) },
			Cell: func(j jobRow) templ.Component { return components.Time(j.CreatedAt) },
		},
		{Key: "took", Label: r.T("col.took"), Number: true, Text: func(j jobRow) string { return took(r.Ctx(), &j.Row) }},
		optional(column[jobRow]{Key: "command", Label: r.T("col.command"), Text: func(j jobRow) string { return j.Command }, Cell: func(j jobRow) templ.Component { return components.Code(j.Command) }}),
		optional(column[jobRow]{Key: "id", Label: r.T("col.id"), Text: func(j jobRow) string { return j.ID }, Cell: func(j jobRow) templ.Component { return components.CopyID{Value: j.ID, Short: true} }}),
	}
}

func jobState(r *Request, s job.Status) templ.Component {
	if s == job.Running {
		return components.Badge{Tone: components.Busy, Icon: "loader", Label: r.T("state.running"), Spin: true}
	}
	return components.Pill(s)
}

// progress is the failure's cause, or the step that a job is at.
func (r *Request) progress(j jobRow) string {
	switch {
	case j.Status == job.Failed:
		return r.cause(&j.Row)
	case j.Status.Live():
		return r.T("jobs.step_of", "n", min(j.StepIndex+1, j.StepCount), "count", j.StepCount, "step", r.step(j.Kind, j.Step))
	}
	return ""
}

// step words a step's name.
func (r *Request) step(kind, name string) string {
	return locales.Or(r.Ctx(), "step."+kind+"."+name, locales.Or(r.Ctx(), "step."+name, name))
}

// cause says why a job failed, as far as the reader may know.
func (r *Request) cause(j *job.Row) string {
	var args []any
	d := json.NewDecoder(strings.NewReader(string(j.ErrorArgs)))
	d.UseNumber()
	_ = d.Decode(&args) // without arguments there are none
	text := wordsOf(r.Ctx(), fault.Kind{Name: j.ErrorKind}, j.ErrorKey, args, r.Who.Rank)
	if r.Admin() && j.Error != "" && (unseen[j.ErrorKind] || !locales.Has(j.ErrorKey)) {
		if cause := beyond(j.Error, j.ErrorKey); cause != "" {
			text += " " + r.T("portal.cause", "cause", cause)
		}
	}
	return text
}

func took(ctx context.Context, j *job.Row) string {
	if j.FinishedAt == nil {
		return ""
	}
	return locales.Duration(ctx, j.FinishedAt.Sub(j.CreatedAt))
}

func (r *Request) jobTitle(j *job.Row) string {
	if j.Event != "" {
		return event.Title(r.Ctx(), j.Event)
	}
	return locales.Or(r.Ctx(), "job.kind."+j.Kind, j.Kind)
}

// objectPath is the page of a thing, as far as there is one.
func (r *Request) objectPath(kind, id string) string {
	if path := objectPages[strings.ToLower(kind)]; path != "" && id != "" {
		return r.Path(path, "/", id)
	}
	return ""
}

// objectPages are the lists below which things have their pages.
var objectPages = map[string]string{
	"virtualmachine": "/instances", "volume": "/volumes", "network": "/networks", "template": "/templates",
	"zone": "/zones", "host": "/hosts", "account": "/accounts", "user": "/users", "domain": "/domains",
}

// jobRows reads jobs themselves: the API's view of them lacks their steps.
func (r *Request) jobRows(v url.Values) (command.List[jobRow], error) {
	if !r.May("listAsyncJobs") {
		return command.List[jobRow]{}, fault.New(fault.Unsupported, "error.command", "command", "listAsyncJobs")
	}
	q := r.inScope(r.Portal.DB.In(r.Ctx()).Model(&job.Row{}))
	if ids := v.Get("ids"); ids != "" {
		q = q.Where("id IN ?", strings.Split(ids, ","))
	}
	if id := v.Get("id"); id != "" {
		q = q.Where("id = ?", id)
	}
	if s := v.Get("status"); s != "" {
		q = q.Where("status = ?", s)
	}
	if s := v.Get("objectid"); s != "" {
		q = q.Where("object_id = ?", s)
	}
	if s := v.Get("command"); s != "" {
		q = q.Where("command = ?", s)
	}
	p := paging(v)
	rows, n, err := command.Newest[job.Row](p.Search(q, "command", "event", "object_id", "object_name", "id"), p, r.Portal.marks)
	if err != nil {
		return command.List[jobRow]{}, err
	}
	named, err := r.named(rows)
	return command.List[jobRow]{Count: n, Items: named}, err
}

// inScope narrows what the reader may see to what the page's scope holds.
func (r *Request) inScope(q *gorm.DB) *gorm.DB {
	switch {
	case r.Scope.domain != "":
		path, err := r.Portal.IAM.LookupDomain(r.Ctx(), r.Scope.domain)
		if err != nil {
			return q.Where("1 = 0")
		}
		return q.Where("domain_path LIKE ?", path+"%") // paths are digits and slashes
	case r.Scope.path == me.path:
		return q.Where("account_id = ?", r.Who.AccountID)
	}
	return q
}

// named finds what jobs are about and who began them: two queries.
func (r *Request) named(rows []job.Row) ([]jobRow, error) {
	var ids, users, owners []string
	for _, j := range rows {
		ids, users, owners = append(ids, j.ID), append(users, j.ActorUserID), append(owners, j.AccountID)
	}
	names := map[string]string{}
	var events []event.Row
	if len(ids) > 0 {
		if err := r.Portal.DB.In(r.Ctx()).Where("job_id IN ? AND resource_name <> ''", ids).Select("job_id", "resource_name").Find(&events).Error; err != nil {
			return nil, err
		}
	}
	for _, e := range events {
		names[e.JobID] = e.ResourceName
	}
	who, _, err := r.Portal.IAM.NamesByID(store.System(r.Ctx(), "names of who began jobs and whose they are"), owners, nil, users)
	out := make([]jobRow, len(rows))
	for i := range rows {
		j := jobRow{
			Row: rows[i], Title: r.jobTitle(&rows[i]), Name: names[rows[i].ID], Actor: who[rows[i].ActorUserID],
			Owner: or(who["project/"+rows[i].AccountID], who[rows[i].AccountID]),
		}
		if j.ActorWhy != "" {
			j.Actor = r.T("jobs.aerie")
		}
		out[i] = j
	}
	return out, err
}

func findJob(r *Request) (jobRow, error) {
	row, err := store.Find[job.Row](r.Ctx(), r.Portal.DB, r.Param("id"))
	if err != nil {
		return jobRow{}, fault.New(fault.NotFound, "portal.not_found").Because(err)
	}
	named, err := r.named([]job.Row{row})
	if err != nil {
		return jobRow{}, err
	}
	return named[0], nil
}

// showJob is a job's own page. It never leads away by itself.
func showJob(r *Request) error {
	j, err := findJob(r)
	if err != nil {
		return err
	}
	title := j.Title
	if j.Name != "" {
		title = r.T("jobs.title", "job", j.Title, "name", j.Name)
	}
	view := components.JobSteps{
		ID: j.ID, Label: r.T("jobs.steps"), Steps: r.steps(&j.Row),
	}
	if j.Status == job.Failed {
		view.Cause = r.cause(&j.Row)
	}
	head := components.Heading{Title: title, State: jobWord(j.Status), Actions: r.jobActions(j)}
	if j.Status.Live() {
		head.Text = r.T("jobs.stays")
	}
	parts := []templ.Component{head}
	if secret := r.password(&j.Row); secret != "" {
		parts = append(parts, boxed(r.T("jobs.password"), pieces.Stack(
			components.Notice{Tone: components.Warn, Text: r.T("jobs.password_text")},
			pieces.Secret("password", r.T("jobs.password"), secret, 1))))
	}
	parts = append(parts, around(components.Split(r.jobFacts(j)), view))
	return r.Show(Page{
		Title: title, Crumbs: crumbs(r.T("nav.jobs"), r.Path("/jobs")), Body: templ.Join(parts...),
		Watch: []string{"job/" + j.ID}, Refresh: j.Status.Live(),
	})
}

// jobWord is the state beside the title; running is a job's, not an instance's.
func jobWord(s job.Status) string {
	if s == job.Running {
		return "processing"
	}
	return string(s)
}

func (r *Request) jobFacts(j jobRow) templ.Component {
	facts := components.Properties{
		{Label: r.T("col.object"), Value: components.Link{Label: or(j.Name, j.ObjectID), Href: r.objectPath(j.Object, j.ObjectID)}},
		{Label: r.T("col.actor"), Value: components.Text(j.Actor)},
		{Label: r.T("col.started"), Value: components.Moment(j.CreatedAt)},
	}
	if j.FinishedAt != nil {
		facts = append(facts, components.Property{Label: r.T("col.finished"), Value: components.Moment(*j.FinishedAt)},
			components.Property{Label: r.T("col.took"), Value: components.Text(took(r.Ctx(), &j.Row))})
	}
	if j.Command != "" {
		facts = append(facts, components.Property{Label: r.T("col.command"), Value: components.Code(j.Command)})
	}
	if j.RetryOf != "" {
		facts = append(facts, components.Property{Label: r.T("jobs.retry_of"), Value: components.Link{Label: r.T("jobs.first_try"), Href: "/jobs/" + j.RetryOf}})
	}
	facts = append(facts, components.Property{Label: r.T("col.id"), Copy: j.ID})
	if r.Admin() && j.Worker != "" {
		facts = append(facts, components.Property{Label: r.T("jobs.worker"), Value: components.Code(j.Worker)})
	}
	return around(components.Panel{Title: r.T("jobs.facts")}, facts)
}

// or is the first of two texts that is not empty.
func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (r *Request) jobActions(j jobRow) []components.Action {
	var out []components.Action
	if j.Status == job.Failed && len(j.Input) > 0 && r.touches(j) {
		out = append(out, components.Action{Label: r.T("action.retry"), Icon: "rotate-ccw", Post: "/jobs/" + j.ID + "/retry", Full: true, Style: components.Primary})
	}
	if path := r.objectPath(j.Object, j.ObjectID); path != "" && !j.Status.Live() {
		out = append(out, components.Action{Label: r.T("action.open", "name", or(j.Name, r.T("col.object"))), Icon: "arrow-right", Href: path})
	}
	if j.Status.Live() && !j.Cancelled && j.Status != job.Undoing && r.touches(j) {
		out = append(out, components.Action{
			Label: r.T("action.cancel_job"), Icon: "x", Post: "/jobs/" + j.ID + "/cancel", Full: true,
			Confirm: components.Confirm{Level: components.Ask, Title: r.T("jobs.cancel_title"), Text: r.T("jobs.cancel_text")},
		})
	}
	return out
}

// steps are what was done, what is done now and what comes.
func (r *Request) steps(j *job.Row) []components.Step {
	history := map[string]job.Progress{}
	var names []string
	for _, p := range j.History() {
		history[p.Name] = p
		names = append(names, p.Name)
	}
	if all := stepsOf(r.Portal.Jobs, j.Kind); len(all) > 0 {
		names = all
	} else if j.Status.Live() && history[j.Step].Name == "" && j.Step != "" {
		names = append(names, j.Step)
	}
	var out []components.Step
	last := ""
	for _, p := range j.History() {
		if last == "" || p.Started >= history[last].Started {
			last = p.Name
		}
	}
	for _, name := range names {
		p, begun := history[name]
		s := components.Step{Label: r.step(j.Kind, name), State: stepState(j, name, p, begun)}
		if j.Status == job.Failed && begun && name == last { // the one that broke
			s.State = "failed"
		}
		if begun && p.Ended >= p.Started && p.Ended > 0 {
			s.Took = time.Duration(p.Ended-p.Started) * time.Millisecond
		}
		if p.Error != "" && p.State != "done" && p.State != "undone" {
			s.Cause = wordsOf(r.Ctx(), fault.Kind{}, p.Error, nil, r.Who.Rank)
			if !locales.Has(p.Error) || j.Status == job.Failed {
				s.Cause = "" // the job's own cause says it
			}
		}
		out = append(out, s)
	}
	return out
}

// stepsOf asks the engine for all steps of a kind.
func stepsOf(e *job.Engine, kind string) []string {
	if e, ok := any(e).(interface{ Steps(kind string) []string }); ok {
		return e.Steps(kind)
	}
	return nil
}

func stepState(j *job.Row, name string, p job.Progress, begun bool) string {
	switch {
	case j.Status.Live() && name == j.Step && j.Status == job.Undoing:
		return "undoing"
	case j.Status.Live() && name == j.Step && (!begun || p.State != "done"):
		if p.State == "retry" {
			return "retrying"
		}
		return "running"
	case !begun:
		return "pending"
	}
	switch p.State {
	case "undone":
		return "undone"
	case "retry", "waiting", "undo-retry":
		return "waiting"
	}
	return p.State
}

// password is the one in a job's result: for whom began the job only.
func (r *Request) password(j *job.Row) string {
	if j.Status != job.Succeeded || j.ActorUserID != r.Who.UserID {
		return ""
	}
	var result map[string]struct {
		Password string `json:"password"`
	}
	body, err := r.Portal.Registry.JobResult(r.Ctx(), j)
	if err != nil || json.Unmarshal(body, &result) != nil {
		return ""
	}
	for _, thing := range result {
		if thing.Password != "" {
			return thing.Password
		}
	}
	return ""
}

func retryJob(r *Request) error {
	if err := r.mayTouch(); err != nil {
		return err
	}
	row, err := r.Portal.Jobs.Retry(r.Ctx(), r.Param("id"))
	if err != nil {
		return r.refuse(err)
	}
	return r.goTo("/jobs/" + row.ID)
}

// mayTouch refuses those who could not give the job's command themselves. A
// job of Aerie's own is its operators'.
func (r *Request) mayTouch() error {
	j, err := findJob(r)
	if err == nil && !r.touches(j) {
		err = fault.New(fault.Forbidden, "error.rank")
	}
	return err
}

func (r *Request) touches(j jobRow) bool {
	if j.Command == "" {
		return r.May("updateConfiguration")
	}
	return r.May(j.Command)
}

func cancelJob(r *Request) error {
	if err := r.mayTouch(); err != nil {
		return err
	}
	if err := r.Portal.Jobs.Cancel(r.Ctx(), r.Param("id")); err != nil {
		return r.refuse(err)
	}
	return r.goTo("/jobs/" + r.Param("id"))
}
