//go:build libvirt_dlopen

package libvirt

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"aerie/drivers"
)

// TestDeepProbe accepts both answers: what this host's /dev/kvm can do is not
// known. It must be remembered, and leave nothing behind.
func TestDeepProbe(t *testing.T) {
	state := labDir(t, "state")
	own := func(c *Config) { c.Accel, c.StateDir = "", state }
	d := openReal(t, own)

	begin := time.Now()
	deep := must(t, d.ProbeHost, drivers.ProbeHost{Deep: true})
	t.Logf("accelerated: %v, found out in %v; %+v", deep.Accelerated, time.Since(begin), deep)
	for _, vm := range must(t, d.ListVMs, drivers.ListVMs{}).VMs {
		t.Errorf("left behind: %+v", vm)
	}
	if left, _ := filepath.Glob(filepath.Join(state, "probe-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	again := openReal(t, own)
	begin = time.Now()
	shallow := must(t, again.ProbeHost, drivers.ProbeHost{})
	deepAgain := must(t, again.ProbeHost, drivers.ProbeHost{Deep: true})
	t.Logf("a restarted driver knows it in %v", time.Since(begin))
	if shallow.Accelerated != deep.Accelerated || deepAgain.Accelerated != deep.Accelerated {
		t.Errorf("a restarted driver has forgotten: %v, %v", shallow.Accelerated, deepAgain.Accelerated)
	}
	if shallow.UUID != deep.UUID {
		t.Errorf("the host is %s and then %s", deep.UUID, shallow.UUID)
	}
}

func TestAnswerOfAnotherBootIsForgotten(t *testing.T) {
	d := openTest(t)
	d.cfg.Accel = ""
	if err := d.remember(true); err != nil {
		t.Fatal(err)
	}
	fresh := &Driver{cfg: d.cfg}
	if works, known := fresh.knownAccel(); !works || !known {
		t.Errorf("known %v, works %v; want both", known, works)
	}
	note := `{"kernel":"6.1","boot":"another","emulator":"","accelerated":true}`
	if err := os.WriteFile(d.accelFile(), []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	later := &Driver{cfg: d.cfg}
	if works, known := later.knownAccel(); works || known {
		t.Errorf("known %v, works %v; want neither", known, works)
	}
}

func TestAccelIsKVMOrTCG(t *testing.T) {
	_, err := Open(t.Context(), Config{Accel: "xen", StateDir: t.TempDir()})
	if drivers.KindOf(err) != drivers.Invalid {
		t.Errorf("%v, want %q", err, drivers.Invalid)
	}
}
