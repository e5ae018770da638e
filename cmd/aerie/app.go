package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"aerie/drivers"
	"aerie/handlers/session"
	"aerie/services/alarm"
	"aerie/services/catalog"
	"aerie/services/command"
	"aerie/services/command/builtin"
	"aerie/services/compute"
	"aerie/services/config"
	"aerie/services/config/configcmd"
	"aerie/services/event"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/mail"
	"aerie/services/network"
	"aerie/services/project"
	"aerie/services/reconcile"
	"aerie/services/signon"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/webhook"
)

func (s state) path(name ...string) string {
	return filepath.Join(append([]string{s.Data}, name...)...)
}

// app is one server's parts, wired by hand.
type app struct {
	state
	name            string
	log             *slog.Logger
	db              *store.DB
	config          *config.Service
	integrationPort config.Value[int]
	iam             *iam.Service
	jobs            *job.Engine
	mail            *mail.Service
	labels          *label.Service
	catalog         *catalog.Service
	alarm           *alarm.Service
	pageSize        config.Value[int]
	throttle        *iam.Throttle
	purges          []reconcile.Loop
	thresholds      *infra.Thresholds
	brand           *config.Brand
	registry        *command.Registry
	fleet           *infra.Fleet
	infra           *infra.Service
	images          *image.Service
	net             *network.Service
	storage         *storage.Service
	compute         *compute.Service
	projects        *project.Service
	webhooks        *webhook.Service
	signOn          *signon.Service
	keeper          *infra.Keeper
	loops           *reconcile.Runner
	metrics         *prometheus.Registry
	node            *node
	sessions        *session.Manager
	origin          atomic.Pointer[url.URL]
	closers         []func() error
}

// open wires an app on its database, without starting anything.
func open(ctx context.Context, s state, log *slog.Logger) (*app, error) {
	key, err := secretKey(s)
	if err != nil {
		return nil, err
	}
	a := &app{state: s, name: serverName(), log: log}
	if a.db, err = store.Open(ctx, store.Config{DSN: s.dsn(), Key: key, Log: log}); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.db.Close)
	a.origin.Store(&url.URL{Scheme: "http", Host: "127.0.0.1:8080"})
	a.config = config.New(a.db)
	settings := compute.DeclareSettings(a.config)
	a.integrationPort = a.config.Int("integration.api.port", "Advanced", 0, 0, 65535)
	who := iam.DeclareSettings(a.config)
	who.Log = log
	a.iam = iam.New(a.db, who)
	a.config.Domains = a.iam.DomainsAbove
	a.iam.Audit = a.access
	a.jobs = job.New(a.db, job.Options{Name: a.name, Log: log, IsTransient: transient, Around: around()})
	a.mail = mail.New(a.db, a.jobs, log)
	a.labels = label.New(a.db, a.iam, a.jobs)
	a.catalog = catalog.New(a.db, a.iam, a.jobs)
	a.recordSettings()
	a.node = newNode(s, log)
	a.fleet = infra.NewFleet(a.db, map[string]infra.Opener{"qemu": a.node.kvm, "sim": a.node.simulated})
	a.images = image.New(image.Parts{DB: a.db, Fleet: a.fleet, Jobs: a.jobs, IAM: a.iam, Catalog: a.catalog, Settings: image.DeclareSettings(a.config)})
	a.keeper = infra.NewKeeper(a.db, a.fleet)
	a.infra = infra.New(infra.Parts{DB: a.db, Fleet: a.fleet, Jobs: a.jobs, Keeper: a.keeper})
	a.net = network.New(a.db, a.fleet, a.iam)
	a.net.Define(a.jobs, network.DeclareSettings(a.config))
	a.storage = storage.New(a.db, a.fleet, a.images)
	a.storage.IAM, a.storage.Settings = a.iam, storage.DeclareSettings(a.config)
	a.compute = compute.New(compute.Parts{
		DB: a.db, Jobs: a.jobs, Fleet: a.fleet, IAM: a.iam, Images: a.images, Net: a.net,
		Storage: a.storage, Settings: settings, Origin: func(context.Context) *url.URL { return a.origin.Load() },
	})
	a.projects = project.New(project.Parts{
		DB: a.db, Jobs: a.jobs, IAM: a.iam, Settings: project.DeclareSettings(a.config), Mail: a.mail.Sender(a.config, "project", "Project Defaults"),
		Origin: func(context.Context) *url.URL { return a.origin.Load() }, Work: a.work,
		Stop: a.compute.StopDisabled,
	})
	resets := iam.DeclareResets(a.config)
	resets.Mail, resets.Origin = a.mail.Sender(a.config, "user.password.reset", "Advanced"), func(context.Context) *url.URL { return a.origin.Load() }
	a.iam.Resets = &resets
	a.webhooks = webhook.New(webhook.Parts{DB: a.db, Jobs: a.jobs, IAM: a.iam, Settings: webhook.DeclareSettings(a.config), Server: a.name})
	a.signOn = signon.New(signon.Parts{
		DB: a.db, IAM: a.iam, Allowed: signon.DeclareSettings(a.config), Origin: func(context.Context) *url.URL { return a.origin.Load() },
	})
	a.infra.Holders = []infra.Holder{a.net.Holds, a.storage.Holds, a.compute.Holds}
	a.infra.Addresses = a.net.Addresses
	a.keeper.Silent = a.compute.Silent
	a.keeper.Back = a.compute.Sweep
	a.sessions = &session.Manager{IAM: a.iam, Log: log}
	a.loops = reconcile.New(a.db, reconcile.Options{Name: a.name, Log: log})
	a.register()
	a.watch()
	return a, nil
}

