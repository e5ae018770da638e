//go:build libvirt_dlopen

package libvirt

import (
	"sync"

	virt "libvirt.org/go/libvirt"
)

// loop is libvirt's event loop, of which a process can have only one. It runs
// while any connection is open: keepalive and events need it.
var loop eventLoop

type eventLoop struct {
	mu         sync.Mutex
	registered bool
	users      int
	stop       chan struct{}
	done       chan struct{} // closed when the last run has ended
}

// join keeps the loop running until leave. It must come before connecting.
func (l *eventLoop) join() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.registered {
		if err := virt.EventRegisterDefaultImpl(); err != nil {
			return err
		}
		l.registered = true
	}
	if l.users++; l.users == 1 {
		before := l.done
		l.stop, l.done = make(chan struct{}), make(chan struct{})
		go run(before, l.stop, l.done)
	}
	return nil
}

func (l *eventLoop) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users == 0 {
		close(l.stop)
		wakeLoop()
	}
}

func run(before <-chan struct{}, stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	if before != nil {
		<-before
	}
	for {
		select {
		case <-stop:
			return
		default:
		}
		if virt.EventRunDefaultImpl() != nil {
			return // poll itself failed: the next connection finds no keepalive, calls keep their deadlines
		}
	}
}

// wakeLoop makes the running poll return once.
func wakeLoop() {
	fired := make(chan int, 1)
	id, err := virt.EventAddTimeout(0, func(int) {
		select {
		case timer := <-fired:
			_ = virt.EventRemoveTimeout(timer)
		default:
		}
	})
	if err == nil {
		fired <- id
	}
}
