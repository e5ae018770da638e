package drivertest

import (
	"sync"
	"testing"
	"time"

	"aerie/drivers"
)

func (s *suite) hypervisor(t *testing.T, host drivers.Hypervisor) {
	each(t, host, map[string]func(*testing.T, drivers.Hypervisor){
		"define twice is once":           s.defineTwice,
		"start twice is once":            s.startTwice,
		"many at once are one":           s.atOnce,
		"stop by force":                  s.stopForce,
		"stop by ACPI":                   s.stopACPI,
		"stop forces a deaf guest":       s.stopDeaf,
		"reboot keeps it running":        s.reboot,
		"paused resumes by start":        s.resume,
		"killed starts again":            s.killed,
		"undefine":                       s.undefine,
		"undefined behind the back":      s.undefinedBehind,
		"redefine":                       s.redefine,
		"list shows all":                 s.listVMs,
		"a fresh driver finds machines":  s.reopen,
		"unknown machines are not found": s.unknownVM,
		"hostile requests are invalid":   s.hostileVM,
		"an ended context ends calls":    s.cancelVM,
	})
}

func (s *suite) defineTwice(t *testing.T, host drivers.Hypervisor) {
	spec := s.machine(t)
	s.power(t, drivers.PowerOff, do(t, s, host.DefineVM, spec), spec)
	s.power(t, drivers.PowerOff, do(t, s, host.DefineVM, spec), spec)
	if vm, ok := s.find(t, host, spec.ID); !ok || vm.Power != drivers.PowerOff {
		t.Errorf("defined, but listed as %+v", vm)
	}
}

func (s *suite) startTwice(t *testing.T, host drivers.Hypervisor) {
	spec := s.running(t)
	s.power(t, drivers.PowerOn, do(t, s, host.StartVM, drivers.VMRef{ID: spec.ID}), spec)
	s.power(t, drivers.PowerOn, do(t, s, host.DefineVM, spec), spec)
}

// atOnce is what two servers do that both believe to hold the job.
func (s *suite) atOnce(t *testing.T, host drivers.Hypervisor) {
	spec := s.machine(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			ctx, cancel := s.patience(t)
			defer cancel()
			if _, err := host.DefineVM(ctx, spec); err != nil {
				t.Errorf("define: %v", err)
			}
			if _, err := host.StartVM(ctx, drivers.VMRef{ID: spec.ID}); err != nil {
				t.Errorf("start: %v", err)
			}
		})
	}
	all.Wait()
	s.becomes(t, host, spec.ID, drivers.PowerOn)
}

func (s *suite) stopForce(t *testing.T, host drivers.Hypervisor) {
	spec := s.running(t)
	stop := drivers.StopVM{ID: spec.ID, Force: true}
	s.power(t, drivers.PowerOff, do(t, s, host.StopVM, stop), spec)
	s.power(t, drivers.PowerOff, do(t, s, host.StopVM, stop), spec)
	refuse(t, s, drivers.Invalid, host.RebootVM, drivers.RebootVM{ID: spec.ID, Force: true})
	s.power(t, drivers.PowerOn, do(t, s, host.StartVM, drivers.VMRef{ID: spec.ID}), spec)
}

func (s *suite) stopACPI(t *testing.T, host drivers.Hypervisor) {
	if !s.rig.Boots {
		t.Skip("the guest does not boot")
	}
	spec := s.running(t)
	s.booted(t, spec.ID)
	stop := drivers.StopVM{ID: spec.ID, Grace: 10 * s.rig.Patience}
	s.power(t, drivers.PowerOff, do(t, s, host.StopVM, stop), spec)
}

func (s *suite) stopDeaf(t *testing.T, host drivers.Hypervisor) {
	spec := s.running(t)
	if s.rig.Boots {
		s.pause(t, host, spec.ID)
	}
	stop := drivers.StopVM{ID: spec.ID, Grace: time.Second}
	s.power(t, drivers.PowerOff, do(t, s, host.StopVM, stop), spec)
}

func (s *suite) reboot(t *testing.T, host drivers.Hypervisor) {
	spec := s.running(t)
	s.power(t, drivers.PowerOn, do(t, s, host.RebootVM, drivers.RebootVM{ID: spec.ID, Force: true}), spec)
	s.becomes(t, host, spec.ID, drivers.PowerOn)
	if !s.rig.Boots {
		return
	}
	s.booted(t, spec.ID)
	do(t, s, host.RebootVM, drivers.RebootVM{ID: spec.ID, Grace: s.rig.Patience / 2})
	s.becomes(t, host, spec.ID, drivers.PowerOn)
}

// pause suspends a machine behind the driver's back.
func (s *suite) pause(t *testing.T, host drivers.Hypervisor, id string) {
	t.Helper()
	if s.rig.Behind.Pause == nil {
		t.Skip("nobody can pause behind the back")
	}
	if err := s.rig.Behind.Pause(id); err != nil {
		t.Fatal(err)
	}
	s.becomes(t, host, id, drivers.PowerPaused)
}

func (s *suite) resume(t *testing.T, host drivers.Hypervisor) {
	spec := s.running(t)
	s.pause(t, host, spec.ID)
	s.power(t, drivers.PowerOn, do(t, s, host.StartVM, drivers.VMRef{ID: spec.ID}), spec)
	s.becomes(t, host, spec.ID, drivers.PowerOn)
}