// register brings every command and every reference into the registry.
func (a *app) register() {
	a.registry = &command.Registry{DB: a.db, Jobs: a.jobs, Directory: a.iam}
	a.registry.MaxPage = a.pageSize.Get
	a.jobs.Finish, a.jobs.Notify = a.registry.Finish, a.registry.Notify
	own := &builtin.Service{Registry: a.registry, DB: a.db, Names: a.iam, ServerName: a.name, Capability: a.capability}
	own.Register()
	own.Define(a.jobs)
	who := iamcmd.New(a.iam, a.jobs)
	who.Work, who.Groups, who.EndProjects, who.Throttle = a.work, a.compute.GroupNames, a.projects.EndAll, a.throttle
	who.Join(a.registry, a.jobs)
	for _, cmds := range [][]*command.Command{
		who.Commands(), a.labels.Commands(), a.catalog.Commands(), (&configcmd.Service{Config: a.config, Domain: a.iam.LookupDomain, Account: a.iam.OwnerByID}).Commands(), a.infra.Commands(),
		a.images.Commands(), a.net.Commands(), a.storage.Commands(), a.compute.Commands(), a.projects.Commands(), a.webhooks.Commands(), a.signOn.Commands(),
	} {
		a.registry.Add(cmds...)
	}
	for _, refs := range []func(func(string, func(context.Context, string) (bool, error))){
		who.Refs, a.labels.Refs, a.catalog.Refs, a.infra.Refs, a.images.Refs, a.net.Refs, a.storage.Refs, a.compute.Refs, a.projects.Refs, a.webhooks.Refs, a.signOn.Refs,
	} {
		refs(a.registry.Ref)
	}
	for _, kinds := range []func(*label.Service){
		who.Kinds, a.catalog.Kinds, a.infra.Kinds, a.images.Kinds, a.net.Kinds, a.storage.Kinds, a.compute.Kinds, a.projects.Kinds,
	} {
		kinds(a.labels)
	}
	a.registry.Check()
}

// watch makes the metrics.
func (a *app) watch() {
	a.metrics = prometheus.NewRegistry()
	d := newDoors()
	a.registry.Observe, a.fleet.Observe = d.command, d.call
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		a.jobs, a.loops, a.db, d.commands, d.calls)
}

func (a *app) close() error {
	var all error
	for i := len(a.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, a.closers[i]())
	}
	return errors.Join(all, a.node.close())
}

// transient tells a failure that may pass by itself.
func transient(err error) bool {
	k := drivers.KindOf(err)
	return k == drivers.Busy || k == drivers.Unreachable || store.Transient(err)
}

const secretVar = "AERIE_SECRET_KEY"

// upToDate migrates the database and sees that its secrets can be opened.
func (s state) upToDate(ctx context.Context, db *store.DB) error {
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return s.fits(ctx, db)
}

// fits refuses a database whose secrets another key has sealed.
func (s state) fits(ctx context.Context, db *store.DB) error {
	err := db.CheckKey(ctx)
	if errors.Is(err, store.ErrOtherKey) {
		return fmt.Errorf("%w: give %s or %s the key of its first server", err, secretVar, s.path("secret.key"))
	}
	return err
}

