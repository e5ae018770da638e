package portal

import (
	"fmt"
	"net/http"
	"regexp"

	"github.com/labstack/echo/v4"

	"aerie/services/fault"
	"aerie/services/store"
	"aerie/views/layout"
)

// brand gives a page the looks of a domain.
func (r *Request) brand(l *layout.Page, domainPath string) {
	if r.Portal.Brand == nil {
		return
	}
	look := r.Portal.Brand.For(r.Ctx(), domainPath)
	l.Brand, l.Logo, l.Accent = look.Name, look.Logo, look.Accent
	if look.Support != "" {
		l.Links.Help = look.Support
	}
}

// domainOf is the path of the domain that a stranger wants to sign in to; ROOT's
// for one that is not there, so that nobody learns which are.
func (r *Request) domainOf(name string) string {
	d, err := r.Portal.IAM.DomainByPath(store.System(r.Ctx(), "looks of the page to sign in"), name)
	if err != nil {
		return "/"
	}
	return d.Path
}

var colourFile = regexp.MustCompile(`^([0-9a-fA-F]{6})\.css$`)

// brandColour is the style sheet of a colour: pages have no styles of their own.
func brandColour(r *Request) error {
	m := colourFile.FindStringSubmatch(r.Param("colour"))
	if m == nil {
		return fault.New(fault.NotFound, "portal.not_found")
	}
	r.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	c := "#" + m[1]
	return r.Blob(http.StatusOK, "text/css; charset=utf-8", fmt.Appendf(nil,
		":root{--accent:light-dark(%[1]s,color-mix(in oklab,%[1]s 45%%,white));--accent-hover:light-dark(color-mix(in oklab,%[1]s 85%%,black),color-mix(in oklab,%[1]s 30%%,white))}\n", c))
}
