package main_test

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/cloudstack-go/v2/cloudstack"
)

// recovery is within what time a job of a dead server must have ended: its
// lease is a quarter of that.
const recovery = time.Minute

// crash is a life in which the server dies once in each job: at these moments
// of the deployment, a stop and the end.
type crash struct{ deploy, stop, destroy string }

// crashes cover what happens after each step of each of the jobs, and before
// the first ones.
var crashes = []crash{
	{"place/before", "stop/before", "stop/before"},
	{"place/after", "stop/after", "stop/after"},
	{"disks/after", "undefine/after", "undefine/after"},
	{"router/after", "stopped/after", "destroyed/after"},
	{"define/after", "", "disks/after"},
	{"start/after", "", "addresses/after"},
	{"running/after", "", "router/after"},
	{"", "", "expunged/after"},
}

// moreCrashes are before the steps, which is nearly what is after the step
// before; they are made when AERIE_TEST_FULL is set.
var moreCrashes = []crash{
	{"disks/before", "undefine/before", "undefine/before"},
	{"router/before", "stopped/before", "destroyed/before"},
	{"define/before", "", "disks/before"},
	{"start/before", "", "addresses/before"},
	{"running/before", "", "router/before"},
	{"", "", "expunged/before"},
}

// TestCrashAtEveryStep: a server that is killed at any moment of a job leaves
// nothing lost, doubled or behind; the next one ends the job.
func TestCrashAtEveryStep(t *testing.T) {
	realParts(t)
	all := crashes
	if os.Getenv("AERIE_TEST_FULL") != "" {
		all = append(all, moreCrashes...)
	}
	if _, err := program(); err != nil {
		t.Fatal(err)
	}
	image := haltedImage(t)
	lanes := make(chan crash)
	var lane sync.WaitGroup
	// Most of the time is spent waiting for leases: four lives at a time.
	for range 4 {
		lane.Go(func() {
			for c := range lanes {
				t.Run(c.name(), func(t *testing.T) { c.live(t, image) })
			}
		})
	}
	for _, c := range all {
		lanes <- c
	}
	close(lanes)
	lane.Wait()
}

func (c crash) name() string {
	return strings.NewReplacer("/", "-").Replace(strings.Trim(strings.Join([]string{c.deploy, c.stop, c.destroy}, ","), ","))
}

// haltedImage is a guest that does nothing at all, so that many of them do not
// keep the machine from its work.
func haltedImage(t *testing.T) string {
	t.Helper()
	dir, err := sharedDir()
	if err != nil {
		t.Fatal(err)
	}
	sector := make([]byte, 4<<20)
	copy(sector, []byte{0xf4, 0xeb, 0xfd}) // hlt; jmp to it
	binary.LittleEndian.PutUint16(sector[510:], 0xaa55)
	raw, image := filepath.Join(dir, "halted.raw"), filepath.Join(dir, "halted.qcow2")
	if err := os.WriteFile(raw, sector, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("qemu-img", "convert", "-O", "qcow2", raw, image).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img: %v: %s", err, out)
	}
	return image
}

// doomed is a server whose next command ends it.
type doomed struct {
	*server
	who   someone
	image string
}

