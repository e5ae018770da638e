// Package handlers puts the server's doors together: the API, the portal, the
// consoles, and what operators' tools ask.
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aerie/handlers/session"
	"aerie/static"
)

// Parts is what the server is put together from.
type Parts struct {
	Log      *slog.Logger
	Sessions *session.Manager
	Metrics  *prometheus.Registry
	// Ready tells why the server cannot work yet, or nil.
	Ready func(context.Context) error
	// API routes have no page middleware; Pages have.
	API   func(*echo.Echo)
	Pages func(*echo.Group)
	// Fail renders an error of a page.
	Fail func(c echo.Context, err error)
}

// New makes the server's handler.
func New(p Parts) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = p.Sessions.ClientIP
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if !c.Response().Committed {
			p.Fail(c, err)
		}
	}
	e.Use(recoverer(p.Log), p.Sessions.Headers)
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", p.ready)
	e.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(p.Metrics, promhttp.HandlerOpts{})))
	e.GET("/static/*", echo.WrapHandler(static.Handler()))
	p.API(e)
	p.Pages(e.Group("", middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024, Skipper: streams}), p.Sessions.Load, p.Sessions.Protect))
	return e
}

// streams are not compressed: their events must leave at once.
func streams(c echo.Context) bool {
	return c.Request().Header.Get("Upgrade") != "" || c.Request().Header.Get("Accept") == "text/event-stream"
}

func (p Parts) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	if err := p.Ready(ctx); err != nil {
		p.Log.WarnContext(ctx, "not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// recoverer turns a panic into an internal error with its stack in the log.
func recoverer(log *slog.Logger) echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableErrorHandler: false, DisableStackAll: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			log.ErrorContext(c.Request().Context(), "panic", "error", err, "path", c.Path(), "stack", string(stack))
			return err
		},
	})
}
