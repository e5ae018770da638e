package audit_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/audit"
	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/placement"
	"aerie/services/storage"
	"aerie/services/store"
)

// TestASoundWorldHasNoFindings takes instances through their life.
func TestASoundWorldHasNoFindings(t *testing.T) {
	w := newWorld(t)
	clean := func(after string) {
		t.Helper()
		for _, f := range w.audit() {
			t.Errorf("after %s: %v", after, f)
		}
	}
	clean("the start")
	a := w.deploy("a", "hostid", w.id(&infra.Host{}, "name = ?", "sim-1"))
	b := w.deploy("b", "hostid", w.id(&infra.Host{}, "name = ?", "sim-2"), "diskofferingid", w.id(&storage.Offering{}, "customized = ?", false))
	w.deploy("c", "startvm", "false")
	clean("deployments")
	for _, step := range []string{"stopVirtualMachine", "startVirtualMachine", "rebootVirtualMachine", "destroyVirtualMachine", "recoverVirtualMachine"} {
		w.call(step, "id", a)
		clean(step)
	}
	for _, id := range []string{a, b} {
		w.call("destroyVirtualMachine", "id", id, "expunge", "true")
		clean("expunge")
	}
}

// TestFindings breaks one promise at a time in a world with the running
// instance "web", and wants to hear of nothing else.
func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		subject    string // {vm}, {host}, {nic}, {pool} … are filled in
		spoil      func(w *world, vm compute.VM)
	}{
		{"it runs on two hosts", "one-writer machine", "virtualmachine/{vm}", func(w *world, vm compute.VM) {
			w.runElsewhere(vm)
		}},
		{"its host lost it", "machine", "virtualmachine/{vm}", func(w *world, vm compute.VM) { w.check(w.center.UndefineVM("", vm.ID)) }},
		{"its process died", "machine", "virtualmachine/{vm}", func(w *world, vm compute.VM) { w.check(w.center.KillVM("", vm.ID)) }},
		{"it runs although its row says that it is stopped", "machine", "virtualmachine/{vm}", func(w *world, vm compute.VM) {
			w.set(&compute.VM{}, "state", compute.Stopped, "id = ?", vm.ID)
		}},
		{"a machine has no row", "machine", "virtualmachine/", func(w *world, vm compute.VM) {
			_, err := w.center.Host("sim-1").DefineVM(w.t.Context(), drivers.VMSpec{ID: w.db.NewID(), Name: "i-9-9-VM", CPUs: 1, CPUMHz: 500, MemoryMiB: 64})
			w.check(err)
		}},
		{"a host counts too much", "host-capacity", "host/{host}", func(w *world, vm compute.VM) {
			w.set(&infra.Host{}, "used_mhz", gorm.Expr("used_mhz + 1"), "id = ?", vm.HostID)
		}},
		{"it is placed without a claim", "claims", "virtualmachine/{vm}", func(w *world, vm compute.VM) {
			w.drop(&placement.Claim{}, "entity = ?", vm.ID)
			w.set(&infra.Host{}, "used_mhz", 0, "id = ?", vm.HostID)
			w.set(&infra.Host{}, "used_mib", 0, "id = ?", vm.HostID)
		}},
		{"a claim is nobody's", "claims", "virtualmachine/", func(w *world, vm compute.VM) {
			w.create(&placement.Claim{Entity: w.db.NewID(), HostID: vm.HostID})
		}},
		{"a pool counts too much", "pool-allocation", "storagepool/{pool}", func(w *world, vm compute.VM) {
			w.set(&infra.Pool{}, "allocated", gorm.Expr("allocated + 1"), "1 = 1")
		}},
		{"an account counts too much", "quota", "{account}/user_vm", func(w *world, vm compute.VM) {
			w.check(w.db.Tx(w.sys, func(ctx context.Context) error { return w.iam.Reserve(ctx, vm.Owner(), iam.Instances, 1) }))
		}},
		{"a key's account is gone", "owner", "ssh_keys/", func(w *world, vm compute.VM) {
			w.create(&compute.SSHKey{Row: store.Row{ID: w.db.NewID()}, Owned: store.Owned{AccountID: "gone", DomainID: vm.DomainID, DomainPath: vm.DomainPath}, Name: "k"})
		}},
		{"a card is in another domain than its account", "owner", "nics/{nic}", func(w *world, vm compute.VM) {
			w.set(&network.NIC{}, "domain_path", "/7/", "vm_id = ?", vm.ID)
		}},
		{"a volume outlived its instance", "orphan", "volume/", func(w *world, vm compute.VM) {
			w.set(&storage.Volume{}, "vm_id", w.db.NewID(), "vm_id = ?", vm.ID)
		}},
		{"an address is taken by nobody", "address", "nic/", func(w *world, vm compute.VM) {
			w.create(&placement.Allocation{Pool: "ip:x", Value: 7, Purpose: "nic", Owner: w.db.NewID()})
		}},
		{"an address that is in use can be given away", "address", "nic/{nic}", func(w *world, vm compute.VM) {
			w.drop(&placement.Allocation{}, "purpose = ?", "nic")
		}},
		{"a public address that is in use can be given away", "address", "public/", func(w *world, vm compute.VM) {
			w.drop(&placement.Allocation{}, "purpose = ?", "public")
		}},
		{"a card has another address than the router gives", "address lease", "nic/{nic}", func(w *world, vm compute.VM) {
			w.set(&network.NIC{}, "ip", "10.1.1.99", "vm_id = ?", vm.ID)
		}},
		{"a router gives an address to a card that is gone", "lease", "nic/", func(w *world, vm compute.VM) {
			old := w.id(&network.NIC{}, "vm_id = ?", vm.ID)
			w.set(&network.NIC{}, "id", w.db.NewID(), "id = ?", old)
			w.set(&placement.Allocation{}, "owner", w.id(&network.NIC{}, "vm_id = ?", vm.ID), "owner = ?", old)
			w.set(&compute.VM{}, "state", compute.Unknown, "id = ?", vm.ID) // else the new card were missed, too
		}},
		{"a router is lost", "router", "router/{router}", func(w *world, vm compute.VM) {
			_, err := w.center.Host(w.nameOf("router")).RemoveRouter(w.t.Context(), drivers.RouterRef{ID: w.id(&network.Router{}, "1 = 1")})
			w.check(err)
		}},
		{"a router is older than its network", "router", "router/{router}", func(w *world, vm compute.VM) {
			w.set(&network.Network{}, "generation", gorm.Expr("generation + 1"), "1 = 1")
		}},
		{"a router is not as it was applied", "router", "router/{router}", func(w *world, vm compute.VM) {
			w.set(&network.Router{}, "hash", "other", "1 = 1")
		}},
		{"a bridge is nobody's", "bridge", "host/", func(w *world, vm compute.VM) {
			_, err := w.center.Host("sim-1").ApplyBridge(w.t.Context(), drivers.BridgeSpec{Name: "ab0123456789ab"})
			w.check(err)
		}},
		{"a disk is nobody's", "disk", "storagepool/{pool}/", func(w *world, vm compute.VM) {
			_, err := w.center.Host("sim-1").EnsureDisk(w.t.Context(), drivers.DiskSpec{ID: w.db.NewID(), Pool: w.pool(), Bytes: 1 << 20})
			w.check(err)
		}},
		{"a volume lost its disk", "volume", "volume/", func(w *world, vm compute.VM) {
			lost := storage.Volume{Row: store.Row{ID: w.db.NewID()}, Owned: vm.Owned, Name: "lost", Type: storage.Data, State: storage.Ready, ZoneID: w.zone.ID, PoolID: w.pool().ID}
			w.create(&lost)
			w.check(w.db.Tx(w.sys, func(ctx context.Context) error { return w.iam.Reserve(ctx, vm.Owner(), iam.Volumes, 1) }))
		}},
		{"a disk is too small", "volume pool-allocation quota", "volume/", func(w *world, vm compute.VM) {
			w.set(&storage.Volume{}, "bytes", int64(4<<30), "vm_id = ?", vm.ID)
		}},
		{"a template lost its file", "template-file", "templatecopy/", func(w *world, vm compute.VM) { w.template(vm, "/nowhere/x.img", 7) }},
		{"a template's file is cut", "template-file", "templatecopy/", func(w *world, vm compute.VM) {
			path := filepath.Join(w.t.TempDir(), "x.img")
			w.check(os.WriteFile(path, []byte("123456"), 0o600))
			w.template(vm, path, 7)
		}},
		{"a file is no template's", "stray-file", "imagestore/", func(w *world, vm compute.VM) {
			dir := w.t.TempDir()
			w.check(os.WriteFile(filepath.Join(dir, "left.img.part"), nil, 0o600))
			w.set(&infra.ImageStore{}, "path", dir, "1 = 1")
		}},
		{"nobody takes a job", "job", "job/", func(w *world, vm compute.VM) {
			live := true
			w.create(&job.Row{
				Row: store.Row{ID: w.db.NewID()}, Owned: vm.Owned, Kind: "vm.start", Entity: "vm/other", Live: &live,
				Status: job.Queued, DueAt: w.db.Now().Add(-time.Hour).UnixMilli(),
			})
		}},
		{"it is starting and nobody starts it", "transition", "virtualmachine/{vm}", func(w *world, vm compute.VM) {
			w.call("stopVirtualMachine", "id", vm.ID)
			w.set(&compute.VM{}, "state", compute.Starting, "id = ?", vm.ID)
		}},
		{"a network is being implemented by nobody", "transition", "network/", func(w *world, vm compute.VM) {
			w.set(&network.Network{}, "state", network.Implementing, "1 = 1")
		}},
		{"a volume is being made by nobody", "transition", "volume/", func(w *world, vm compute.VM) {
			w.set(&storage.Volume{}, "state", storage.Creating, "vm_id = ?", vm.ID)
		}},
		{"a template is being downloaded by nobody", "transition", "templatecopy/", func(w *world, vm compute.VM) {
			w.set(&image.Copy{}, "state", image.Downloading, "1 = 1")
		}},
		{"a ticket is old", "ticket", "consoleticket", func(w *world, vm compute.VM) {
			w.create(&compute.Ticket{Hash: "h", VMID: vm.ID, ExpiresAt: w.db.Now().Add(-48 * time.Hour)})
		}},
		{"a host is silent", "host", "host/{host}", func(w *world, vm compute.VM) {
			u := w.hostName(vm.HostID)
			w.center.Partition(u)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			vm := w.row(w.deploy("web"))
			if found := w.audit(); len(found) > 0 {
				t.Fatalf("before: %v", found)
			}
			subject := w.fillIn(c.subject, vm)
			c.spoil(w, vm)
			wantFindings(t, w.audit(), strings.Fields(c.rule), subject)
		})
	}
}