// secretKey is the key of secrets at rest: shared by servers on one database
// through the environment, else a file of this installation.
func secretKey(s state) ([]byte, error) {
	if text := os.Getenv(secretVar); text != "" {
		key, err := store.ParseKey(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", secretVar, err)
		}
		return key, nil
	}
	key, err := store.KeyFile(s.path("secret.key"), randomness)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	return key, nil
}

func serverName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "server"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// keep adds the loops that look after what is there.
func (a *app) keep() {
	a.loops.Add(
		reconcile.Loop{Name: "hosts", Every: 10 * time.Second, Run: a.keeper.Round},
		reconcile.Loop{Name: "instances", Every: 20 * time.Second, Run: a.sweep},
		reconcile.Loop{Name: "routers", Every: time.Minute, Run: a.net.HealAll},
		reconcile.Loop{Name: "networks", Every: 30 * time.Second, Run: a.net.CollectIdle},
		reconcile.Loop{Name: "expunge", Every: time.Minute, Run: a.compute.ExpungeOld},
		reconcile.Loop{Name: "leases", Every: time.Minute, Run: a.compute.EndLeases},
		reconcile.Loop{Name: "accounts", Every: 10 * time.Second, Run: a.compute.StopDisabled},
		reconcile.Loop{Name: "sessions", Every: 5 * time.Minute, Run: a.iam.Sweep},
		reconcile.Loop{Name: "moves", Every: time.Minute, Run: a.iam.FollowMoves},
		reconcile.Loop{Name: "images", Every: time.Hour, Run: a.images.CollectBases},
		reconcile.Loop{Name: "alerts", Every: 5 * time.Second, Run: a.alarm.Round},
		reconcile.Loop{Name: "capacity", Every: time.Minute, Run: func(ctx context.Context) error { return a.infra.WatchCapacity(ctx, a.thresholds) }},
		reconcile.Loop{Name: "history", Every: time.Hour, Run: a.prune},
	)
	a.loops.Add(a.purges...)
}

// keepJobs is how long the portal shows a finished job.
const keepJobs = 30 * 24 * time.Hour

func (a *app) prune(ctx context.Context) error {
	_, err := a.jobs.Prune(ctx, keepJobs)
	return errors.Join(err, a.compute.PruneTickets(ctx))
}

// access makes logins and logouts events. What commands do has its own.
func (a *app) access(ctx context.Context, what iam.Audit) {
	level := event.Info
	switch what.Event {
	case "USER.LOGIN", "USER.LOGOUT":
	case "USER.LOGIN.FAILED":
		a.log.WarnContext(ctx, "login refused", "user", what.User, "remote", what.Remote, "reason", what.Reason)
		level = event.Warn
	default:
		return
	}
	if what.AccountID == "" { // nobody's: only the log has it, so that strangers cannot fill the table
		return
	}
	ctx = store.With(context.WithoutCancel(ctx), store.Actor{UserID: what.UserID, Owner: what.Owner})
	_, err := event.Log(ctx, a.db, event.Event{
		Type: what.Event, Level: level, Username: what.User,
		Resource: event.Resource{Kind: "user", ID: what.UserID, Name: what.User}, Owner: &what.Owner,
	})
	if err != nil {
		a.log.WarnContext(ctx, "event of a login", "error", err)
	}
}

// capability tells clients what settings allow.
func (a *app) capability(ctx context.Context) builtin.Capability {
	c := builtin.Defaults
	c.LimitInterval, c.LimitMax = a.throttle.Told(ctx)
	c.ProjectInvite, c.UserCreateProjects = a.projects.Settings.Invite.Get(ctx), a.projects.Settings.Users.Get(ctx)
	return c
}

// work tells listAccounts how many instances run.
func (a *app) work(ctx context.Context, accountIDs []string) (map[string]iamcmd.Work, error) {
	counts, err := a.compute.Powered(ctx, accountIDs)
	out := make(map[string]iamcmd.Work, len(counts))
	for id, n := range counts {
		out[id] = iamcmd.Work{Running: n.Running, Stopped: n.Stopped}
	}
	return out, err
}

// sweep compares the instances of every host that is up with what runs there.
func (a *app) sweep(ctx context.Context) error {
	hosts, err := a.hosts(ctx)
	for _, h := range hosts {
		if h.State == infra.HostUp {
			err = errors.Join(err, a.compute.Sweep(ctx, h.ID))
		}
	}
	return err
}

func (a *app) hosts(ctx context.Context) ([]infra.Host, error) {
	var hosts []infra.Host
	err := a.db.In(store.System(ctx, "hosts to look after")).Find(&hosts).Error
	return hosts, err
}

func logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelInfo}))
}
