//go:build libvirt_dlopen

package libvirt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

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
	end := drivers.ConsoleEndpoint{Network: "unix", Address: vncSocket(dom)}
	if req.Kind == drivers.ConsoleSerial {
		end.Address = comSocket(dom)
		end.History, err = tail(bootLog(d.runDir, req.ID), keptOutput)
	}
	if end.Address == "" {
		return end, drivers.Errorf(drivers.Unsupported, op, "the machine has no %s console on a Unix socket", req.Kind)
	}
	return end, wrap(op, err)
}

// keptOutput is how much of a serial line's output is shown again: some
// screenfuls.
const keptOutput = 32 << 10

// tail is the end of a file, from the beginning of a line. One that is not
// there is empty.
func tail(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	from := max(0, size-most)
	text, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if _, rest, found := bytes.Cut(text, []byte("\n")); found && from > 0 {
		text = rest
	}
	return text, err
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
