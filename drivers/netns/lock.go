package netns

import (
	"context"
	"sync"
)

// locks is a lock for each name.
type locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

type lock struct {
	token chan struct{}
	users int
}

// hold waits for the name's lock; the returned function gives it back.
func (l *locks) hold(ctx context.Context, name string) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	one := l.join(name)
	select {
	case one.token <- struct{}{}:
		return func() { <-one.token; l.leave(name, one) }, nil
	case <-ctx.Done():
		l.leave(name, one)
		return nil, ctx.Err()
	}
}

func (l *locks) join(name string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[string]*lock{}
	}
	one := l.held[name]
	if one == nil {
		one = &lock{token: make(chan struct{}, 1)}
		l.held[name] = one
	}
	one.users++
	return one
}

func (l *locks) leave(name string, one *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(l.held, name)
	}
}
