package proof_test

import (
	"fmt"
	"slices"

	"aerie/drivers"
	"aerie/services/compute"
	"aerie/services/network"
	"aerie/services/proof"
	"aerie/services/storage"
)

// at says what is wrong with an instance that shall be in one of the states,
// at its host, too.
func at(w *proof.World, id string, states ...compute.State) error {
	vm := w.VM(id)
	if !slices.Contains(states, vm.State) {
		return fmt.Errorf("it is %s, not %v", vm.State, states)
	}
	runs := 0
	for _, m := range w.Center.Snapshot().VMs {
		if m.State.ID == id && m.State.Power == drivers.PowerOn {
			runs++
		}
	}
	if want := vm.State == compute.Running; runs > 1 || (runs == 1) != want {
		return fmt.Errorf("%s: it runs %d times", vm.State, runs)
	}
	if (vm.HostID != "") != (vm.State == compute.Running) {
		return fmt.Errorf("%s: on host %q", vm.State, vm.HostID)
	}
	return nil
}

// gone says what is left of an expunged instance.
func gone(w *proof.World, id string) error {
	if vm := w.VM(id); !vm.RemovedAt.Valid {
		return fmt.Errorf("it is still %s", vm.State)
	}
	if n := w.Count(&storage.Volume{}, "vm_id = ?", id) + w.Count(&network.NIC{}, "vm_id = ?", id); n > 0 {
		return fmt.Errorf("%d disks and cards are left", n)
	}
	return nil
}

// on is the case of a command on an instance.
func on(w *proof.World, id, command string, params ...string) proof.Case {
	return proof.Case{
		Submit: w.Command(command, append([]string{"id", id}, params...)...),
		After:  func() { w.Gone(w.Admin, id) },
	}
}

func vmDeploy(w *proof.World) proof.Case {
	net := fresh(w)
	vm := func() string { return w.ID(&compute.VM{}, "name = ?", "web") }
	return proof.Case{
		Submit: w.Command("deployVirtualMachine", w.Plan("web", "networkids", net)...),
		Whole:  func() error { return at(w, vm(), compute.Running) },
		Empty: func() error {
			for _, d := range w.Center.Snapshot().Disks {
				if !d.IsImage {
					return fmt.Errorf("disk %s is left", d.State.ID)
				}
			}
			if n := w.Count(&storage.Volume{}, "vm_id = ? AND (state <> ? OR pool_id <> '')", vm(), storage.Allocated); n > 0 {
				return fmt.Errorf("%d disks are not given back", n)
			}
			return at(w, vm(), compute.Broken)
		},
		After: func() {
			w.Gone(w.Admin, vm())
			w.Finish()
			w.Call(w.Admin, "deleteNetwork", "id", net)
		},
	}
}

func vmStart(w *proof.World) proof.Case {
	id := w.Deploy(w.Admin, "web", "startvm", "false")
	c := on(w, id, "startVirtualMachine")
	c.Whole = func() error { return at(w, id, compute.Running) }
	c.Empty = func() error { return at(w, id, compute.Stopped) }
	return c
}

func vmStop(w *proof.World) proof.Case {
	id := w.Deploy(w.Admin, "web")
	c := on(w, id, "stopVirtualMachine")
	c.Whole = func() error { return at(w, id, compute.Stopped) }
	c.Empty = func() error { return at(w, id, compute.Running, compute.Stopped) } // as the host says
	return c
}

func vmReboot(w *proof.World) proof.Case {
	id := w.Deploy(w.Admin, "web")
	c := on(w, id, "rebootVirtualMachine")
	c.Whole = func() error { return at(w, id, compute.Running) }
	c.Empty = c.Whole
	return c
}

func vmDestroy(w *proof.World) proof.Case {
	id := w.Deploy(w.Admin, "web")
	c := on(w, id, "destroyVirtualMachine")
	c.Forward, c.Whole = true, func() error { return at(w, id, compute.Destroyed) }
	return c
}

func vmDestroyExpunge(w *proof.World) proof.Case {
	id := w.Deploy(w.Admin, "web")
	c := on(w, id, "destroyVirtualMachine", "expunge", "true")
	c.Forward, c.Whole = true, func() error { return gone(w, id) }
	return c
}

func vmExpunge(w *proof.World) proof.Case {
	id := w.Deploy(w.Admin, "web")
	w.Call(w.Admin, "destroyVirtualMachine", "id", id)
	c := on(w, id, "expungeVirtualMachine")
	c.Forward, c.Whole = true, func() error { return gone(w, id) }
	return c
}

func vmPassword(w *proof.World) proof.Case {
	id := w.Deploy(w.Admin, "web")
	w.Call(w.Admin, "stopVirtualMachine", "id", id)
	c := on(w, id, "resetPasswordForVirtualMachine")
	c.Whole = func() error {
		for _, r := range w.Center.Snapshot().Routers {
			for _, h := range r.Spec.Hosts {
				if h.PasswordID == w.VM(id).PasswordID {
					return nil
				}
			}
		}
		return fmt.Errorf("no router knows the new password")
	}
	c.Empty = func() error { return nil } // the instance has it, and the routers' loop tells the router
	return c
}

func vmSSHKey(w *proof.World) proof.Case {
	id := w.Deploy(w.Admin, "web")
	w.Call(w.Admin, "stopVirtualMachine", "id", id)
	if w.Count(&compute.SSHKey{}, "name = ?", "key") == 0 {
		w.JSON(w.Admin, "createSSHKeyPair", "name", "key")
	}
	c := on(w, id, "resetSSHKeyForVirtualMachine", "keypair", "key")
	c.Whole = func() error {
		for _, r := range w.Center.Snapshot().Routers {
			for _, h := range r.Spec.Hosts {
				if h.Metadata["instance-id"] == id && h.Metadata["public-keys"] != "" {
					return nil
				}
			}
		}
		return fmt.Errorf("no router knows the new key")
	}
	c.Empty = func() error { return nil } // the instance has it, and the routers' loop tells the router
	return c
}

// affinityGroup: what the command says is done before its job.
func affinityGroup(w *proof.World) proof.Case {
	ask := func() error { return some(w, 1, &compute.AffinityGroup{}, "name = ?", "pair") }
	return proof.Case{Submit: w.Command("createAffinityGroup", "name", "pair", "type", compute.Apart), Whole: ask, Empty: ask, After: func() {
		w.Call(w.Admin, "deleteAffinityGroup", "name", "pair")
	}}
}

// vpcOffering likewise.
func vpcOffering(w *proof.World) proof.Case {
	ask := func() error { return some(w, 1, &network.VPCOffering{}, "name = ?", "vpc") }
	return proof.Case{Submit: w.Command("createVPCOffering", "name", "vpc", "supportedservices", "Dhcp"), Whole: ask, Empty: ask, After: func() {
		w.Call(w.Admin, "deleteVPCOffering", "id", w.ID(&network.VPCOffering{}, "name = ?", "vpc"))
	}}
}

func vmCreate(w *proof.World) proof.Case {
	vm := func() string { return w.ID(&compute.VM{}, "name = ?", "web") }
	return proof.Case{
		Submit: w.Command("deployVirtualMachine", w.Plan("web", "startvm", "false")...),
		Whole:  func() error { return at(w, vm(), compute.Stopped) },
		Empty:  func() error { return at(w, vm(), compute.Stopped) }, // its rows came with the job, which has nothing to take back
		After:  func() { w.Gone(w.Admin, vm()) },
	}
}
