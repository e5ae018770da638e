//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"time"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

const (
	watchRetryMin = 100 * time.Millisecond
	watchRetryMax = 5 * time.Second
	watchPoll     = 5 * time.Second // a lost connection tells; this is for the one that does not
	watchBacklog  = 1024
	askPatience   = 5 * time.Second
)

// NextEvents blocks until something happened after the given number; to 0 it
// answers at once.
func (d *Driver) NextEvents(ctx context.Context, req drivers.NextEvents) (drivers.EventBatch, error) {
	if err := ctx.Err(); err != nil {
		return drivers.EventBatch{}, wrap("wait for events", err)
	}
	for {
		batch, wait := d.ring.after(req.After)
		if wait == nil {
			return batch, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return drivers.EventBatch{}, wrap("wait for events", ctx.Err())
		}
	}
}

// rawEvent is a lifecycle event as libvirt's thread hands it over.
type rawEvent struct {
	vm     drivers.VMState // ID and name
	event  virt.DomainEventType
	detail int
	at     time.Time
}

// watch keeps one connection for events alive until ctx ends; ready is closed
// when the first one listens.
func (d *Driver) watch(ctx context.Context, ready chan struct{}) {
	pause := watchRetryMin
	for first := true; ctx.Err() == nil; {
		w, err := d.listen(ctx)
		if err != nil {
			d.cfg.Log.WarnContext(ctx, "no events from libvirtd", "uri", d.cfg.URI, "error", err, "retry", pause)
			rest(ctx, pause)
			pause = min(2*pause, watchRetryMax)
			continue
		}
		if first {
			close(ready)
			first = false
		} else {
			d.ring.gap()
		}
		pause = watchRetryMin
		d.follow(ctx, w)
		w.close()
	}
}

func rest(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// listener is a connection that hears of every machine.
type listener struct {
	conn      *virt.Connect
	events    chan rawEvent
	overflow  chan struct{}
	gone      chan struct{}
	callbacks []int
}

// listen connects and registers. Connecting to a hung libvirtd never ends, so
// it is left behind when ctx ends.
func (d *Driver) listen(ctx context.Context) (*listener, error) {
	type answer struct {
		w   *listener
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		w, err := newListener(d.cfg.URI, d.boots)
		answers <- answer{w, err}
	}()
	select {
	case a := <-answers:
		return a.w, a.err
	case <-ctx.Done():
		go func() {
			if a := <-answers; a.err == nil {
				a.w.close()
			}
		}()
		return nil, ctx.Err()
	}
}

func newListener(uri string, boots *bootWaiters) (*listener, error) {
	conn, err := connect(uri)
	if err != nil {
		return nil, err
	}
	w := &listener{
		conn:     conn,
		events:   make(chan rawEvent, watchBacklog),
		overflow: make(chan struct{}, 1),
		gone:     make(chan struct{}, 1),
	}
	if err := w.register(boots); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// register hooks up callbacks. They run on libvirt's thread and must not call
// libvirtd, only read and hand over.
func (w *listener) register(boots *bootWaiters) error {
	err := w.conn.RegisterCloseCallback(func(*virt.Connect, virt.ConnectCloseReason) { poke(w.gone) })
	if err != nil && !isCode(err, virt.ERR_NO_SUPPORT) {
		return err
	}
	id, err := w.conn.DomainEventLifecycleRegister(nil, w.hear)
	if err != nil {
		return err
	}
	w.callbacks = append(w.callbacks, id)
	id, err = w.conn.DomainEventRebootRegister(nil, func(_ *virt.Connect, dom *virt.Domain) {
		if vm, err := dom.GetUUIDString(); err == nil {
			boots.happened(vm)
		}
	})
	if err == nil {
		w.callbacks = append(w.callbacks, id)
	}
	if isCode(err, virt.ERR_NO_SUPPORT) {
		return nil
	}
	return err
}

func (w *listener) hear(_ *virt.Connect, dom *virt.Domain, e *virt.DomainEventLifecycle) {
	vm, err := identity(dom)
	if err != nil {
		poke(w.overflow)
		return
	}
	select {
	case w.events <- rawEvent{vm: vm, event: e.Event, detail: e.Detail, at: time.Now()}:
	default:
		poke(w.overflow)
	}
}

func poke(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// close lets go in the background: a hung libvirtd answers no farewell.
func (w *listener) close() {
	go func() {
		for _, id := range w.callbacks {
			_ = w.conn.DomainEventDeregister(id)
		}
		_ = w.conn.UnregisterCloseCallback()
		disconnect(w.conn)
	}()
}

// follow fills the ring until the connection or ctx ends.
func (d *Driver) follow(ctx context.Context, w *listener) {
	check := time.NewTicker(watchPoll)
	defer check.Stop()
	for {
		select {
		case e := <-w.events:
			d.note(ctx, e)
		case <-w.overflow:
			d.ring.gap()
		case <-check.C:
			if alive, err := w.conn.IsAlive(); err != nil || !alive {
				return
			}
		case <-w.gone:
			return
		case <-ctx.Done():
			return
		}
	}
}

// note puts one event into the ring.
func (d *Driver) note(ctx context.Context, raw rawEvent) {
	h, known := happenings[raw.event]
	if !known {
		return
	}
	e := drivers.VMEvent{State: raw.vm, At: raw.at}
	e.State.Power, e.State.Why = eventPower(raw.event, raw.detail), word(h.words, raw.detail)
	if h.ask {
		power, err := d.ask(ctx, raw.vm.ID)
		var missing *drivers.Error
		switch {
		case errors.As(err, &missing) && missing.Kind == drivers.NotFound:
			e.State.Power, e.Gone = drivers.PowerOff, true
		case err != nil:
			d.ring.gap() // libvirtd does not tell: let the sweep find out
			return
		default:
			e.State.Power = power
		}
	}
	d.ring.push(e)
}

func (d *Driver) ask(ctx context.Context, id string) (drivers.Power, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	s, err := d.state(ctx, "look at "+id, id)
	return s.Power, err
}
