//go:build libvirt_dlopen

package libvirt

import (
	"context"

	virt "libvirt.org/go/libvirt"
	xmlvirt "libvirt.org/go/libvirtxml"

	"aerie/drivers"
)

// OpenConsole tells on which Unix socket the machine's screen or serial line
// listens. The serial line takes one client at a time. A machine that is off has
// no console: NotFound.
func (d *Driver) OpenConsole(ctx context.Context, req drivers.OpenConsole) (drivers.ConsoleEndpoint, error) {
	op := "open console of " + req.ID
	if err := drivers.CheckID("open console", req.ID); err != nil {
		return drivers.ConsoleEndpoint{}, err
	}
	if req.Kind != drivers.ConsoleVNC && req.Kind != drivers.ConsoleSerial {
		return drivers.ConsoleEndpoint{}, invalid(op, "%q is no kind of console", req.Kind)
	}
	dom, err := d.live(ctx, op, req.ID)
	if err != nil {
		return drivers.ConsoleEndpoint{}, err
	}
	socket := vncSocket(dom)
	if req.Kind == drivers.ConsoleSerial {
		socket = comSocket(dom)
	}
	if socket == "" {
		return drivers.ConsoleEndpoint{}, drivers.Errorf(drivers.Unsupported, op, "the machine has no %s console on a Unix socket", req.Kind)
	}
	return drivers.ConsoleEndpoint{Network: "unix", Address: socket}, nil
}

// live reads the definition of a running machine, with the paths it was given.
func (d *Driver) live(ctx context.Context, op, id string) (xmlvirt.Domain, error) {
	text, err := onDomain(ctx, d, op, id, func(dom *virt.Domain) (string, error) { return dom.GetXMLDesc(0) })
	var dom xmlvirt.Domain
	if err == nil {
		err = wrap(op, dom.Unmarshal(text))
	}
	if err == nil && dom.ID == nil {
		err = drivers.Errorf(drivers.NotFound, op, "the machine is off")
	}
	return dom, err
}

func vncSocket(dom xmlvirt.Domain) string {
	if dom.Devices == nil {
		return ""
	}
	for _, g := range dom.Devices.Graphics {
		if g.VNC == nil {
			continue
		}
		for _, l := range g.VNC.Listeners {
			if l.Socket != nil {
				return l.Socket.Socket
			}
		}
	}
	return ""
}

func comSocket(dom xmlvirt.Domain) string {
	if dom.Devices == nil {
		return ""
	}
	for _, s := range dom.Devices.Serials {
		if s.Source != nil && s.Source.UNIX != nil && s.Source.UNIX.Mode == "bind" {
			return s.Source.UNIX.Path
		}
	}
	return ""
}
