package iam

import (
	"context"
	"errors"
	"time"

	"github.com/go-ldap/ldap/v3"

	"aerie/services/fault"
)

// browsing bounds a listing of a directory, all servers together.
const browsing = 30 * time.Second

// inTurn asks one server after the other until one answers. All of them together
// have the time given; each gets its share of what is left. What a server
// refuses is an answer.
func inTurn[T any](ctx context.Context, s *Service, all time.Duration, servers []LDAPServer,
	ask func(context.Context, *ldap.Conn, LDAPServer) (T, error),
) (out T, err error) {
	ctx, cancel := context.WithTimeout(ctx, all)
	defer cancel()
	var failed []error
	for i, l := range servers {
		share, done := context.WithTimeout(ctx, timeLeft(ctx)/time.Duration(len(servers)-i))
		out, err = connected(share, s, l, ask)
		done()
		var refused errRefused
		var said *fault.Error
		if err == nil || errors.As(err, &refused) || errors.As(err, &said) {
			return out, err
		}
		failed = append(failed, err)
	}
	return out, errDirectory{errors.Join(failed...)}
}

func timeLeft(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return time.Until(deadline)
}

func connected[T any](ctx context.Context, s *Service, l LDAPServer, ask func(context.Context, *ldap.Conn, LDAPServer) (T, error)) (out T, err error) {
	secret, err := s.db.Reveal(l.BindPassword)
	if err != nil {
		return out, err
	}
	conn, err := l.dial(ctx, secret)
	if err != nil {
		return out, err
	}
	defer conn.Close()
	return ask(ctx, conn, l)
}

func peopleOfAll(_ context.Context, conn *ldap.Conn, l LDAPServer) ([]person, error) {
	return l.people(conn, "")
}
