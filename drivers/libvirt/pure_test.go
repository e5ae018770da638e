//go:build libvirt_dlopen

package libvirt

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

func TestPPMBecomesPNG(t *testing.T) {
	ppm := []byte("P6\n# a comment\n2 1\n255\n\xff\x00\x00\x00\xff\x00")
	data, err := pngOf(ppm)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Dx() != 2 || img.Bounds().Dy() != 1 {
		t.Fatalf("%v, %v", img, err)
	}
	if r, g, _, _ := img.At(1, 0).RGBA(); r != 0 || g != 0xffff {
		t.Errorf("the second pixel is %v", img.At(1, 0))
	}
}

func TestBrokenPPMIsRefused(t *testing.T) {
	for _, ppm := range []string{
		"", "P5\n1 1\n255\nx", "P6\n1 1\n255\nxx", "P6\n0 1\n255\n", "P6\n99999 1\n255\n", "P6\n1 1\n65535\nxxxxxx", "P6\nx 1\n255\nxxx", "P6\n#",
	} {
		if _, err := pngOf([]byte(ppm)); !errors.Is(err, errNoPPM) {
			t.Errorf("%q: %v", ppm, err)
		}
	}
}

func FuzzPPM(f *testing.F) {
	f.Add([]byte("P6\n2 1\n255\n\xff\x00\x00\x00\xff\x00"))
	f.Add([]byte("P6 # x\n16384 16384 255 "))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := pngOf(data)
		if err != nil {
			return
		}
		if _, err := png.DecodeConfig(bytes.NewReader(out)); err != nil {
			t.Error(err)
		}
	})
}

func FuzzQcow2(f *testing.F) {
	f.Add(append([]byte("QFI\xfb\x00\x00\x00\x03"), make([]byte, 200)...))
	f.Add([]byte("QFI\xfb"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readQcow2(bytes.NewReader(data))
		if err == nil && (h.bytes < 0 || len(h.backing) > maxBackingName) {
			t.Errorf("%+v", h)
		}
	})
}

func TestErrorKinds(t *testing.T) {
	for want, errs := range map[drivers.Kind][]error{
		drivers.NotFound:    {virt.Error{Code: virt.ERR_NO_DOMAIN}, os.ErrNotExist},
		drivers.Busy:        {virt.Error{Code: virt.ERR_OPERATION_TIMEOUT}, virt.Error{Code: virt.ERR_RESOURCE_BUSY}},
		drivers.Unreachable: {context.Canceled, context.DeadlineExceeded, virt.Error{Code: virt.ERR_INTERNAL_ERROR, Domain: virt.FROM_RPC}},
		drivers.Unsupported: {virt.Error{Code: virt.ERR_NO_SUPPORT}},
		drivers.Invalid:     {virt.Error{Code: virt.ERR_XML_ERROR}, virt.Error{Code: virt.ERR_OPERATION_FAILED, Message: "domain 'x' already exists with uuid y"}},
		drivers.NoSpace:     {syscall.ENOSPC, errors.New("qemu-img: No space left on device")},
		drivers.Internal:    {errors.New("x"), virt.Error{Code: virt.ERR_INTERNAL_ERROR}},
	} {
		for _, err := range errs {
			if got := drivers.KindOf(wrap("test", err)); got != want {
				t.Errorf("%v is %q, want %q", err, got, want)
			}
		}
	}
	if wrap("test", nil) != nil {
		t.Error("no error has become one")
	}
}

func TestPowers(t *testing.T) {
	for _, c := range []struct {
		state  virt.DomainState
		reason int
		want   drivers.Power
		why    string
	}{
		{virt.DOMAIN_RUNNING, int(virt.DOMAIN_RUNNING_BOOTED), drivers.PowerOn, "booted"},
		{virt.DOMAIN_PAUSED, int(virt.DOMAIN_PAUSED_IOERROR), drivers.PowerPaused, "disk I/O error"},
		{virt.DOMAIN_SHUTDOWN, 0, drivers.PowerOn, ""},
		{virt.DOMAIN_SHUTOFF, int(virt.DOMAIN_SHUTOFF_DESTROYED), drivers.PowerOff, "destroyed"},
		{virt.DOMAIN_SHUTOFF, int(virt.DOMAIN_SHUTOFF_DAEMON), drivers.PowerOff, "stopped by libvirtd"},
		{virt.DOMAIN_SHUTOFF, int(virt.DOMAIN_SHUTOFF_CRASHED), drivers.PowerCrashed, "crashed"},
		{virt.DOMAIN_CRASHED, int(virt.DOMAIN_CRASHED_PANICKED), drivers.PowerCrashed, "kernel panic"},
		{virt.DOMAIN_PMSUSPENDED, 0, drivers.PowerPaused, "guest sleeps"},
		{virt.DOMAIN_RUNNING, 99, drivers.PowerOn, ""},
	} {
		if p, why := powerOf(c.state, c.reason), whyOf(c.state, c.reason); p != c.want || why != c.why {
			t.Errorf("state %d, reason %d: %s (%s), want %s (%s)", c.state, c.reason, p, why, c.want, c.why)
		}
	}
	if p := eventPower(virt.DOMAIN_EVENT_STOPPED, int(virt.DOMAIN_EVENT_STOPPED_FAILED)); p != drivers.PowerCrashed {
		t.Errorf("a dead emulator leaves the machine %s", p)
	}
}

