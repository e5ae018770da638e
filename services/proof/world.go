// Package proof holds the tests that span all services. Its World is a whole
// cloud for tests: every service, wired as the server wires them, on a
// simulated data centre and a fresh database.
package proof

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/services/alarm"
	"aerie/services/audit"
	"aerie/services/catalog"
	"aerie/services/command"
	"aerie/services/command/builtin"
	"aerie/services/compute"
	"aerie/services/config"
	"aerie/services/config/configcmd"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/mail"
	"aerie/services/network"
	"aerie/services/project"
	"aerie/services/signon"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/store/storetest"
	"aerie/services/webhook"
)

// World is a cloud in a test.
type World struct {
	testing.TB
	DB     *store.DB
	Clock  *Clock
	Center *sim.Center
	Images string // the image store's folder
	Zone   infra.Zone
	Admin  context.Context
	*Server

	dsn string
}

// Server is what one server runs. Several may share a world.
type Server struct {
	Engine   *job.Engine
	Registry *command.Registry
	Mail     *mail.Service
	Alarm    *alarm.Service
	Levels   *infra.Thresholds
	Config   *config.Service
	IAM      *iam.Service
	Labels   *label.Service
	Catalog  *catalog.Service
	Who      *iamcmd.Service
	Fleet    *infra.Fleet
	Infra    *infra.Service
	Image    *image.Service
	Net      *network.Service
	Storage  *storage.Service
	Compute  *compute.Service
	Projects *project.Service
	Webhooks *webhook.Service
	SignOn   *signon.Service
	Keeper   *infra.Keeper
}

// Clock is real time and what a test adds to it.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now is the time in the world.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Add lets time pass.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// New makes a world with a zone of two hosts.
func New(t testing.TB) *World { return NewWith(t, 2, sim.Options{}) }

// NewWith makes a world with a zone of so many hosts of that kind.
func NewWith(t testing.TB, hosts int, center sim.Options) *World {
	t.Helper()
	c := &Clock{}
	dsn := storetest.DSN(t)
	w := &World{TB: t, Clock: c, dsn: dsn, DB: storetest.Connect(t, dsn, c.Now), Images: filepath.Join(t.TempDir(), "images")}
	center.Dir, center.Now = t.TempDir(), c.Now
	w.Center = sim.New(center)
	t.Cleanup(func() { _ = w.Center.Close() })
	w.Server = w.NewServer(job.New(w.DB, job.Options{Name: "a"}))
	_, err := w.IAM.Bootstrap(t.Context(), "Test-password-1")
	w.Must(err)
	l := compute.LocalZone{
		Name: "local", Hypervisor: "Simulator", Simulated: true, PoolType: "SharedMountPoint", PoolPath: "/pool", ImagePath: w.Images,
		Public: netip.MustParsePrefix("198.18.0.0/16"), Bridge: "cloudbr0", DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")},
	}
	for i := range hosts {
		l.Hosts = append(l.Hosts, compute.LocalHost{Name: fmt.Sprintf("sim-%d", i+1), URL: fmt.Sprintf("sim://sim-%d", i+1)})
	}
	w.Must(w.DB.Tx(w.Sys(), func(ctx context.Context) error { return w.seed(ctx, l) }))
	w.Must(w.Keeper.Round(t.Context()))
	w.Admin = w.As("", "admin")
	return w
}

// template is the built-in template's size.
const template = 64 << 20

func (w *World) seed(ctx context.Context, l compute.LocalZone) (err error) {
	for _, seed := range []func(context.Context) error{w.Compute.Seed, w.Net.Seed, w.Storage.Seed} {
		if err := seed(ctx); err != nil {
			return err
		}
	}
	if w.Zone, err = w.Compute.MakeLocal(ctx, l); err != nil {
		return err
	}
	root, err := w.IAM.Root(ctx)
	if err != nil {
		return err
	}
	admin, err := w.IAM.AccountByName(ctx, root.ID, "admin")
	if err != nil {
		return err
	}
	file := filepath.Join(w.Images, "tiny.qcow2")
	if err := os.MkdirAll(w.Images, 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte("tiny"), 0o600); err != nil {
		return err
	}
	return w.Compute.AddBuiltIn(ctx, w.Zone, compute.BuiltIn{Name: "tiny", Path: file, Hypervisor: "Simulator", Bytes: template, FileBytes: 4, Owner: admin.Owner()})
}

