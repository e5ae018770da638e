package portal

import (
	"context"
	"net/http"

	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/static"
	"aerie/views/layout"
	consoleview "aerie/views/pages/console"
)

// consolePage is the window with an instance's screen. A link from the API
// brings its ticket behind the #; our own links name the instance, and the
// page asks for a ticket by POST.
func consolePage(r *Request) error { return r.console(compute.VNC) }

// serialPage is the window with an instance's serial line.
func serialPage(r *Request) error { return r.console(compute.Serial) }

func (r *Request) console(kind compute.ConsoleKind) error {
	p := consoleview.Props{Socket: compute.ConsoleSocket, Ticket: compute.ConsolePage + "/ticket", Used: compute.ConsolePage + "/used", Kind: string(kind), Serial: kind == compute.Serial}
	title := r.T("console.title")
	if id := r.QueryParam("id"); id != "" {
		vm, err := find[compute.View](r, "listVirtualMachines", id)
		if err != nil {
			return err
		}
		p.ID, p.Name, p.State = vm.ID, vm.DisplayName, string(vm.State)
		p.Back = r.Path("/instances/", vm.ID)
		p.Other = compute.ConsolePage + "/serial?id=" + vm.ID
		if p.Serial {
			p.Other = compute.ConsolePage + "?id=" + vm.ID
		}
		title = r.T("console.of", "name", vm.DisplayName)
	}
	script, library, styles := "js/console.js", "vendor/novnc.js", []string{"css/console.css"}
	if p.Serial {
		script, library, styles = "js/serial.js", "vendor/xterm.js", append(styles, "vendor/xterm.css")
	}
	p.Library, p.Link, p.Script = static.URL(library), static.URL("js/console-link.js"), static.URL(script)
	l := layout.Page{Title: title, Theme: r.Who.Theme, CSRF: r.Who.CSRF, Path: r.Request().URL.RequestURI(), Styles: styles}
	return r.write(http.StatusOK, around(layout.Base(l), consoleview.Page(p)))
}

// consoleTicket answers a ticket for one connection. The portal's token came
// with the request, so that no other site can ask.
func consoleTicket(r *Request) error {
	kind := compute.VNC
	if r.FormValue("kind") == string(compute.Serial) {
		kind = compute.Serial
	}
	if !r.May("createConsoleEndpoint") {
		return fault.New(fault.Unsupported, "error.command", "command", "createConsoleEndpoint")
	}
	type answer struct {
		Token string `json:"token,omitempty"`
		Error string `json:"error,omitempty"`
	}
	token, err := r.ticket(r.FormValue("id"), kind)
	if err != nil {
		f := fault.Of(err)
		if f.Kind == fault.Internal {
			return err
		}
		return r.JSON(f.Kind.HTTP, answer{Error: r.Words(err)})
	}
	return r.JSON(http.StatusOK, answer{Token: token})
}

// consoleUsed is what a window asks while somebody types in it: that is use of
// the session, which no other request would tell.
func consoleUsed(r *Request) error { return r.NoContent(http.StatusNoContent) }

// ticket of the screen comes from the command, for its event; the serial line
// has no command in CloudStack.
func (r *Request) ticket(id string, kind compute.ConsoleKind) (token string, err error) {
	if kind == compute.VNC {
		out, err := one[compute.Endpoint](r, "createConsoleEndpoint", vals("virtualmachineid", id))
		return out.Websocket.Token, err
	}
	err = r.Portal.DB.Tx(r.Ctx(), func(ctx context.Context) error {
		token, err = r.Portal.Compute.NewTicket(ctx, id, kind)
		return err
	})
	return token, err
}
