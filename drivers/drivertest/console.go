package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net"
	"testing"
	"time"

	"aerie/drivers"
)

func (s *suite) console(t *testing.T, console drivers.Console) {
	t.Run("VNC greets", func(t *testing.T) { s.vnc(t, console) })
	t.Run("serial dials", func(t *testing.T) { s.serial(t, console) })
	t.Run("the guest reaches its prompt", s.prompt)
	t.Run("what has no console", func(t *testing.T) { s.noConsole(t, console) })
}

// dial opens a console and connects to it.
func (s *suite) dial(ctx context.Context, t testing.TB, console drivers.Console, id string, kind drivers.ConsoleKind) net.Conn {
	t.Helper()
	at := do(t, s, console.OpenConsole, drivers.OpenConsole{ID: id, Kind: kind})
	s.private(t, at)
	conn, err := new(net.Dialer).DialContext(ctx, at.Network, at.Address)
	if err != nil {
		t.Fatalf("dial the %s console: %v", kind, err)
	}
	return conn
}

// private checks that nobody outside the host can dial the endpoint.
func (s *suite) private(t testing.TB, at drivers.ConsoleEndpoint) {
	t.Helper()
	switch at.Network {
	case "unix":
	case "tcp":
		host, _, err := net.SplitHostPort(at.Address)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			t.Errorf("the console listens on %s", at.Address)
		}
	default:
		t.Errorf("a console on network %q", at.Network)
	}
}

func (s *suite) vnc(t *testing.T, console drivers.Console) {
	spec := s.running(t)
	for range 2 {
		ctx, cancel := s.patience(t)
		conn := s.dial(ctx, t, console, spec.ID, drivers.ConsoleVNC)
		if err := expect(ctx, conn, "RFB 003."); err != nil {
			t.Errorf("the VNC server does not greet: %v", err)
		}
		conn.Close()
		cancel()
	}
}

func (s *suite) serial(t *testing.T, console drivers.Console) {
	spec := s.running(t)
	ctx, cancel := s.patience(t)
	defer cancel()
	for range 2 {
		s.dial(ctx, t, console, spec.ID, drivers.ConsoleSerial).Close()
	}
}

func (s *suite) prompt(t *testing.T) {
	if !s.rig.Boots {
		t.Skip("the guest does not boot")
	}
	s.booted(t, s.running(t).ID)
}

func (s *suite) noConsole(t *testing.T, console drivers.Console) {
	for _, id := range noIDs {
		refuse(t, s, drivers.Invalid, console.OpenConsole, drivers.OpenConsole{ID: id, Kind: drivers.ConsoleVNC})
	}
	unknown := drivers.OpenConsole{ID: newID(), Kind: drivers.ConsoleVNC}
	refuse(t, s, drivers.NotFound, console.OpenConsole, unknown)
	cancelled(t, s, console.OpenConsole, unknown)

	spec := s.running(t)
	refuse(t, s, drivers.Invalid, console.OpenConsole, drivers.OpenConsole{ID: spec.ID, Kind: "fax"})
	host, _ := drivers.As[drivers.Hypervisor](s.driver)
	do(t, s, host.StopVM, drivers.StopVM{ID: spec.ID, Force: true})
	refuse(t, s, drivers.NotFound, console.OpenConsole, drivers.OpenConsole{ID: spec.ID, Kind: drivers.ConsoleVNC})
}

// expect reads until the text has come. It presses Enter now and then, for a
// prompt that was printed before anybody listened.
func expect(ctx context.Context, conn net.Conn, text string) error {
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var got bytes.Buffer
	chunk := make([]byte, 4096)
	for !bytes.Contains(got.Bytes(), []byte(text)) {
		conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		if ctx.Err() != nil {
			return fmt.Errorf("%w after %d bytes: %q", ctx.Err(), got.Len(), tail(got.Bytes()))
		}
		n, err := conn.Read(chunk)
		got.Write(chunk[:n])
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			_, err = io.WriteString(conn, "\r")
		}
		if err != nil {
			return fmt.Errorf("%w after %d bytes: %q", err, got.Len(), tail(got.Bytes()))
		}
	}
	return nil
}

func tail(b []byte) []byte { return b[max(0, len(b)-200):] }

func (s *suite) screen(t *testing.T, screen drivers.Screen) {
	t.Run("a picture decodes", func(t *testing.T) { s.picture(t, screen) })
	t.Run("what has no screen", func(t *testing.T) {
		for _, id := range noIDs {
			refuse(t, s, drivers.Invalid, screen.Screenshot, drivers.VMRef{ID: id})
		}
		refuse(t, s, drivers.NotFound, screen.Screenshot, drivers.VMRef{ID: newID()})
		cancelled(t, s, screen.Screenshot, drivers.VMRef{ID: newID()})
		if host, ok := drivers.As[drivers.Hypervisor](s.driver); ok {
			off := s.machine(t)
			do(t, s, host.DefineVM, off)
			refuse(t, s, drivers.NotFound, screen.Screenshot, drivers.VMRef{ID: off.ID})
		}
	})
}

func (s *suite) picture(t *testing.T, screen drivers.Screen) {
	spec := s.running(t)
	picture := do(t, s, screen.Screenshot, drivers.VMRef{ID: spec.ID})
	if picture.MIME != "image/png" {
		t.Errorf("a picture of type %q", picture.MIME)
	}
	img, err := png.Decode(bytes.NewReader(picture.Data))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X < 320 || size.Y < 200 {
		t.Errorf("a screen of %v", size)
	}
}
