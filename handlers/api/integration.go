package api

import (
	"github.com/labstack/echo/v4"

	"aerie/services/store"
)

// Integration serves the API without asking who calls, as that actor. It
// belongs on a listener of its own on the loopback address, and off by default.
// Browsers are refused: a web page must not reach it through its reader. Nor
// does the address by another name, which a page of that name would use.
func (h *Handler) Integration(actor store.Actor) echo.HandlerFunc {
	return func(c echo.Context) error {
		x := h.exchange(c)
		defer x.done()
		r := c.Request()
		switch {
		case x.failed != nil:
			return x.fail(x.failed)
		case h.Stopping != nil && h.Stopping():
			return x.fail(errStopping)
		case !loopback(r), !calledLoopback(r.Host), r.Header.Get("Origin") != "", r.Header.Get("Sec-Fetch-Site") != "":
			return x.fail(errRefused)
		}
		return h.call(x, actor)
	}
}
