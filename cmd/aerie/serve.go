package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"aerie/handlers"
	"aerie/handlers/api"
	"aerie/handlers/console"
	"aerie/handlers/portal"
	"aerie/handlers/session"
	"aerie/services/infra"
)

type serveCommand struct {
	state
	Listen string `help:"Address of the portal and the API." default:"127.0.0.1:8080" env:"AERIE_LISTEN"`
	Node   string `help:"auto uses this machine as the first KVM host when it can be one; off simulates." enum:"auto,off" default:"auto" env:"AERIE_NODE"`
	front
}

// Run serves until it is told to stop, then drains.
func (c serveCommand) Run(ctx context.Context, out io.Writer) error {
	began := time.Now()
	log := logger(os.Stderr)
	public, trusted, err := c.parse()
	if err != nil {
		return err
	}
	a, err := open(ctx, c.state, log)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.upToDate(ctx, a.db); err != nil {
		return err
	}
	password, err := a.first(ctx, c.Node == "auto")
	if err != nil {
		return err
	}
	if err := a.plug(ctx); err != nil {
		log.WarnContext(ctx, "the public bridge is not there", "error", err)
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	a.origin.Store(&url.URL{Scheme: "http", Host: l.Addr().String()})
	a.sessions.Trusted, a.sessions.Public = trusted, public
	if public != nil {
		a.origin.Store(public)
	}
	a.greet(ctx, out, password, time.Since(began))
	debug.FreeOSMemory() // what only the start needed, such as the cost of password hashes
	return a.serve(ctx, l)
}

// greet tells the person at the terminal where to go.
func (a *app) greet(ctx context.Context, out io.Writer, password string, took time.Duration) {
	fmt.Fprintf(out, "Aerie is ready at %s after %.1f s.\n", a.origin.Load(), took.Seconds())
	if password != "" {
		fmt.Fprintf(out, "Sign in as admin with the password %s (kept in %s).\n", password, a.path(passwordFile))
	}
	if simulated, err := a.infra.Simulated(ctx); err == nil && simulated {
		fmt.Fprintln(out, "This machine is no KVM host, so its data centre is simulated; aerie doctor tells why.")
	}
}

// grace is how long a stopping server waits for requests and steps.
const grace = 25 * time.Second

func (a *app) serve(ctx context.Context, l net.Listener) error {
	var stopping atomic.Bool
	query := a.query(&stopping)
	pages := a.pages()
	srv := &http.Server{
		Handler: a.handler(query, pages), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 4 << 20,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	a.keep()
	g, work := errgroup.WithContext(ctx)
	g.Go(func() error { return a.jobs.Run(work) })
	g.Go(func() error { return a.loops.Run(work) })
	g.Go(func() error { return a.keepPlugged(work) })
	g.Go(func() error { return a.follow(work) })
	g.Go(func() error { return tidy(work) })
	g.Go(func() error { return pages.Run(work) })
	g.Go(func() error { return a.integrate(work, query) })
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-work.Done()
		stopping.Store(true)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		return srv.Shutdown(end)
	})
	err := g.Wait()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

func (a *app) query(stopping *atomic.Bool) *api.Handler {
	return &api.Handler{
		Registry: a.registry, Keys: session.API{IAM: a.iam, SignOn: a.signOn}, Sessions: session.API{IAM: a.iam, SignOn: a.signOn}, Log: a.log,
		Stopping: stopping.Load, Secure: a.sessions.Secure, Limit: a.throttle.Allow,
	}
}

func (a *app) pages() *portal.Portal {
	return portal.New(portal.Parts{
		Log: a.log, DB: a.db, Sessions: a.sessions, Registry: a.registry, Jobs: a.jobs, IAM: a.iam, Infra: a.infra,
		Compute: a.compute, Net: a.net, Storage: a.storage, Images: a.images, Config: a.config, Brand: a.brand, SignOn: a.signOn,
	})
}

func (a *app) handler(query *api.Handler, pages *portal.Portal) *echo.Echo {
	screens := &console.Handler{Compute: a.compute, Log: a.log, Public: a.sessions.Public}
	return handlers.New(handlers.Parts{Log: a.log, Sessions: a.sessions, Metrics: a.metrics, Ready: a.ready, API: func(e *echo.Echo) {
		query.Register(e)
		screens.Register(e)
	}, Pages: pages.Register, Fail: pages.Fail})
}

// ready: the database answers and has this program's schema.
func (a *app) ready(ctx context.Context) error {
	have, want, err := a.db.Version(ctx)
	if err == nil && have != want {
		err = fmt.Errorf("schema %d, want %d", have, want)
	}
	return err
}

// follow watches the events of every host that is up. A watch that breaks is
// taken up again; hosts that come and go are noticed.
func (a *app) follow(ctx context.Context) error {
	watched := map[string]context.CancelFunc{}
	ended := make(chan string)
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	var g errgroup.Group
	defer func() { _ = g.Wait() }()
	for {
		hosts, err := a.hosts(ctx)
		if err == nil {
			for _, h := range hosts {
				if h.State != infra.HostUp || watched[h.ID] != nil {
					continue
				}
				one, cancel := context.WithCancel(ctx)
				watched[h.ID] = cancel
				g.Go(func() error {
					err := a.compute.Watch(one, h.ID)
					if ctx.Err() == nil {
						a.log.WarnContext(ctx, "watch of a host ended", "host", h.Name, "error", err)
					}
					select {
					case ended <- h.ID:
					case <-ctx.Done():
					}
					return nil
				})
			}
		}
		select {
		case id := <-ended:
			watched[id]()
			delete(watched, id)
		case <-tick.C:
		case <-ctx.Done():
			for _, cancel := range watched {
				cancel()
			}
			return ctx.Err()
		}
	}
}