// NewServer is a further server on the world's database and data centre: the
// wiring of cmd/aerie.
func (w *World) NewServer(e *job.Engine) *Server {
	s := w.services(e)
	s.register(w.DB)
	return s
}

// Beside is the world as a further process sees it, which has all of its own
// except the data: its services and its connections to the database.
func (w *World) Beside(name string) *World {
	w.Helper()
	other := *w
	other.DB = storetest.Connect(w.TB, w.dsn, w.Clock.Now)
	other.Server = other.NewServer(job.New(other.DB, job.Options{Name: name}))
	return &other
}

// services is a server without commands.
func (w *World) services(e *job.Engine) *Server {
	c := config.New(w.DB)
	who := iam.DeclareSettings(c)
	who.Argon = iam.Argon{Time: 1, Memory: 64, Threads: 1}
	s := &Server{Engine: e, Config: c, IAM: iam.New(w.DB, who)}
	s.Mail = mail.New(w.DB, e, nil)
	c.Domains = s.IAM.DomainsAbove
	s.Alarm = alarm.New(w.DB, c, s.Mail.Sender(c, "alert", "Alert"), "test", nil)
	s.Levels, s.IAM.Tags = infra.DeclareThresholds(c), iam.DeclareTags(c)
	s.Fleet = infra.NewFleet(w.DB, map[string]infra.Opener{"sim": func(_ context.Context, h infra.Host) (drivers.Driver, error) {
		u, err := url.Parse(h.URL)
		if err != nil {
			return nil, err
		}
		return w.Center.Host(u.Host), nil
	}})
	s.Who = iamcmd.New(s.IAM, e)
	s.Labels, s.Catalog = label.New(w.DB, s.IAM, e), catalog.New(w.DB, s.IAM, e)
	s.Who.Throttle = iam.NewThrottle(w.DB, c)
	settings := compute.DeclareSettings(c)
	s.Image = image.New(image.Parts{DB: w.DB, Fleet: s.Fleet, Jobs: e, IAM: s.IAM, Catalog: s.Catalog, Settings: image.DeclareSettings(c)})
	s.Keeper = infra.NewKeeper(w.DB, s.Fleet)
	s.Infra = infra.New(infra.Parts{DB: w.DB, Fleet: s.Fleet, Jobs: e, Keeper: s.Keeper})
	s.Net = network.New(w.DB, s.Fleet, s.IAM)
	s.Net.Define(e, network.DeclareSettings(c))
	s.Storage = storage.New(w.DB, s.Fleet, s.Image)
	s.Storage.Settings = storage.DeclareSettings(c)
	s.Storage.IAM = s.IAM
	s.Compute = compute.New(compute.Parts{
		DB: w.DB, Jobs: e, Fleet: s.Fleet, IAM: s.IAM, Images: s.Image, Net: s.Net, Storage: s.Storage,
		Settings: settings, Origin: func(context.Context) *url.URL { return &url.URL{Scheme: "https", Host: "portal.test"} },
	})
	s.Projects = project.New(project.Parts{
		DB: w.DB, Jobs: e, IAM: s.IAM, Settings: project.DeclareSettings(c), Mail: s.Mail.Sender(c, "project", "Project Defaults"),
		Origin: func(context.Context) *url.URL { return &url.URL{Scheme: "https", Host: "portal.test"} }, Work: s.work,
		Stop: s.Compute.StopDisabled,
	})
	resets := iam.DeclareResets(c)
	resets.Mail, resets.Origin = s.Mail.Sender(c, "user.password.reset", "Advanced"), func(context.Context) *url.URL { return &url.URL{Scheme: "https", Host: "portal.test"} }
	s.IAM.Resets = &resets
	s.Webhooks = webhook.New(webhook.Parts{DB: w.DB, Jobs: e, IAM: s.IAM, Settings: webhook.DeclareSettings(c), Server: "a"})
	s.SignOn = signon.New(signon.Parts{
		DB: w.DB, IAM: s.IAM, Allowed: signon.DeclareSettings(c), Origin: func(context.Context) *url.URL { return &url.URL{Scheme: "https", Host: "portal.test"} },
	})
	(&builtin.Service{DB: w.DB}).Define(e)
	s.Who.EndProjects = s.Projects.EndAll
	s.Infra.Holders = []infra.Holder{s.Net.Holds, s.Storage.Holds, s.Compute.Holds}
	s.Infra.Addresses = s.Net.Addresses
	s.Who.Groups = s.Compute.GroupNames
	s.Keeper.Silent, s.Keeper.Back = s.Compute.Silent, s.Compute.Sweep
	return s
}

