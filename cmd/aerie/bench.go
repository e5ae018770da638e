package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aerie/drivers/sim"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

// benchCommand measures. Everything runs on this machine and on its loopback
// address, in folders of its own that go with the run; the client's share of
// the CPU is part of every figure.
type benchCommand struct {
	Sim           benchSim           `cmd:"" help:"Deployments per second on simulated hosts without delays."`
	Deploy        benchDeploy        `cmd:"" help:"What Aerie adds to libvirt: the API's deployment beside libvirt's own start, in turn. Needs root and libvirt."`
	Lists         benchLists         `cmd:"" help:"Lists of instances through the API, to the last byte, beside the bare query."`
	People        benchPeople        `cmd:"" help:"Lists of domains, accounts and users through the API, to the last byte, beside the bare query."`
	Console       benchConsole       `cmd:"" help:"The console's proxy beside websockify, in turn."`
	ConsoleServer benchConsoleServer `cmd:"" hidden:""`
}

// rig is a whole server with a database and a folder of its own.
type rig struct {
	*app
	client *caller
	admin  context.Context
	stop   func() error
	ends   sync.Map // job id → chan *job.Row, closed when it has ended
}

// newRig starts a server; auto makes this machine its host, otherwise the hosts
// are simulated as world says. A database that is given must be empty, and is
// left behind.
func newRig(ctx context.Context, database string, auto bool, world sim.Options) (_ *rig, err error) {
	dir, err := os.MkdirTemp("", "aerie-bench-")
	if err != nil {
		return nil, err
	}
	r := &rig{stop: func() error { return os.RemoveAll(dir) }}
	defer func() {
		if err != nil {
			_ = r.stop()
		}
	}()
	if err := os.Chmod(dir, 0o755); err != nil { // QEMU's user must get through
		return nil, err
	}
	if r.app, err = open(ctx, state{Data: dir, Database: database}, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	r.also(r.app.close)
	r.node.world = func() sim.Options { return world }
	if err := r.db.Migrate(ctx); err != nil {
		return nil, err
	}
	if used, err := r.seeded(store.System(ctx, "bench")); used || err != nil {
		return nil, fmt.Errorf("the database is in use; a bench needs an empty one (%w)", err)
	}
	if err := r.begin(ctx, auto); err != nil {
		return nil, err
	}
	return r, r.listen(ctx)
}

// also does something before all that stop does already.
func (r *rig) also(first func() error) {
	then := r.stop
	r.stop = func() error {
		err := first()
		if err2 := then(); err == nil {
			err = err2
		}
		return err
	}
}

// begin makes the administrator and the zone, and starts the workers.
func (r *rig) begin(ctx context.Context, auto bool) error {
	password := os.Getenv("AERIE_ADMIN_PASSWORD")
	made, err := r.first(ctx, auto)
	if err != nil {
		return err
	}
	if password == "" {
		password = made
	}
	if auto {
		if err := r.plug(ctx); err != nil {
			return err
		}
	}
	if err := r.keeper.Round(ctx); err != nil {
		return err
	}
	login, err := r.iam.Login(ctx, iam.LoginRequest{Username: "admin", Password: password})
	if err != nil {
		return err
	}
	r.admin = store.With(ctx, login.Principal.Actor)
	keys, err := r.iam.RegisterKeys(r.admin, login.Principal.Actor.UserID)
	if err != nil {
		return err
	}
	r.client = &caller{key: keys.APIKey, secret: keys.Secret, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	r.work(ctx)
	return nil
}

// work runs jobs and tells of their ends, so that nobody need poll.
func (r *rig) work(ctx context.Context) {
	notify := r.jobs.Notify
	r.jobs.Notify = func(ctx context.Context, row *job.Row, p job.Phase) error {
		if p == job.PhaseSucceeded || p == job.PhaseFailed {
			ended := *row
			r.db.AfterCommit(ctx, func() { r.end(row.ID) <- &ended })
		}
		return notify(ctx, row, p)
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx)) // what was made is taken away after an interrupt, too
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.jobs.Run(work)
	}()
	r.also(func() error { cancel(); <-done; return nil })
}

func (r *rig) end(jobID string) chan *job.Row {
	c, _ := r.ends.LoadOrStore(jobID, make(chan *job.Row, 1))
	return c.(chan *job.Row) //nolint:forcetypeassert // only end stores
}

// wait waits for a job and makes its failure an error.
func (r *rig) wait(ctx context.Context, jobID string) (*job.Row, error) {
	defer r.ends.Delete(jobID)
	select {
	case row := <-r.end(jobID):
		if row.Status != job.Succeeded {
			return row, fmt.Errorf("job %s: %s: %s %s", row.Kind, row.Status, row.ErrorKey, row.Error)
		}
		return row, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (r *rig) listen(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r.client.base = "http://" + l.Addr().String() + "/client/api"
	var stopping atomic.Bool
	srv := &http.Server{
		Handler: r.handler(r.query(&stopping), r.pages()), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	go func() { _ = srv.Serve(l) }()
	r.also(srv.Close)
	return nil
}

// run does a command that is a job, to its end.
func (r *rig) run(ctx context.Context, name string, args ...string) (*job.Row, error) {
	return r.runAs(ctx, r.client, name, args...)
}

func (r *rig) runAs(ctx context.Context, who *caller, name string, args ...string) (*job.Row, error) {
	var a accepted
	if err := who.decode(ctx, &a, name, args...); err != nil {
		return nil, err
	}
	return r.wait(ctx, a.JobID)
}

// flushes is how long this disk takes for 4 KiB and fdatasync: half of them
// take longer. It belongs beside every figure that waits for a disk.
func flushes(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "flush-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []time.Duration
	block := make([]byte, 4096)
	for range 200 {
		began := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	return quantile(took, 0.5), nil
}

// quantile sorts what it is given.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// steady tells how far the reference moved between the first and the second
// half of a run; one that moved by more than a sixth makes its ratios void.
func steady(reference []time.Duration) string {
	half := len(reference) / 2
	a, b := quantile(slices.Clone(reference[:half]), 0.5), quantile(slices.Clone(reference[half:]), 0.5)
	if a == 0 || b == 0 {
		return "too few rounds to tell whether the machine was quiet"
	}
	if moved := 100 * (max(a, b) - min(a, b)) / min(a, b); moved > 15 {
		return fmt.Sprintf("VOID: the reference moved by %d %% during the run, the machine is not quiet", moved)
	}
	return "the reference was steady"
}

// burnt is the CPU time of this process so far.
func burnt() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// load tells how busy the machine is, for whoever reads the figures.
func load(out io.Writer) {
	text, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		fmt.Fprintf(out, "load of the machine before: %s", text)
	}
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
