//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"io"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

// maxShot bounds what a screenshot may weigh.
const maxShot = 64 << 20

// Screenshot is a PNG of the machine's screen; a machine that is off has none:
// NotFound.
func (d *Driver) Screenshot(ctx context.Context, ref drivers.VMRef) (drivers.Picture, error) {
	op := "screenshot of " + ref.ID
	if err := drivers.CheckID("screenshot", ref.ID); err != nil {
		return drivers.Picture{}, err
	}
	// A stream that waits for data holds up every other call on its connection.
	own := &link{uri: d.cfg.URI, log: d.cfg.Log}
	defer own.close()
	pic, err := call(ctx, own, op, func(c *virt.Connect) (drivers.Picture, error) { return shoot(c, op, ref.ID) })
	if err != nil || pic.MIME == "image/png" {
		return pic, err
	}
	data, err := pngOf(pic.Data)
	return drivers.Picture{MIME: "image/png", Data: data}, wrap(op, err)
}

func shoot(c *virt.Connect, op, id string) (drivers.Picture, error) {
	dom, err := c.LookupDomainByUUIDString(id)
	if err != nil {
		return drivers.Picture{}, err
	}
	defer dom.Free()
	if s, err := stateOf(dom); err != nil {
		return drivers.Picture{}, err
	} else if !active(s.Power) {
		return drivers.Picture{}, drivers.Errorf(drivers.NotFound, op, "the machine is off")
	}
	stream, err := c.NewStream(0)
	if err != nil {
		return drivers.Picture{}, err
	}
	defer stream.Free()
	mime, err := dom.Screenshot(stream, 0, 0)
	if err != nil {
		return drivers.Picture{}, err
	}
	data, err := drain(stream)
	if err != nil {
		_ = stream.Abort()
		return drivers.Picture{}, err
	}
	return drivers.Picture{MIME: mime, Data: data}, stream.Finish()
}

func drain(stream *virt.Stream) ([]byte, error) {
	buf := make([]byte, 256<<10)
	var data []byte
	for {
		n, err := stream.Recv(buf)
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		case n < 0 || len(data)+n > maxShot:
			return nil, errors.New("the picture does not come in one piece of reasonable size")
		}
		data = append(data, buf[:n]...)
	}
}
