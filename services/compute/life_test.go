package compute_test

import (
	"testing"

	"aerie/services/compute"
)

// TestLife takes an instance from deployment to expunge and leaves nothing.
func TestLife(t *testing.T) {
	w := newWorld(t)
	id := w.deploy(w.admin, "web")
	if vm := w.vm(id); vm.State != compute.Running || vm.HostID == "" || vm.InstanceName != "i-2-1-VM" {
		t.Fatalf("deployed: %+v", vm)
	}
	for _, step := range []struct {
		command string
		want    compute.State
	}{
		{"stopVirtualMachine", compute.Stopped}, {"startVirtualMachine", compute.Running}, {"rebootVirtualMachine", compute.Running},
		{"destroyVirtualMachine", compute.Destroyed}, {"recoverVirtualMachine", compute.Stopped}, {"startVirtualMachine", compute.Running},
		{"destroyVirtualMachine", compute.Destroyed}, {"expungeVirtualMachine", compute.Expunging},
	} {
		t.Log(step.command)
		w.call(w.admin, step.command, "id", id)
		if vm := w.vm(id); vm.State != step.want {
			t.Fatalf("%s: %s, want %s", step.command, vm.State, step.want)
		}
	}
	if !w.vm(id).RemovedAt.Valid {
		t.Error("the row is not removed")
	}
}