func TestMemoryUse(t *testing.T) {
	told := virt.DomainStatsBalloon{
		LastUpdateSet: true, LastUpdate: 1, AvailableSet: true, Available: 100, UnusedSet: true, Unused: 30, Rss: 999,
	}
	usable := told
	usable.UsableSet, usable.Usable = true, 60
	mute := told
	mute.LastUpdate = 0
	for want, b := range map[int64]virt.DomainStatsBalloon{70: told, 40: usable, 999: mute} {
		if got := memoryUse(b); got != want {
			t.Errorf("%d KiB in use, want %d", got, want)
		}
	}
}

func TestRing(t *testing.T) {
	r := newRing(3)
	start := r.now()
	event := func(name string) drivers.VMEvent { return drivers.VMEvent{State: drivers.VMState{Name: name}} }
	r.push(event("a"))
	r.push(event("b"))
	if b, _ := r.after(start); len(b.Events) != 2 || b.Last != start+2 || b.Resync {
		t.Errorf("two events are %+v", b)
	}
	if b, _ := r.after(start + 1); len(b.Events) != 1 || b.Events[0].State.Name != "b" {
		t.Errorf("the second event is %+v", b)
	}
	r.push(event("c"))
	r.push(event("d"))
	if b, _ := r.after(start); !b.Resync || b.Last != start+4 {
		t.Errorf("after an overrun: %+v", b)
	}
	if b, _ := r.after(start + 1); len(b.Events) != 3 {
		t.Errorf("what is still there is %+v", b)
	}
	r.gap()
	if b, _ := r.after(start + 4); !b.Resync || len(b.Events) != 0 {
		t.Errorf("after a gap: %+v", b)
	}
	if b, wait := r.after(r.now()); wait == nil || b.Resync {
		t.Errorf("nothing has happened, but %+v", b)
	}
	if b, _ := r.after(r.now() + 1); !b.Resync {
		t.Errorf("a number of the future gives %+v", b)
	}
}

func TestNextEventsBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Driver{ring: newRing(3)}
		go func() {
			time.Sleep(time.Minute)
			d.ring.push(drivers.VMEvent{Gone: true})
		}()
		begin := time.Now()
		first, err := d.NextEvents(t.Context(), drivers.NextEvents{})
		if err != nil || !first.Resync || first.Last == 0 || time.Since(begin) != 0 {
			t.Errorf("%+v, %v after %v; want a sweep at once", first, err, time.Since(begin))
		}
		b, err := d.NextEvents(t.Context(), drivers.NextEvents{After: first.Last})
		if err != nil || len(b.Events) != 1 || time.Since(begin) != time.Minute {
			t.Errorf("%+v, %v after %v", b, err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.NextEvents(ctx, drivers.NextEvents{After: b.Last}); drivers.KindOf(err) != drivers.Unreachable {
			t.Errorf("%v; want the deadline", err)
		}
	})
}

func TestEmulatorsUser(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "qemu.conf")
	text := "#user = \"nobody\"\nuser = \"daemon\"\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if who, err := emulatorUser(conf); err != nil || who.name != "daemon" {
		t.Errorf("%+v, %v; want daemon", who, err)
	}
	if who, err := emulatorUser(conf + ".absent"); err != nil || who.name == "" {
		t.Errorf("%+v, %v; want the distribution's user", who, err)
	}
}

func TestWhereTheEmulatorMayGo(t *testing.T) {
	top := labDir(t, "walk")
	locked := filepath.Join(top, "locked")
	inside := filepath.Join(locked, "pool")
	link := filepath.Join(top, "link")
	if err := errors.Join(os.MkdirAll(inside, 0o755), os.Chmod(locked, 0o700), os.Symlink(inside, link)); err != nil {
		t.Fatal(err)
	}
	nobody := account{name: "nobody", uid: 65534, groups: []uint32{65534}}
	for path, want := range map[string]string{
		top: "", inside: locked, link: locked, filepath.Join(inside, "new"): locked, filepath.Join(top, "new", "x"): "",
	} {
		if at := nobody.blockedAt(path); at != want {
			t.Errorf("on the way to %s blocked at %q, want %q", path, at, want)
		}
	}
	if at := (account{name: "root"}).blockedAt(inside); at != "" {
		t.Errorf("root is blocked at %s", at)
	}
	if dir, err := PoolDir(inside); err != nil || dir != inside && !strings.HasPrefix(dir, aerieDir+"/") {
		t.Errorf("%s, %v", dir, err)
	}
}
