package netns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"aerie/drivers"
)

// process is a running dnsmasq, held so that its number cannot become another
// process's meanwhile.
type process struct {
	pid int
	fd  int
}

// dnsmasqOf finds the router's dnsmasq; nil is none. The file with its number
// may be old, so the process itself must show that it is the one.
func (r router) dnsmasqOf(ns space) (*process, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, pidFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 2 {
		return nil, nil
	}
	return r.openProcess(ns, pid)
}

func (r router) openProcess(ns space, pid int) (*process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.EINVAL) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dnsmasq %d: %w", pid, err)
	}
	p := &process{pid, fd}
	if !p.runs(filepath.Join(r.dir, confFile)) || ns.fd > 0 && spaceOf(pid) != ns.id() {
		p.close()
		return nil, nil
	}
	return p, nil
}

// runs tells whether the process is a dnsmasq with this configuration. One
// that has ended and was not buried yet has no command line.
func (p *process) runs(conf string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
	if err != nil {
		return false
	}
	args := bytes.Split(line, []byte{0})
	return len(args) > 1 && filepath.Base(string(args[0])) == "dnsmasq" && string(args[1]) == "--conf-file="+conf
}

// spaceOf is the network namespace of a process, see space.id.
func spaceOf(pid int) uint64 {
	var st unix.Stat_t
	if unix.Stat(fmt.Sprintf("/proc/%d/ns/net", pid), &st) != nil {
		return 0
	}
	return st.Ino
}

func (p *process) close() {
	if p != nil {
		_ = unix.Close(p.fd)
	}
}

func (p *process) signal(s syscall.Signal) error {
	if err := unix.PidfdSendSignal(p.fd, s, nil, 0); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %d: %w", p.pid, err)
	}
	return nil
}

// end asks the process to end and waits until it is gone. Killed at once it
// might lose leases, for it writes their file in place.
func (p *process) end(ctx context.Context) error {
	for _, try := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, 2 * time.Second}, {syscall.SIGKILL, patience}} {
		if err := p.signal(try.signal); err != nil {
			return err
		}
		if gone, err := p.wait(ctx, try.wait); gone || err != nil {
			return err
		}
	}
	return drivers.Errorf(drivers.Busy, "end dnsmasq", "process %d does not end", p.pid)
}

// wait waits for the process to end.
func (p *process) wait(ctx context.Context, most time.Duration) (gone bool, err error) {
	for until := time.Now().Add(most); time.Now().Before(until); {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, 100)
		if n > 0 || err != nil && !errors.Is(err, syscall.EINTR) {
			return n > 0, err
		}
	}
	return false, nil
}

// endStrays ends a dnsmasq that is not in the router's namespace, for somebody
// has deleted that, or whose number was lost.
func (r router) endStrays(ctx context.Context) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if !(&process{pid: pid}).runs(filepath.Join(r.dir, confFile)) {
			continue
		}
		p, err := r.openProcess(space{}, pid)
		if p == nil || err != nil {
			continue
		}
		err = p.end(ctx)
		p.close()
		if err != nil {
			return err
		}
	}
	return nil
}
