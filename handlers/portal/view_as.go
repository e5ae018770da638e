package portal

import (
	"aerie/handlers/session"
	"aerie/locales"
	"aerie/views/components"
	"aerie/views/layout"
)

// viewAs shows the portal as a user sees it.
func viewAs(r *Request) error {
	if _, err := r.Portal.IAM.ViewAs(r.Ctx(), r.Param("id")); err != nil {
		return err
	}
	return r.goTo("/")
}

func viewEnd(r *Request) error {
	to := "/"
	if r.Who.Viewer != nil {
		to = "/all/users/" + r.Who.UserID
	}
	if err := r.Portal.IAM.EndView(r.Ctx()); err != nil {
		return err
	}
	return r.goTo(to)
}

// viewing says as whom the portal is seen, and ends it.
func (r *Request) viewing(l *layout.Page) {
	if r.Who.Viewer == nil {
		return
	}
	until := r.Who.ViewUntil.In(locales.Zone(r.Ctx()))
	l.Banners = append(l.Banners, layout.Banner{
		Tone: components.Warn, Text: r.T("portal.viewing", "name", r.Who.User.Username, "time", until.Format("15:04")),
		Do: components.Action{Label: r.T("portal.view_end"), Icon: "log-out", Post: session.ViewEnd, Small: true, Full: true},
	})
}
