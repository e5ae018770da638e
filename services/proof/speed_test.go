package proof_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aerie/drivers/sim"
	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/proof"
	"aerie/services/store"
)

// vast is a data centre that is never full.
var vast = sim.Options{Size: sim.Size{CPUs: 4096, CPUMHz: 3000, MemoryMiB: 1 << 30}, Pool: 1 << 52}

// place is an account with a network that is up.
type place struct {
	ctx context.Context
	net string
}

// places makes so many of them, each in a domain of its own.
func places(w *proof.World, n int) (all []place) {
	w.Helper()
	for i := range n {
		name := fmt.Sprintf("t%d", i)
		p := place{ctx: w.Account(name, name, iam.RoleUser)}
		domain, _ := store.From(p.ctx)
		for _, kind := range []string{"0", "2", "8", "9", "10"} {
			w.JSON(w.Admin, "updateResourceLimit", "account", name, "domainid", domain.DomainID, "resourcetype", kind, "max", "-1")
		}
		w.JSON(p.ctx, "createNetwork", "name", name, "zoneid", w.Zone.ID, "gateway", "10.0.0.1", "netmask", "255.255.0.0",
			"networkofferingid", w.ID(&network.Offering{}, "availability = ?", "Required"))
		p.net = w.ID(&network.Network{}, "name = ?", name)
		w.Deploy(p.ctx, "warm", "networkids", p.net)
		all = append(all, p)
	}
	return all
}

// What a deployment into a network that is up asks of the database.
//
// To accept it, in one transaction: the 3 parts that it names, the network, the
// template's copy, quotas, the host name, 3 for its card and address, the
// account, 2 for the running number, the instance, its disk, the job and its
// event.
//
// To do it: claiming the job and noting its start (4), placing it (13 with the
// host, the pool, the network's generation and the checkpoint), its disk (2),
// its router (5, which is the whole router read and applied), that it runs (4),
// the result as the command shows it (4), and the job's end (2). The commits are
// the claim, the checkpoint after placement, the router's
// own and the end.
const (
	acceptStatements, acceptCommits = 17, 1
	doStatements, doCommits         = 36, 4 // two of them ask whether the asker still may
)

// TestADeploymentIsCheap holds it.
func TestADeploymentIsCheap(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	p := places(w, 1)[0]
	plan := w.Plan("web", "networkids", p.net)
	s, c := w.DB.Statements(), w.DB.Commits()
	_, _, err := w.Ask(p.ctx, "deployVirtualMachine", plan...)
	w.Must(err)
	asked, committed := w.DB.Statements()-s, w.DB.Commits()-c
	_, err = w.Engine.Once(w.Context())
	w.Must(err)
	s, c = w.DB.Statements()-s-asked, w.DB.Commits()-c-committed
	if asked > acceptStatements || committed > acceptCommits {
		t.Errorf("%d statements and %d commits to accept it, want %d and %d", asked, committed, acceptStatements, acceptCommits)
	}
	if s > doStatements || c > doCommits {
		t.Errorf("%d statements and %d commits to do it, want %d and %d", s, c, doStatements, doCommits)
	}
}

// BenchmarkDeploy deploys by many at once, each an account with a network of its
// own, from the command until the instance runs.
func BenchmarkDeploy(b *testing.B) {
	const submitters, hosts = 32, 24
	w := proof.NewWith(b, hosts, vast)
	submitting := places(w, submitters)
	wait, small, tiny := running(w), w.Small(), w.Tiny()
	s, c := w.DB.Statements(), w.DB.Commits()
	var next atomic.Int64
	var wg sync.WaitGroup
	began, cpu := time.Now(), burnt()
	b.ResetTimer()
	for _, p := range submitting {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				_, out, err := w.Ask(p.ctx, "deployVirtualMachine", "zoneid", w.Zone.ID, "serviceofferingid", small, "templateid", tiny,
					"name", fmt.Sprintf("vm-%d", n), "networkids", p.net)
				if err != nil {
					b.Error(err)
					return
				}
				if row := wait(out.(command.Accepted).JobID); row.Status != job.Succeeded {
					b.Errorf("%s: %s", row.ErrorKey, row.Error)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(n/time.Since(began).Seconds(), "deploys/s")
	b.ReportMetric(float64((burnt()-cpu).Microseconds())/1000/n, "cpu-ms/op")
	b.ReportMetric(float64(w.DB.Statements()-s)/n, "statements/op")
	b.ReportMetric(float64(w.DB.Commits()-c)/n, "commits/op")
	w.Sound()
}

// burnt is the CPU time of this process, which a loaded machine does not change.
func burnt() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// running starts the workers and returns how to wait for a job's end.
func running(w *proof.World) (wait func(id string) *job.Row) {
	var ends sync.Map // job id → chan *job.Row
	end := func(id string) chan *job.Row {
		c, _ := ends.LoadOrStore(id, make(chan *job.Row, 1))
		return c.(chan *job.Row)
	}
	notify := w.Engine.Notify
	w.Engine.Notify = func(ctx context.Context, row *job.Row, p job.Phase) error {
		if p == job.PhaseSucceeded || p == job.PhaseFailed {
			ended := *row
			w.DB.AfterCommit(ctx, func() { end(row.ID) <- &ended })
		}
		return notify(ctx, row, p)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Engine.Run(ctx)
	}()
	w.Cleanup(func() { cancel(); <-done })
	return func(id string) *job.Row {
		defer ends.Delete(id)
		return <-end(id)
	}
}
