package proof_test

import (
	"testing"

	"aerie/drivers"
	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/proof"
	"aerie/services/storage"
)

// lose deletes a disk or an image behind Aerie's back.
func lose(w *proof.World, vol storage.Volume, id, host string) {
	w.Helper()
	pool := infra.Pool{}
	w.Must(w.DB.In(w.Sys()).Where("id = ?", vol.PoolID).Take(&pool).Error)
	_, err := w.Center.Host(host).DeleteDisk(w.Context(), drivers.DiskRef{ID: id, Pool: pool.DiskPool()})
	w.Must(err)
}

func root(w *proof.World, vm string) (v storage.Volume) {
	w.Helper()
	w.Must(w.DB.In(w.Sys()).Where("vm_id = ?", vm).Take(&v).Error)
	return v
}

// TestALostBaseIsMadeAgain: deployments go on when a pool has lost a template.
func TestALostBaseIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	id := w.Deploy(w.Admin, "first")
	vol, host := root(w, id), w.VM(id).HostID
	w.Call(w.Admin, "destroyVirtualMachine", "id", id, "expunge", "true")
	lose(w, vol, vol.TemplateID, host)
	if again := w.Deploy(w.Admin, "second"); w.VM(again).State != compute.Running {
		t.Error("not deployed:", w.VM(again).State)
	}
	w.Sound()
}

// TestALostDiskIsNotReplaced: an instance whose disk is gone does not start
// with an empty one.
func TestALostDiskIsNotReplaced(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	id := w.Deploy(w.Admin, "web")
	vol, host := root(w, id), w.VM(id).HostID
	w.Call(w.Admin, "stopVirtualMachine", "id", id)
	lose(w, vol, vol.ID, host)
	_, _, err := w.Ask(w.Admin, "startVirtualMachine", "id", id)
	w.Must(err)
	w.Finish()
	var row job.Row
	w.Must(w.DB.In(w.Sys()).Order("id DESC").Take(&row, "kind = ?", "vm.start").Error)
	if row.Status != job.Failed || row.ErrorKey != "error.disk_lost" || row.ErrorKind != fault.Conflict.Name {
		t.Errorf("%s %s %s", row.Status, row.ErrorKind, row.ErrorKey)
	}
	if vm := w.VM(id); vm.State != compute.Stopped {
		t.Error("the instance is", vm.State)
	}
}
