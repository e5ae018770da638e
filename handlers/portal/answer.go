package portal

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/views/components"
)

// action is a command that a button calls.
type action struct {
	Command string
	Params  url.Values
	Kind    string // of the thing, as live knows it: its row is sent anew
	ID      string
	Text    string // what is told: "Starting web-1."
	To      string // where a plain form goes on without a job; the page it came from unless set
}

// act calls the command of a button. htmx gets 202 with what changed and a
// message; a plain form goes on to the job.
func (r *Request) act(a action) error {
	out, err := r.Call(a.Command, a.Params)
	if err != nil {
		return r.refuse(err)
	}
	return r.done(a, out)
}

// refuse answers a failed action: the page stays, the message tells why.
func (r *Request) refuse(err error) error {
	f := fault.Of(err)
	if r.htmx() || f.Kind == fault.NotFound || f.Kind == fault.Unsupported || f.Kind == fault.Internal {
		return err
	}
	r.flash(flash{Tone: components.Bad, Text: r.Words(err)})
	return r.Redirect(http.StatusSeeOther, r.back(r.home()))
}

func (r *Request) done(a action, out any) error {
	job := ""
	if accepted, ok := out.(command.Accepted); ok {
		job = "/jobs/" + accepted.JobID
	}
	if a.To == "" {
		a.To = r.back(r.home())
	}
	if !r.htmx() {
		if job != "" {
			return r.Redirect(http.StatusSeeOther, job)
		}
		r.flash(flash{Tone: components.OK, Text: a.Text})
		return r.Redirect(http.StatusSeeOther, a.To)
	}
	t := components.Toast{Tone: components.OK, Text: a.Text}
	if job != "" {
		t = components.Toast{Tone: components.Busy, Text: a.Text, Href: job, Label: r.T("portal.view_job")}
	}
	pieces := []templ.Component{toast(t)}
	if rows := r.Portal.live[a.Kind]; rows != nil && a.ID != "" {
		there := r.seenFrom(r.back(r.home()))
		more, err := rows(there, components.Of(there.Request().URL), []string{a.ID})
		if err != nil {
			return err
		}
		pieces = append(pieces, more...)
	}
	r.Response().Header().Set("HX-Trigger", "refresh")
	r.Response().Header().Set("HX-Reswap", "none")
	return r.write(http.StatusAccepted, templ.Join(pieces...))
}

// seenFrom is the request as if it came for another page of this server, whose
// scope and columns count for what is sent there.
func (r *Request) seenFrom(address string) *Request {
	u, err := url.Parse(address)
	if err != nil {
		return r
	}
	req := r.Request().Clone(r.Ctx())
	req.URL = u
	c := r.Echo().NewContext(req, r.Response().Writer)
	out := &Request{Context: c, Portal: r.Portal, Who: r.Who, Scope: usual(r.Who)}
	if s, err := out.scopeOf(u.Path); err == nil {
		out.Scope = s
	}
	return out
}

// most is how many things one bulk action takes.
const most = 1000

// bulk calls a command for each of the posted ids and tells how it went. Each
// is its own call: one that fails does not keep the others. One that wants
// further parameters gives them for all.
func (r *Request) bulk(name string, more url.Values, to string) error {
	if err := r.Request().ParseForm(); err != nil {
		return fault.New(fault.Invalid, "error.query").Because(err)
	}
	ids := r.Request().Form["id"]
	if len(ids) == 0 {
		return r.refuse(fault.New(fault.Invalid, "error.selection_empty"))
	}
	done, failed := 0, map[string]int{}
	for _, id := range ids[:min(len(ids), most)] {
		v := url.Values{"id": {id}}
		for k, values := range more {
			v[k] = values
		}
		if _, err := r.Call(name, v); err != nil {
			failed[r.Words(err)]++
			continue
		}
		done++
	}
	if done > 0 {
		r.flash(flash{Tone: components.Busy, Text: r.T("bulk.done", "n", done), Href: r.Path("/jobs"), Label: r.T("portal.view_jobs")})
	}
	for _, text := range sortedKeys(failed) {
		r.flash(flash{Tone: components.Bad, Text: r.T("bulk.failed", "n", failed[text], "why", text)})
	}
	return r.goTo(to)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// ask shows the question before an action as a page, which opens as a dialog
// where scripts run. Wrong tells that the typed name did not fit.
func (r *Request) ask(a components.Action, back string, wrong bool, way components.Crumbs) error {
	d := components.ConfirmDialog{Action: a, Back: back}
	status := http.StatusOK
	if wrong {
		status, d.Error = http.StatusUnprocessableEntity, r.T("confirm.wrong", "name", a.Confirm.Name)
	}
	return r.Show(Page{Title: a.Confirm.Title, Crumbs: way, Body: d, Status: status})
}

// flash is told on the next page, once.
type flash struct {
	Tone  components.Tone `json:"t"`
	Text  string          `json:"x"`
	Href  string          `json:"h,omitempty"`
	Label string          `json:"l,omitempty"`
}

const (
	flashCookie = "flash"
	flashMost   = 5
	flashSize   = 3000
)

// flash keeps a message for the next page. Its text is escaped like any other.
func (r *Request) flash(f flash) {
	kept, _ := r.Get(flashCookie).([]flash)
	if len(kept) >= flashMost {
		return
	}
	kept = append(kept, f)
	raw, err := json.Marshal(kept)
	if err != nil || len(raw) > flashSize {
		return
	}
	h := r.Response().Header()
	h[echo.HeaderSetCookie] = slices.DeleteFunc(h[echo.HeaderSetCookie], func(c string) bool { return strings.HasPrefix(c, flashCookie+"=") }) // it is in this one
	r.Set(flashCookie, kept)
	r.SetCookie(r.flashCookie(base64.RawURLEncoding.EncodeToString(raw), 60))
}

func (r *Request) flashCookie(value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: flashCookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true,
		Secure: r.Portal.Sessions.Secure(r.Request()), SameSite: http.SameSiteLaxMode,
	}
}

// flashes takes the messages for this page.
func (r *Request) flashes() []components.Toast {
	c, err := r.Cookie(flashCookie)
	if err != nil || c.Value == "" || r.htmx() {
		return nil
	}
	r.SetCookie(r.flashCookie("", -1))
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil
	}
	var kept []flash
	if json.Unmarshal(raw, &kept) != nil {
		return nil
	}
	var out []components.Toast
	for _, f := range kept[:min(len(kept), flashMost)] {
		out = append(out, components.Toast{Tone: f.Tone, Text: f.Text, Href: f.Href, Label: f.Label})
	}
	return out
}
