package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"aerie/handlers/api"
	"aerie/services/store"
)

// integrate keeps the unauthenticated API open on the loopback address while
// the setting integration.api.port names a port; 0 is closed. A change takes
// effect within a second or two, without a restart.
func (a *app) integrate(ctx context.Context, query *api.Handler) error {
	var open *http.Server
	at := 0
	shut := func() {
		if open != nil {
			_ = open.Close()
			open, at = nil, 0
		}
	}
	defer shut()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if port := a.integrationPort.Get(ctx); port != at {
			shut()
			if port != 0 {
				srv, err := a.openIntegration(ctx, query, port)
				if err != nil {
					a.log.WarnContext(ctx, "the integration API is not open", "port", port, "error", err)
				} else {
					a.log.InfoContext(ctx, "the integration API is open", "port", port)
					open, at = srv, port
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *app) openIntegration(ctx context.Context, query *api.Handler, port int) (*http.Server, error) {
	actor, err := a.rootActor(ctx)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	e := echo.New()
	for _, path := range api.Paths {
		e.GET(path, query.Integration(actor))
		e.POST(path, query.Integration(actor))
	}
	srv := &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	go func() { // ends with Close
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.WarnContext(ctx, "the integration API ended", "error", err)
		}
	}()
	return srv, nil
}

// rootActor is who acts on the unauthenticated API: ROOT/admin.
func (a *app) rootActor(ctx context.Context) (store.Actor, error) {
	ctx = store.System(ctx, "the actor of the integration API")
	root, err := a.iam.Root(ctx)
	if err != nil {
		return store.Actor{}, err
	}
	account, err := a.iam.AccountByName(ctx, root.ID, "admin")
	if err != nil {
		return store.Actor{}, err
	}
	return store.Actor{Owner: account.Owner(), Rank: account.Type, RoleID: account.RoleID}, nil
}