// live goes through an instance's life with a crash in each job.
func (c crash) live(t *testing.T, image string) {
	s := newServer(t, "auto", "")
	d := &doomed{server: s, image: image}
	d.restart("")
	admin := s.admin()
	hostsUp(t, admin)
	d.who = joins(t, s, admin, "ann")
	d.who.offering = small(t, s)
	before := s.traces(t)
	network := d.who.network(t, "net")

	var id, job string
	d.dies("vm.deploy", c.deploy, func(cs *cloudstack.CloudStackClient) error {
		r, err := cs.VirtualMachine.DeployVirtualMachine(d.who.deployment("web", network))
		if err == nil {
			id, job = r.Id, r.JobID
		}
		return err
	})
	if id == "" { // the answer was lost in the crash, the instance was not
		id, job = d.found(t)
	}
	d.recovers(t, job)
	d.is(t, id, "Running")

	if c.stop != "" {
		d.dies("vm.stop", c.stop, func(cs *cloudstack.CloudStackClient) error {
			p := cs.VirtualMachine.NewStopVirtualMachineParams(id)
			p.SetForced(true)
			r, err := cs.VirtualMachine.StopVirtualMachine(p)
			if err == nil {
				job = r.JobID
			}
			return err
		})
		d.recovers(t, d.lastJob(t, "stopVirtualMachine"))
		d.is(t, id, "Stopped")
		start(t, s, d.who, id)
		d.is(t, id, "Running")
	}

	adminKeys := s.adminKeys()
	d.dies("vm.destroy.expunge", c.destroy, func(*cloudstack.CloudStackClient) error {
		cs := s.later(adminKeys)
		p := cs.VirtualMachine.NewDestroyVirtualMachineParams(id)
		p.SetExpunge(true)
		_, err := cs.VirtualMachine.DestroyVirtualMachine(p)
		return err
	})
	d.recovers(t, d.lastJob(t, "destroyVirtualMachine"))
	d.gone(t, id)

	if r, err := d.who.Network.DeleteNetwork(d.who.Network.NewDeleteNetworkParams(network)); err != nil || !r.Success {
		t.Errorf("delete the network: %+v, %v", r, err)
	}
	s.clean(t)
	if after := s.traces(t); after != before {
		t.Errorf("before the network was made:\n%s\nafter it was deleted:\n%s", before, after)
	}
	s.stop()
}

// restart starts the server with a failpoint or none.
func (d *doomed) restart(failpoint string) {
	d.t.Helper()
	d.env = []string{"AERIE_GUEST_IMAGE=" + d.image, failpointVar + "=" + failpoint}
	d.start()
}

// dies gives a server with a failpoint the command, sees it die and starts
// another. Without a moment there is only the command.
func (d *doomed) dies(kind, moment string, command func(*cloudstack.CloudStackClient) error) {
	d.t.Helper()
	cs := d.later(d.who.keys)
	if moment == "" {
		if err := command(cs); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	d.stop()
	d.restart(kind + "/" + moment)
	began := time.Now()
	_ = command(cs) // the server may die before it answers
	d.died()
	d.t.Logf("died at %s/%s after %v", kind, moment, time.Since(began).Round(time.Millisecond))
	d.restart("")
}

// found is the one instance of the account and the job that makes it.
func (d *doomed) found(t *testing.T) (id, job string) {
	t.Helper()
	l, err := d.who.VirtualMachine.ListVirtualMachines(d.who.VirtualMachine.NewListVirtualMachinesParams())
	if err != nil || l.Count != 1 {
		t.Fatalf("instances: %+v, %v", l, err)
	}
	return l.VirtualMachines[0].Id, d.lastJob(t, "deployVirtualMachine")
}

func (d *doomed) lastJob(t *testing.T, command string) string {
	t.Helper()
	admin := d.admin()
	p := admin.Asyncjob.NewListAsyncJobsParams()
	p.SetListall(true)
	l, err := admin.Asyncjob.ListAsyncJobs(p)
	if err != nil {
		t.Fatal(err)
	}
	var last *cloudstack.AsyncJob
	for _, j := range l.AsyncJobs {
		if j.Cmd == command && (last == nil || j.Created >= last.Created) {
			last = j
		}
	}
	if last == nil {
		t.Fatalf("no job %s in %+v", command, l.AsyncJobs)
	}
	return last.JobID
}

// recovers waits until the dead server's job has ended; it must have succeeded.
func (d *doomed) recovers(t *testing.T, job string) {
	t.Helper()
	began := time.Now()
	cs := d.admin()
	eventually(t, recovery, "job ends", func() (bool, error) {
		got, err := cs.Asyncjob.QueryAsyncJobResult(cs.Asyncjob.NewQueryAsyncJobResultParams(job))
		if err != nil || got.Jobstatus == 0 {
			return false, err
		}
		if got.Jobstatus != 1 {
			t.Fatalf("job %s failed: %s", got.Cmd, got.Jobresult)
		}
		return true, nil
	})
	t.Logf("taken over and ended after %v", time.Since(began).Round(time.Millisecond))
}

// is fails unless rows, libvirt and processes agree on the instance, and it is
// there once.
func (d *doomed) is(t *testing.T, id, want string) {
	t.Helper()
	l, err := d.who.VirtualMachine.ListVirtualMachines(d.who.VirtualMachine.NewListVirtualMachinesParams())
	if err != nil || l.Count != 1 || l.VirtualMachines[0].Id != id || l.VirtualMachines[0].State != want {
		t.Errorf("instances: %+v, %v, want %s to be %s", l, err, id, want)
	}
	machines, emulating, disks := machinesOf(d.data), len(emulators(id)), d.disks(t)
	switch {
	case want == "Running" && (!slices.Equal(machines, []string{id}) || emulating != 1):
		t.Errorf("libvirt knows %v, %d emulators run", machines, emulating)
	case want == "Stopped" && (len(machines) > 0 || emulating > 0):
		t.Errorf("libvirt still knows %v, %d emulators run", machines, emulating)
	}
	if len(disks) != 1 {
		t.Errorf("disks: %v", disks)
	}
	d.clean(t)
}

// disks are the files of volumes.
func (d *doomed) disks(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.data, "disks", "*", "*"))
	more, err2 := filepath.Glob(filepath.Join(d.data, "disks", "*"))
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for _, f := range append(files, more...) {
		if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() && !isImage(f) && filepath.Base(f) != ".aerie-pool" {
			names = append(names, strings.TrimPrefix(f, d.data))
		}
	}
	return names
}