func (s *Server) register(db *store.DB) {
	s.Registry = &command.Registry{DB: db, Jobs: s.Engine, Directory: s.IAM}
	s.Who.Join(s.Registry, s.Engine)
	s.Engine.Finish, s.Engine.Notify = s.Registry.Finish, s.Registry.Notify
	(&builtin.Service{Registry: s.Registry, DB: db, Names: s.IAM, ServerName: "a"}).Register()
	for _, cmds := range [][]*command.Command{
		s.Who.Commands(), s.Labels.Commands(), s.Catalog.Commands(), (&configcmd.Service{Config: s.Config, Domain: s.IAM.LookupDomain, Account: s.IAM.OwnerByID}).Commands(), s.Infra.Commands(),
		s.Image.Commands(), s.Net.Commands(), s.Storage.Commands(), s.Compute.Commands(), s.Projects.Commands(), s.Webhooks.Commands(), s.SignOn.Commands(),
	} {
		s.Registry.Add(cmds...)
	}
	for _, refs := range []func(func(string, func(context.Context, string) (bool, error))){
		s.Who.Refs, s.Labels.Refs, s.Catalog.Refs, s.Infra.Refs, s.Image.Refs, s.Net.Refs, s.Storage.Refs, s.Compute.Refs, s.Projects.Refs, s.Webhooks.Refs, s.SignOn.Refs,
	} {
		refs(s.Registry.Ref)
	}
	for _, kinds := range []func(*label.Service){
		s.Who.Kinds, s.Catalog.Kinds, s.Infra.Kinds, s.Image.Kinds, s.Net.Kinds, s.Storage.Kinds, s.Compute.Kinds, s.Projects.Kinds,
	} {
		kinds(s.Labels)
	}
	s.Registry.Check()
}

// work is how many instances of accounts run.
func (s *Server) work(ctx context.Context, ids []string) (map[string]iamcmd.Work, error) {
	counts, err := s.Compute.Powered(ctx, ids)
	out := make(map[string]iamcmd.Work, len(counts))
	for id, n := range counts {
		out[id] = iamcmd.Work{Running: n.Running, Stopped: n.Stopped}
	}
	return out, err
}

// In is the world in a subtest.
func (w *World) In(t testing.TB) *World {
	sub := *w
	sub.TB = t
	return &sub
}

// Must ends the test on an error.
func (w *World) Must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// Sys is a context that sees everything.
func (w *World) Sys() context.Context { return store.System(w.Context(), "test") }

// As is a context of the first user of an account, by its domain's path of
// names ("" is ROOT).
func (w *World) As(domain, account string) context.Context {
	w.Helper()
	d, err := w.IAM.DomainByPath(w.Sys(), domain)
	w.Must(err)
	a, err := w.IAM.AccountByName(w.Sys(), d.ID, account)
	w.Must(err)
	var u iam.User
	w.Must(w.DB.In(w.Sys()).Where("account_id = ?", a.ID).Order("id").Take(&u).Error)
	return store.With(w.Context(), store.Actor{UserID: u.ID, Owner: a.Owner(), Rank: a.Type, RoleID: a.RoleID})
}

// Account makes a domain of that name below ROOT, if it is not there, and an
// account in it, and returns the context of its user.
func (w *World) Account(domain, name, role string) context.Context {
	w.Helper()
	d, err := w.IAM.DomainByPath(w.Sys(), domain)
	if store.IsAbsent(err) {
		d, err = w.IAM.CreateDomain(w.Admin, iam.CreateDomain{Name: domain})
	}
	w.Must(err)
	_, _, err = w.IAM.CreateAccount(w.Admin, iam.CreateAccount{DomainID: d.ID, RoleID: role, User: iam.NewUser{Username: name, Password: "Test-password-1"}})
	w.Must(err)
	return w.As(domain, name)
}

// Ask runs a command and leaves its job to the engine. Params are names and values.
func (s *Server) Ask(ctx context.Context, name string, params ...string) (*command.Command, any, error) {
	v := url.Values{}
	for i := 0; i < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	return s.Registry.Call(ctx, name, v)
}

