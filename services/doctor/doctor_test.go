package doctor_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/services/doctor"
)

// emulator is QEMU's user in tests.
type emulator struct {
	blocked string
	may     bool
	err     error
}

func (e emulator) Name() string                 { return "libvirt-qemu" }
func (e emulator) BlockedAt(string) string      { return e.blocked }
func (e emulator) MayOpen(string) (bool, error) { return e.may, e.err }

// sound is a machine that lacks nothing.
func sound(t *testing.T) doctor.Machine {
	t.Helper()
	dir := t.TempDir()
	for path, text := range map[string]string{"net/ipv4/ip_forward": "1\n", "fs/inotify/max_user_instances": "1024\n", "fs/inotify/max_user_watches": "524288\n"} {
		file := filepath.Join(dir, "proc/sys", path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	center := sim.New(sim.Options{Dir: t.TempDir()})
	return doctor.Machine{
		Root: dir, Data: dir, Pool: dir,
		Find:       func(string) error { return nil },
		Emulator:   func() (doctor.Emulator, error) { return emulator{may: true}, nil },
		Namespaces: func() error { return nil },
		Open:       func(context.Context) (drivers.Driver, error) { return center.Host("h"), nil },
		Synced:     func() (bool, error) { return true, nil },
		Free:       func(string) (int64, error) { return 100 << 30, nil },
		Image:      func() error { return nil },
		Schema:     func(context.Context) (int64, int64, error) { return 80, 80, nil },
	}
}

// slow is a hypervisor without acceleration.
type slow struct{ drivers.Driver }

func (slow) ProbeHost(context.Context, drivers.ProbeHost) (drivers.HostInfo, error) {
	return drivers.HostInfo{HypervisorVersion: "QEMU"}, nil
}

// TestExamine takes one thing away at a time.
func TestExamine(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name, check string
		want        doctor.Level
		take        func(m *doctor.Machine)
	}{
		{"nothing", "", doctor.OK, func(*doctor.Machine) {}},
		{"root", "root", doctor.Bad, func(m *doctor.Machine) { m.UID = 1000 }},
		{"a tool", "nft", doctor.Bad, func(m *doctor.Machine) {
			m.Find = func(tool string) error {
				if tool == "nft" {
					return fs.ErrNotExist
				}
				return nil
			}
		}},
		{"/dev/kvm", "kvm", doctor.Warn, func(m *doctor.Machine) {
			m.Emulator = func() (doctor.Emulator, error) { return emulator{err: fs.ErrNotExist}, nil }
		}},
		{"rights on /dev/kvm", "kvm", doctor.Warn, func(m *doctor.Machine) { m.Emulator = func() (doctor.Emulator, error) { return emulator{}, nil } }},
		{"libvirtd", "libvirtd", doctor.Bad, func(m *doctor.Machine) {
			m.Open = func(context.Context) (drivers.Driver, error) { return nil, boom }
		}},
		{"acceleration", "acceleration", doctor.Warn, func(m *doctor.Machine) {
			m.Open = func(context.Context) (drivers.Driver, error) { return slow{}, nil }
		}},
		{"namespaces", "networks", doctor.Bad, func(m *doctor.Machine) { m.Namespaces = func() error { return boom } }},
		{"forwarding", "forwarding", doctor.Warn, func(m *doctor.Machine) {
			_ = os.WriteFile(filepath.Join(m.Root, "proc/sys/net/ipv4/ip_forward"), []byte("0\n"), 0o600)
		}},
		{"some room", "data folder", doctor.Warn, func(m *doctor.Machine) { m.Pool, m.Free = "/", room(m.Data, 5<<30) }},
		{"all room", "data folder", doctor.Bad, func(m *doctor.Machine) { m.Pool, m.Free = "/", room(m.Data, 5<<20) }},
		{"the way to the pool", "pool access", doctor.Bad, func(m *doctor.Machine) {
			m.Emulator = func() (doctor.Emulator, error) { return emulator{may: true, blocked: "/root"}, nil }
		}},
		{"watches", "inotify", doctor.Warn, func(m *doctor.Machine) {
			_ = os.WriteFile(filepath.Join(m.Root, "proc/sys/fs/inotify/max_user_instances"), []byte("128\n"), 0o600)
		}},
		{"the time", "clock", doctor.Warn, func(m *doctor.Machine) { m.Synced = func() (bool, error) { return false, nil } }},
		{"the database", "database", doctor.Bad, func(m *doctor.Machine) {
			m.Schema = func(context.Context) (int64, int64, error) { return 0, 0, boom }
		}},
		{"a migration", "database", doctor.Warn, func(m *doctor.Machine) {
			m.Schema = func(context.Context) (int64, int64, error) { return 70, 80, nil }
		}},
		{"the image", "guest image", doctor.Warn, func(m *doctor.Machine) { m.Image = func() error { return boom } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sound(t)
			c.take(&m)
			all := doctor.Examine(t.Context(), m)
			for _, r := range all {
				switch {
				case r.Check == c.check && r.Level != c.want:
					t.Errorf("%s is %s, want %s: %s", r.Check, r.Level, c.want, r.Text)
				case r.Check != c.check && r.Level != doctor.OK:
					t.Errorf("%s is %s, too: %s", r.Check, r.Level, r.Text)
				case r.Level != doctor.OK && r.Mend == "":
					t.Errorf("%s does not say how to mend it", r.Check)
				}
			}
			if doctor.Sick(all) != (c.want == doctor.Bad) {
				t.Errorf("sick: %v", doctor.Sick(all))
			}
		})
	}
}

// room is a disk with so much left in one folder.
func room(dir string, n int64) func(string) (int64, error) {
	return func(at string) (int64, error) {
		if at == dir {
			return n, nil
		}
		return 100 << 30, nil
	}
}
