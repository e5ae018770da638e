package portal

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"aerie/services/job"
	"aerie/views/components"
	"aerie/views/layout"
)

const (
	// gather is how long changes are collected for one message.
	gather = 120 * time.Millisecond
	// beat keeps proxies from closing the stream, and asks whether the reader
	// is still signed in.
	beat = 15 * time.Second
)

// stream tells one tab what changes, until it closes or the session ends.
func (p *Portal) stream(r *Request) error {
	there := r.seenFrom(r.QueryParam("page"))
	s := &streaming{Request: r, there: there, query: components.Of(there.Request().URL), watch: map[string]string{}, told: map[string]bool{}}
	for _, w := range r.QueryParams()["watch"] {
		kind, id, _ := strings.Cut(w, "/")
		s.watch[kind] = id
	}
	if ms, err := strconv.ParseInt(r.QueryParam("since"), 10, 64); err == nil {
		s.began = time.UnixMilli(ms)
	}
	changes, leave := p.hub.join()
	defer leave()
	h := r.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set(echo.HeaderCacheControl, "no-store")
	h.Set("X-Accel-Buffering", "no")
	r.Response().WriteHeader(http.StatusOK)
	if r.Request().Header.Get("Last-Event-ID") != "" { // it has missed something
		if err := s.send("resync", ""); err != nil {
			return nil
		}
	} else if err := s.report(s.missed()); err != nil {
		return nil //nolint:nilerr // the reader is gone
	}
	return s.run(changes)
}

// missed is what changed since the page was read, before its stream began.
func (s *streaming) missed() []change {
	if s.began.IsZero() {
		return nil
	}
	all, err := s.Portal.hub.since(s.Ctx(), s.began)
	if err != nil {
		s.Portal.Log.WarnContext(s.Ctx(), "look for what a page missed", "error", err)
	}
	return slices.DeleteFunc(all, func(c change) bool { return !s.concerns(c) })
}

// streaming is one open stream.
type streaming struct {
	*Request
	there *Request // the page that the tab shows
	query components.Query
	watch map[string]string // kind → the one id, or all
	began time.Time         // when the page was read
	told  map[string]bool   // jobs whose end was told
	n     int
}

func (s *streaming) run(changes <-chan change) error {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	var held []change
	var due <-chan time.Time
	for {
		select {
		case <-s.Ctx().Done():
			return nil
		case c, ok := <-changes:
			if !ok {
				return nil
			}
			if s.concerns(c) {
				if held = append(held, c); due == nil {
					due = time.After(gather)
				}
			}
		case <-due:
			if err := s.report(held); err != nil {
				return nil //nolint:nilerr // the reader is gone or connects again
			}
			held, due = nil, nil
		case <-tick.C:
			if !s.stands() {
				return nil
			}
			if err := s.send("", ""); err != nil {
				return nil //nolint:nilerr // the reader is gone
			}
		}
	}
}

// stands tells whether the reader is still who it was.
func (s *streaming) stands() bool {
	lives, err := s.Portal.IAM.SessionLives(s.Ctx(), s.Who.Session.ID)
	if err != nil || !lives {
		return false
	}
	if s.Who.Viewer != nil && !s.Portal.DB.Now().Before(s.Who.ViewUntil) {
		return false
	}
	now, err := s.Portal.IAM.Standing(s.Ctx(), s.Who.UserID)
	now.ReadOnly = s.Who.ReadOnly // a view's, not the user's
	return err == nil && now.Same(s.Who.Actor)
}

func (s *streaming) concerns(c change) bool {
	if c.Owner != nil && !s.Who.Sees(*c.Owner) {
		return false
	}
	if c.Kind == "job" {
		return true // the sign of the bar
	}
	id, watched := s.watch[c.Kind]
	return watched && (id == "" || id == c.ID)
}

// report sends what the changes mean for the page in one message, and tells
// the page to refresh where rows are not enough.
func (s *streaming) report(held []change) error {
	byKind := map[string]map[string]bool{}
	var pieces []templ.Component
	refresh := false
	for _, c := range held {
		id, watched := s.watch[c.Kind]
		if watched && (id == "" || id == c.ID) {
			refresh = true
			if byKind[c.Kind] == nil {
				byKind[c.Kind] = map[string]bool{}
			}
			byKind[c.Kind][c.ID] = true
		}
		if c.Job != nil && c.Job.ActorUserID == s.Who.UserID && !c.Job.Status.Live() && !s.told[c.ID] && c.Job.FinishedAt != nil && !c.Job.FinishedAt.Before(s.began) {
			s.told[c.ID] = true
			pieces = append(pieces, toast(s.outcome(c.Job)))
		}
	}
	if len(held) > 0 {
		pieces = append(pieces, swap("#jobs-count", "outerMorph", layout.Count("jobs-count", s.liveJobs(), "busy")))
	}
	for _, kind := range sortedKeys(byKind) {
		rows := s.Portal.live[kind]
		if rows == nil {
			continue
		}
		more, err := rows(s.there, s.query, sortedKeys(byKind[kind]))
		if err != nil {
			return err
		}
		pieces = append(pieces, more...)
	}
	text, err := render(s.Ctx(), templ.Join(pieces...))
	if err != nil {
		return err
	}
	if err := s.send("", text); err != nil { // without text it shows that the stream is there
		return err
	}
	if refresh {
		return s.send("refresh", "{}")
	}
	return nil
}

// outcome tells the end of a job that the reader began.
func (s *streaming) outcome(j *job.Row) components.Toast {
	t := components.Toast{Tone: components.OK, Text: s.T("jobs.done", "job", s.jobTitle(j)), Href: "/jobs/" + j.ID, Label: s.T("portal.view_job")}
	if j.Status == job.Failed {
		t.Tone, t.Text = components.Bad, s.T("jobs.failed", "job", s.jobTitle(j))
	}
	return t
}

// send writes one message. Without text it is a comment, or a bare event.
func (s *streaming) send(name, text string) error {
	var b strings.Builder
	switch {
	case name == "" && text == "":
		b.WriteString(":\n\n")
	default:
		s.n++
		fmt.Fprintf(&b, "id: %d\n", s.n)
		if name != "" {
			b.WriteString("event: " + name + "\n")
		}
		for line := range strings.SplitSeq(text, "\n") {
			b.WriteString("data: " + strings.TrimRight(line, "\r") + "\n")
		}
		b.WriteString("\n")
	}
	if _, err := s.Response().Write([]byte(b.String())); err != nil {
		return err
	}
	return http.NewResponseController(s.Response()).Flush()
}
