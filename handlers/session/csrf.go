package session

import (
	"mime"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/views/components"
)

// Where a form's token is.
const (
	csrfHeader = "X-CSRF-Token"
	csrfField  = components.CSRFField
	formLimit  = 4 << 20 // of a form without files
)

// ViewEnd is where a view of the portal as somebody else is ended by a form.
const ViewEnd = "/view-as/end"

// leaving are the only forms that such a view allows.
var leaving = []string{ViewEnd, "/logout"}

// Protect refuses what changes something and does not come from this portal's
// own pages: the browser must not name another origin, and the request must
// carry the token of its session. It runs after Load.
func (m *Manager) Protect(next echo.HandlerFunc) echo.HandlerFunc {
	foreign := http.NewCrossOriginProtection()
	if m.Public != nil {
		if err := foreign.AddTrustedOrigin(m.Public.String()); err != nil { // ParsePublic has looked
			panic(err)
		}
	}
	return func(c echo.Context) error {
		r := c.Request()
		switch r.Method {
		case http.MethodGet, http.MethodHead, http.MethodOptions:
			return next(c)
		}
		refused := fault.New(fault.Forbidden, "error.csrf")
		if err := foreign.Check(r); err != nil {
			return refused.Because(err)
		}
		if !iam.SameKey(formToken(c), From(r.Context()).CSRF) {
			return refused
		}
		if st := From(r.Context()); st.Viewer != nil && !slices.Contains(leaving, r.URL.Path) {
			return fault.New(fault.Forbidden, "error.view_only", "name", st.User.Username)
		}
		return next(c)
	}
}

// formToken reads the header, or the field of a plain form. A form with files
// must use the header: it is read as a stream, not here.
func formToken(c echo.Context) string {
	r := c.Request()
	if token := r.Header.Get(csrfHeader); token != "" {
		return token
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || kind != echo.MIMEApplicationForm {
		return ""
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, formLimit)
	if r.ParseForm() != nil {
		return ""
	}
	return r.PostForm.Get(csrfField)
}