// gone fails unless nothing of the instance is there.
func (d *doomed) gone(t *testing.T, id string) {
	t.Helper()
	if at, err := stateOf(d.admin(), id); err != nil || at != "" {
		t.Errorf("an expunged instance is %q, %v", at, err)
	}
	if machines, disks := machinesOf(d.data), d.disks(t); len(machines)+len(disks)+len(emulators(id)) > 0 {
		t.Errorf("left: machines %v, disks %v, emulators %v", machines, disks, emulators(id))
	}
}

// TestTakeover: two servers on one machine and one database; the one that
// works is killed, the other ends its jobs without being told.
func TestTakeover(t *testing.T) {
	realParts(t)
	s := newServer(t, "auto", mysqlDSN(t))
	d := &doomed{server: s, image: haltedImage(t)}
	d.restart("")
	admin := s.admin()
	hostsUp(t, admin)
	d.who = joins(t, s, admin, "ann")
	d.who.offering = small(t, s)
	network := d.who.network(t, "net")
	s.stop()
	d.restart("vm.deploy/define/after")
	k := d.who.keys
	_, _ = s.later(k).VirtualMachine.DeployVirtualMachine(d.who.deployment("web", network))
	s.died()

	other := s.beside()
	other.env = []string{"AERIE_GUEST_IMAGE=" + d.image}
	other.start()
	d.server, d.who.CloudStackClient = other, other.sdk(k)
	id, job := d.found(t)
	d.recovers(t, job)
	d.is(t, id, "Running")
	p := other.admin().VirtualMachine.NewDestroyVirtualMachineParams(id)
	p.SetExpunge(true)
	if _, err := other.admin().VirtualMachine.DestroyVirtualMachine(p); err != nil {
		t.Error(err)
	}
	d.gone(t, id)
	if r, err := d.who.Network.DeleteNetwork(d.who.Network.NewDeleteNetworkParams(network)); err != nil || !r.Success {
		t.Errorf("delete the network: %+v, %v", r, err)
	}
	other.clean(t)
	other.stop()
}