// wantFindings wants findings of exactly these rules, the first one about the subject.
func wantFindings(t *testing.T, found []audit.Finding, rules []string, subject string) {
	t.Helper()
	seen := map[string]bool{}
	about := false
	for _, f := range found {
		seen[f.Rule] = true
		about = about || f.Rule == rules[0] && strings.HasPrefix(f.Subject, subject)
	}
	for _, rule := range rules {
		if !seen[rule] {
			t.Errorf("no finding of rule %s", rule)
		}
		delete(seen, rule)
	}
	if len(seen) > 0 || !about {
		t.Errorf("want %v about %s, got %v", rules, subject, found)
	}
}

func (w *world) row(id string) (vm compute.VM) {
	w.t.Helper()
	w.check(w.db.In(w.sys).Take(&vm, "id = ?", id).Error)
	return vm
}

func (w *world) fillIn(subject string, vm compute.VM) string {
	return strings.NewReplacer("{vm}", vm.ID, "{host}", vm.HostID, "{account}", vm.AccountID, "{pool}", w.pool().ID,
		"{nic}", w.id(&network.NIC{}, "vm_id = ?", vm.ID), "{router}", w.id(&network.Router{}, "1 = 1")).Replace(subject)
}

func (w *world) pool() drivers.Pool {
	w.t.Helper()
	var p infra.Pool
	w.check(w.db.In(w.sys).Take(&p).Error)
	return p.DiskPool()
}

