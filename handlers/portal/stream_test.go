package portal_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"gorm.io/gorm"
)

type gormDB = gorm.DB

var reading sync.Mutex

// read is what a stream has sent so far.
func (s *site) read(b *strings.Builder) string {
	reading.Lock()
	defer reading.Unlock()
	return b.String()
}

// follow reads a stream until ctx ends.
func (g *guest) follow(ctx context.Context, server *httptest.Server, to string) *strings.Builder {
	g.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+to, nil)
	g.Must(err)
	for _, c := range g.cookies {
		r.AddCookie(c)
	}
	answer, err := server.Client().Do(r)
	g.Must(err)
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		g.t.Fatalf("the stream is %s", kind)
	}
	out := &strings.Builder{}
	go func() {
		defer answer.Body.Close()
		b := make([]byte, 4096)
		for {
			n, err := answer.Body.Read(b)
			reading.Lock()
			out.Write(b[:n])
			reading.Unlock()
			if err != nil {
				_ = io.EOF
				return
			}
		}
	}()
	return out
}
