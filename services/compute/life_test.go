package compute_test

import (
	"testing"

	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/placement"
	"aerie/services/proof"
	"aerie/services/state/statetest"
	"aerie/services/storage"
)

func TestStates(t *testing.T) {
	statetest.Golden(t, compute.States, "testdata/states.golden", compute.Starting, compute.Stopped)
	statetest.Golden(t, storage.States, "testdata/volumes.golden", storage.Allocated)
}

// TestLife takes an instance from deployment to expunge and leaves nothing.
func TestLife(t *testing.T) {
	w := proof.New(t)
	web := w.Account("acme", "web", iam.RoleDomainAdmin)
	id := w.Deploy(web, "web")
	if vm := w.VM(id); vm.State != compute.Running || vm.HostID == "" || vm.InstanceName != "i-3-1-VM" {
		t.Fatalf("deployed: %+v", vm)
	}
	w.Sound()
	for _, step := range []struct {
		command string
		want    compute.State
	}{
		{"stopVirtualMachine", compute.Stopped},
		{"startVirtualMachine", compute.Running},
		{"rebootVirtualMachine", compute.Running},
		{"destroyVirtualMachine", compute.Destroyed},
		{"recoverVirtualMachine", compute.Stopped},
		{"startVirtualMachine", compute.Running},
		{"destroyVirtualMachine", compute.Destroyed},
		{"expungeVirtualMachine", compute.Expunging},
	} {
		w.Call(web, step.command, "id", id)
		if vm := w.VM(id); vm.State != step.want {
			t.Fatalf("%s: %s, want %s", step.command, vm.State, step.want)
		}
		w.Sound()
	}
	if !w.VM(id).RemovedAt.Valid {
		t.Error("the row is not removed")
	}
	empty(t, w)
}

// empty fails the test when an instance that is gone left anything but its
// network.
func empty(t *testing.T, w *proof.World) {
	t.Helper()
	snap := w.Center.Snapshot()
	if len(snap.VMs) > 0 {
		t.Errorf("left:\n%s", snap)
	}
	for _, d := range snap.Disks {
		if !d.IsImage {
			t.Errorf("disk %s is left", d.State.ID)
		}
	}
	for _, r := range snap.Routers {
		if len(r.Spec.Hosts) > 0 {
			t.Errorf("router %s still knows %v", r.State.ID, r.Spec.Hosts)
		}
	}
	for what, n := range map[string]int64{
		"claims":      w.Count(&placement.Claim{}, "1 = 1"),
		"allocations": w.Count(&placement.Allocation{}, "purpose = ?", "nic"),
		"volumes":     w.Count(&storage.Volume{}, "1 = 1"),
		"pools' use":  w.Count(&infra.Pool{}, "allocated <> 0"),
		"hosts' use":  w.Count(&infra.Host{}, "used_mhz <> 0 OR used_mib <> 0"),
	} {
		if n != 0 {
			t.Errorf("%d %s are left", n, what)
		}
	}
	w.Sound()
}