func (s *suite) killed(t *testing.T, host drivers.Hypervisor) {
	if s.rig.Behind.Kill == nil {
		t.Skip("nobody can kill behind the back")
	}
	spec := s.running(t)
	if err := s.rig.Behind.Kill(spec.ID); err != nil {
		t.Fatal(err)
	}
	s.until(t, "the machine is down", func() bool {
		vm, ok := s.find(t, host, spec.ID)
		return ok && (vm.Power == drivers.PowerOff || vm.Power == drivers.PowerCrashed)
	})
	s.power(t, drivers.PowerOn, do(t, s, host.StartVM, drivers.VMRef{ID: spec.ID}), spec)
}

func (s *suite) undefine(t *testing.T, host drivers.Hypervisor) {
	spec := s.running(t)
	do(t, s, host.UndefineVM, drivers.VMRef{ID: spec.ID})
	if vm, ok := s.find(t, host, spec.ID); ok {
		t.Errorf("undefined, but listed as %+v", vm)
	}
	do(t, s, host.UndefineVM, drivers.VMRef{ID: spec.ID})
	refuse(t, s, drivers.NotFound, host.StartVM, drivers.VMRef{ID: spec.ID})
	s.keepsDisks(t, spec)
	s.power(t, drivers.PowerOff, do(t, s, host.DefineVM, spec), spec)
}

// keepsDisks checks that the disks have outlived their machine.
func (s *suite) keepsDisks(t *testing.T, spec drivers.VMSpec) {
	t.Helper()
	disks, ok := drivers.As[drivers.DiskHost](s.driver)
	if !ok {
		return
	}
	for _, d := range spec.Disks {
		if _, ok := s.findDisk(t, disks, d.ID); !ok {
			t.Errorf("disk %s went with its machine", d.ID)
		}
	}
}

func (s *suite) undefinedBehind(t *testing.T, host drivers.Hypervisor) {
	if s.rig.Behind.Undefine == nil {
		t.Skip("nobody can undefine behind the back")
	}
	spec := s.machine(t)
	do(t, s, host.DefineVM, spec)
	if err := s.rig.Behind.Undefine(spec.ID); err != nil {
		t.Fatal(err)
	}
	s.until(t, "the machine is gone", func() bool { _, ok := s.find(t, host, spec.ID); return !ok })
	refuse(t, s, drivers.NotFound, host.StartVM, drivers.VMRef{ID: spec.ID})
	do(t, s, host.UndefineVM, drivers.VMRef{ID: spec.ID})
}

func (s *suite) redefine(t *testing.T, host drivers.Hypervisor) {
	spec := s.machine(t)
	do(t, s, host.DefineVM, spec)
	bigger := spec
	bigger.CPUs, bigger.MemoryMiB, bigger.NICs = 2, spec.MemoryMiB+64, nil
	s.power(t, drivers.PowerOff, do(t, s, host.DefineVM, bigger), spec)
	s.looks(t, bigger)

	do(t, s, host.StartVM, drivers.VMRef{ID: spec.ID})
	s.power(t, drivers.PowerOn, do(t, s, host.DefineVM, spec), spec)
	s.looks(t, bigger)

	do(t, s, host.StopVM, drivers.StopVM{ID: spec.ID, Force: true})
	s.power(t, drivers.PowerOff, do(t, s, host.DefineVM, spec), spec)
	s.looks(t, spec)
}

// looks compares a machine, as the host has it, with its spec.
func (s *suite) looks(t *testing.T, want drivers.VMSpec) {
	t.Helper()
	if s.rig.Behind.Look == nil {
		return
	}
	got, err := s.rig.Behind.Look(want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.CPUs != want.CPUs || got.MemoryMiB != want.MemoryMiB || len(got.NICs) != len(want.NICs) {
		t.Errorf("the host has %d CPUs, %d MiB, %d NICs; want %d, %d, %d",
			got.CPUs, got.MemoryMiB, len(got.NICs), want.CPUs, want.MemoryMiB, len(want.NICs))
	}
}

func (s *suite) listVMs(t *testing.T, host drivers.Hypervisor) {
	on, off := s.running(t), s.machine(t)
	do(t, s, host.DefineVM, off)
	for spec, want := range map[*drivers.VMSpec]drivers.Power{&on: drivers.PowerOn, &off: drivers.PowerOff} {
		vm, ok := s.find(t, host, spec.ID)
		if !ok {
			t.Errorf("%s is not listed", spec.ID)
		}
		s.power(t, want, vm, *spec)
	}
}

func (s *suite) reopen(t *testing.T, host drivers.Hypervisor) {
	spec := s.running(t)
	fresh, ok := drivers.As[drivers.Hypervisor](s.rig.Open(t))
	if !ok {
		t.Fatal("opened again it runs no machines")
	}
	if vm, ok := s.find(t, fresh, spec.ID); !ok || vm.Power != drivers.PowerOn {
		t.Errorf("the fresh driver shows %+v", vm)
	}
	s.power(t, drivers.PowerOff, do(t, s, fresh.StopVM, drivers.StopVM{ID: spec.ID, Force: true}), spec)
	s.becomes(t, host, spec.ID, drivers.PowerOff)
}
