package console_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"gorm.io/gorm"
	"nhooyr.io/websocket"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/handlers/console"
	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

const password = "Test-password-1"

// world is a portal with one simulated host, and what it has logged.
type world struct {
	testing.TB
	db       *store.DB
	iam      *iam.Service
	engine   *job.Engine
	registry *command.Registry
	compute  *compute.Service
	zone     infra.Zone
	server   *httptest.Server
	log      *log
	admin    context.Context
	working  sync.Mutex
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := storetest.Open(t)
	w := &world{TB: t, db: db, log: &log{}}
	w.iam = iam.New(db, iam.Options{Argon: iam.Argon{Time: 1, Memory: 64, Threads: 1}})
	_, err := w.iam.Bootstrap(t.Context(), password)
	w.check(err)
	w.engine = job.New(db, job.Options{})
	keeper := w.services(sim.New(sim.Options{Dir: t.TempDir()}))
	w.check(db.Tx(store.System(t.Context(), "test world"), w.seed))
	w.check(keeper.Round(t.Context()))
	w.admin, _ = w.login()
	w.serve()
	return w
}

func (w *world) services(center *sim.Center) *infra.Keeper {
	c := config.New(w.db)
	fleet := infra.NewFleet(w.db, map[string]infra.Opener{"sim": func(_ context.Context, h infra.Host) (drivers.Driver, error) {
		return center.Host(h.Name), nil
	}})
	images := image.New(image.Parts{DB: w.db, Jobs: w.engine, Fleet: fleet, IAM: w.iam, Settings: image.DeclareSettings(c)})
	w.compute = compute.New(compute.Parts{
		DB: w.db, Jobs: w.engine, Fleet: fleet, IAM: w.iam, Images: images, Net: network.New(w.db, fleet, w.iam),
		Storage: storage.New(w.db, fleet, images), Settings: compute.DeclareSettings(c),
		Origin: func(context.Context) *url.URL { return &url.URL{Scheme: "https", Host: "portal.test"} },
	})
	w.registry = &command.Registry{DB: w.db, Jobs: w.engine, Directory: w.iam}
	w.engine.Finish, w.engine.Notify = w.registry.Finish, w.registry.Notify
	w.registry.Add(w.compute.Commands()...)
	w.compute.Refs(w.registry.Ref)
	images.Refs(w.registry.Ref)
	for kind, exists := range map[string]func(context.Context, string) (bool, error){
		"zone": of[infra.Zone](w.db), "host": of[infra.Host](w.db), "storagepool": of[infra.Pool](w.db),
		"network": of[network.Network](w.db), "diskoffering": of[storage.Offering](w.db), "user": of[iam.User](w.db),
	} {
		w.registry.Ref(kind, exists)
	}
	return infra.NewKeeper(w.db, fleet)
}

func of[T any](db *store.DB) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, id string) (bool, error) { return store.Exists[T](ctx, db, id) }
}

func (w *world) seed(ctx context.Context) (err error) {
	for _, seed := range []func(context.Context) error{w.compute.Seed, w.compute.Net.Seed, w.compute.Storage.Seed} {
		if err := seed(ctx); err != nil {
			return err
		}
	}
	w.zone, err = w.compute.MakeLocal(ctx, compute.LocalZone{
		Name: "local", Hypervisor: "Simulator", Simulated: true, PoolType: "SharedMountPoint", PoolPath: "/pool", ImagePath: "/images",
		Public: netip.MustParsePrefix("198.18.0.0/16"), Bridge: "cloudbr0", DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")},
		Hosts: []compute.LocalHost{{Name: "sim-1", URL: "sim://sim-1"}},
	})
	if err != nil {
		return err
	}
	root, err := w.iam.Root(ctx)
	if err != nil {
		return err
	}
	admin, err := w.iam.AccountByName(ctx, root.ID, "admin")
	if err != nil {
		return err
	}
	return w.compute.AddBuiltIn(ctx, w.zone, compute.BuiltIn{Name: "tiny", Path: "/images/tiny.qcow2", Hypervisor: "Simulator", Bytes: 64 << 20, Owner: admin.Owner()})
}