// Try runs a command, and its job to the end. Params are names and values. A
// job that fails is an error.
func (w *World) Try(ctx context.Context, name string, params ...string) (any, error) {
	w.Helper()
	_, out, err := w.Ask(ctx, name, params...)
	if a, ok := out.(command.Accepted); ok && err == nil {
		w.Work()
		row := w.Job(a.JobID)
		if row.Status != job.Succeeded {
			return out, fmt.Errorf("job %s: %s: %s", row.Kind, row.Status, row.Error)
		}
		return command.Accepted{ID: row.ObjectID, JobID: a.JobID}, nil
	}
	return out, err
}

// Call is Try that must work.
func (w *World) Call(ctx context.Context, name string, params ...string) any {
	w.Helper()
	out, err := w.Try(ctx, name, params...)
	if err != nil {
		w.Fatalf("%s %v: %v", name, params, err)
	}
	return out
}

// JSON is what a client of the actor's role reads of a command's answer.
func (w *World) JSON(ctx context.Context, name string, params ...string) string {
	w.Helper()
	c, out, err := w.Ask(ctx, name, params...)
	if err != nil {
		w.Fatalf("%s %v: %v", name, params, err)
	}
	actor, _ := store.From(ctx)
	return string(c.Body(command.RoleOf(actor.Rank), out))
}

// Job is a job's row.
func (w *World) Job(id string) (row job.Row) {
	w.Helper()
	w.Must(w.DB.In(w.Sys()).Take(&row, "id = ?", id).Error)
	return row
}

// Work does all jobs that are due.
func (w *World) Work() {
	w.Helper()
	for {
		n, err := w.Engine.Once(w.Context())
		w.Must(err)
		if n == 0 {
			return
		}
	}
}

// Finish does all jobs, letting pass what time they wait.
func (w *World) Finish() {
	w.Helper()
	for range 200 {
		w.Work()
		var live int64
		w.Must(w.DB.In(w.Sys()).Model(&job.Row{}).Where("live = ?", true).Count(&live).Error)
		if live == 0 {
			return
		}
		w.Clock.Add(time.Minute)
	}
	w.Fatal("jobs do not end")
}

// ID is the id of the first row that matches.
func (w *World) ID(model any, where string, args ...any) string {
	w.Helper()
	var ids []string
	w.Must(w.DB.In(w.Sys()).Model(model).Where(where, args...).Order("id").Limit(1).Pluck("id", &ids).Error)
	if len(ids) == 0 {
		w.Fatalf("no %T where %s %v", model, where, args)
	}
	return ids[0]
}

// Count is how many rows match.
func (w *World) Count(model any, where string, args ...any) (n int64) {
	w.Helper()
	w.Must(w.DB.In(w.Sys()).Model(model).Where(where, args...).Count(&n).Error)
	return n
}

// Small and Tiny are the ids of the smallest offering and the built-in template.
func (w *World) Small() string { return w.ID(&compute.Offering{}, "name = ?", "Small Instance") }

// Tiny is the id of the built-in template.
func (w *World) Tiny() string { return w.ID(&image.Template{}, "name = ?", "tiny") }

// Plan is the parameters of a deployment.
func (w *World) Plan(name string, more ...string) []string {
	return append([]string{"zoneid", w.Zone.ID, "name", name, "serviceofferingid", w.Small(), "templateid", w.Tiny()}, more...)
}

// Deploy makes an instance and returns its id.
func (w *World) Deploy(ctx context.Context, name string, more ...string) string {
	w.Helper()
	return w.Call(ctx, "deployVirtualMachine", w.Plan(name, more...)...).(command.Accepted).ID
}

// VM is an instance's row, removed ones too.
func (w *World) VM(id string) (vm compute.VM) {
	w.Helper()
	w.Must(w.DB.In(w.Sys()).Unscoped().Take(&vm, "id = ?", id).Error)
	return vm
}

// Findings is what an audit and the data centre itself say is wrong.
func (w *World) Findings() error {
	found, err := audit.Run(w.Sys(), audit.Parts{DB: w.DB, Fleet: w.Fleet, IAM: w.IAM, Pause: time.Nanosecond})
	if err != nil {
		return err
	}
	var all []string
	for _, f := range found {
		all = append(all, f.String())
	}
	if all = append(all, w.Center.Snapshot().Problems()...); len(all) > 0 {
		return fmt.Errorf("%s", strings.Join(all, "\n"))
	}
	return nil
}

// Sound fails the test when anything is lost, doubled or left.
func (w *World) Sound() {
	w.Helper()
	if err := w.Findings(); err != nil {
		w.Error(err)
	}
}
