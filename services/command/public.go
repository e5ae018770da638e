package command

import (
	"context"
	"net/url"
	"time"

	"aerie/services/fault"
)

// CallPublic calls a command that needs nobody signed in (Meta.Public), for
// nobody. Who is signed in calls it with Call, like any other.
func (r *Registry) CallPublic(ctx context.Context, name, remote string, v url.Values) (*Command, any, error) {
	c := r.byName[name]
	if c == nil || !c.Public {
		return nil, nil, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	ctx = WithRemote(context.WithValue(ctx, callKey{}, &call{registry: r, command: c}), remote)
	start := time.Now()
	out, err := c.call(ctx, r, v)
	if r.Observe != nil {
		r.Observe(ctx, c.Name, outcome(err), time.Since(start))
	}
	return c, out, err
}

type remoteKey struct{}

// WithRemote notes the address that a request comes from.
func WithRemote(ctx context.Context, remote string) context.Context {
	return context.WithValue(ctx, remoteKey{}, remote)
}

// Remote is the address that the request comes from, or empty.
func Remote(ctx context.Context) string {
	remote, _ := ctx.Value(remoteKey{}).(string)
	return remote
}