func (w *world) hostName(id string) string {
	w.t.Helper()
	var h infra.Host
	w.check(w.db.In(w.sys).Take(&h, "id = ?", id).Error)
	return h.Name
}

// nameOf is the host of the only router.
func (w *world) nameOf(string) string {
	var r network.Router
	w.check(w.db.In(w.sys).Take(&r).Error)
	return w.hostName(r.HostID)
}

// runElsewhere starts the instance on the other host, too.
func (w *world) runElsewhere(vm compute.VM) {
	other := "sim-1"
	if w.hostName(vm.HostID) == other {
		other = "sim-2"
	}
	spec, err := w.center.Look("", vm.ID)
	w.check(err)
	h := w.center.Host(other)
	for _, nic := range spec.NICs {
		if _, err := h.ApplyBridge(w.t.Context(), drivers.BridgeSpec{Name: nic.Bridge}); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := h.DefineVM(w.t.Context(), spec); err != nil {
		w.t.Fatal(err)
	}
	_, err = h.StartVM(w.t.Context(), drivers.VMRef{ID: vm.ID})
	w.check(err)
}

// template registers a template of real files.
func (w *world) template(vm compute.VM, path string, bytes int64) {
	t := image.Template{Row: store.Row{ID: w.db.NewID()}, Owned: vm.Owned, Name: "t", Hypervisor: "KVM", Type: "BUILTIN", Details: "{}"}
	w.create(&t)
	w.create(&image.Copy{ID: w.db.NewID(), TemplateID: t.ID, ZoneID: w.zone.ID, State: image.Ready, Path: path, FileBytes: bytes})
}

// TestWhatPassesIsNotTold: a look that finds something which is mended before
// the second look tells nothing.
func TestWhatPassesIsNotTold(t *testing.T) {
	w := newWorld(t)
	vm := w.row(w.deploy("web"))
	w.center.Partition(w.hostName(vm.HostID))
	done := make(chan []audit.Finding)
	go func() {
		found, err := audit.Run(t.Context(), audit.Parts{DB: w.db, Fleet: w.fleet, IAM: w.iam, Pause: 500 * time.Millisecond})
		if err != nil {
			t.Error(err)
		}
		done <- found
	}()
	time.Sleep(250 * time.Millisecond)
	w.center.Heal(w.hostName(vm.HostID))
	if found := <-done; len(found) > 0 {
		t.Errorf("found %v", found)
	}
}