// serve serves consoles as the portal does.
func (w *world) serve() {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		w.log.Error("page", "path", c.Path(), "err", err) // as the portal logs it
		_ = c.NoContent(fault.Of(err).Kind.HTTP)
	}
	h := &console.Handler{Compute: w.compute, Log: w.log.Logger(), Public: &url.URL{Scheme: "https", Host: "portal.test"}}
	h.Register(e)
	w.server = httptest.NewServer(e)
	w.server.Config.ErrorLog = slog.NewLogLogger(w.log.Logger().Handler(), slog.LevelError)
	w.Cleanup(w.server.Close)
}

// login gives the admin a session of its own.
func (w *world) login() (ctx context.Context, token string) {
	w.Helper()
	l, err := w.iam.Login(w.Context(), iam.LoginRequest{Username: "admin", Password: password})
	w.check(err)
	p, err := w.iam.SessionActor(w.Context(), l.Token)
	w.check(err)
	return iam.WithSession(store.With(w.Context(), p.Actor), p.Session.ID), l.Token
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// call runs a command and its job to the end.
func (w *world) call(name string, params url.Values) command.Accepted {
	w.Helper()
	w.working.Lock() // one worker is enough
	defer w.working.Unlock()
	_, out, err := w.registry.Call(w.admin, name, params)
	w.check(err)
	for n := 1; n > 0; {
		n, err = w.engine.Once(w.Context())
		w.check(err)
	}
	a, _ := out.(command.Accepted)
	row, err := gorm.G[job.Row](w.db.In(w.admin)).Where("id = ?", a.JobID).Take(w.admin)
	if err != nil || row.Status != job.Succeeded {
		w.Fatalf("%s: %v: %s", name, err, row.Error)
	}
	return a
}

// instance deploys one more running instance.
func (w *world) instance() string {
	w.Helper()
	return w.call("deployVirtualMachine", url.Values{
		"zoneid": {w.zone.ID}, "serviceofferingid": {w.id(&compute.Offering{}, "Small Instance")}, "templateid": {w.id(&image.Template{}, "tiny")},
	}).ID
}

func (w *world) id(model any, name string) string {
	w.Helper()
	var ids []string
	w.check(w.db.In(w.admin).Model(model).Where("name = ?", name).Limit(1).Pluck("id", &ids).Error)
	if len(ids) == 0 {
		w.Fatalf("no %T %s", model, name)
	}
	return ids[0]
}

// update changes a row behind everybody's back.
func (w *world) update(model any, where string, arg any, set map[string]any) {
	w.Helper()
	sys := store.System(w.Context(), "test")
	w.check(w.db.Tx(sys, func(ctx context.Context) error {
		return w.db.In(ctx).Model(model).Where(where, arg).Updates(set).Error
	}))
}

// ticket makes a ticket, and sees to it that nobody writes it down.
func (w *world) ticket(ctx context.Context, vm string, kind drivers.ConsoleKind) string {
	w.Helper()
	var token string
	w.check(w.db.Tx(ctx, func(ctx context.Context) (err error) {
		token, err = w.compute.NewTicket(ctx, vm, kind)
		return err
	}))
	w.log.forbid(token)
	return token
}

// dial opens a console's socket; status is the answer of one that is refused.
func (w *world) dial(token, origin string) (ws *websocket.Conn, status int) {
	w.Helper()
	ws, status, err := w.open(&websocket.DialOptions{
		Subprotocols: []string{"binary", "aerie.ticket." + token}, HTTPHeader: http.Header{"Origin": {origin}},
	}, "")
	if err != nil && status == 0 {
		w.Fatal(err)
	}
	return ws, status
}

func (w *world) open(o *websocket.DialOptions, query string) (*websocket.Conn, int, error) {
	ctx, cancel := context.WithTimeout(w.Context(), 10*time.Second)
	defer cancel()
	ws, resp, err := websocket.Dial(ctx, w.server.URL+compute.ConsoleSocket+query, o)
	if err != nil {
		if resp == nil {
			return nil, 0, err
		}
		return nil, resp.StatusCode, err
	}
	w.Cleanup(func() { ws.CloseNow() })
	return ws, http.StatusSwitchingProtocols, nil
}

// log collects what is logged.
type log struct {
	mu     sync.Mutex
	text   bytes.Buffer
	tokens []string
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *log) Error(msg string, args ...any) { l.Logger().Error(msg, args...) }

func (l *log) forbid(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = append(l.tokens, token)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
