package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// space is an open network namespace.
type space struct{ fd netns.NsHandle }

const spaceDir = "/run/netns"

// ownSpace opens the namespace of this process.
func ownSpace() (space, error) {
	fd, err := netns.GetFromPath("/proc/thread-self/ns/net")
	return space{fd}, err
}

// openSpace opens a named namespace.
func openSpace(name string) (space, error) {
	if !isSpace(name) {
		return space{}, fmt.Errorf("network namespace %s: %w", name, fs.ErrNotExist)
	}
	fd, err := netns.GetFromName(name)
	if err != nil {
		return space{}, fmt.Errorf("network namespace %s: %w", name, err)
	}
	return space{fd}, nil
}

// isSpace tells whether the name is a namespace and not a left-over file.
func isSpace(name string) bool {
	var st unix.Statfs_t
	return unix.Statfs(filepath.Join(spaceDir, name), &st) == nil && st.Type == unix.NSFS_MAGIC
}

// ensureSpace opens a named namespace and makes it if it is not there.
func (d *Driver) ensureSpace(name string) (s space, made bool, err error) {
	if isSpace(name) {
		s, err = openSpace(name)
		return s, false, err
	}
	if err := removeSpace(name); err != nil {
		return s, false, err
	}
	err = d.host.do(func() (err error) {
		s.fd, err = netns.NewNamed(name)
		return err
	})
	if err != nil {
		return s, false, errors.Join(fmt.Errorf("make network namespace %s: %w", name, err), removeSpace(name))
	}
	return s, true, nil
}

// removeSpace takes the name away; the namespace ends with its last user.
func removeSpace(name string) error {
	path := filepath.Join(spaceDir, name)
	for isSpace(name) {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// close is for spaces that were opened to be read: it has nothing to lose.
func (s *space) close() { _ = s.fd.Close() }

// do runs f on a thread that is inside the namespace. The thread is f's own
// and ends when it cannot go back home, so that no other code ever runs there.
func (s space) do(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- s.visit(f) }()
	return <-done
}

func (s space) visit(f func() error) error {
	runtime.LockOSThread() // not unlocked on failure: the thread ends with its goroutine
	home, err := netns.Get()
	if err != nil {
		return fmt.Errorf("own network namespace: %w", err)
	}
	defer (&space{home}).close()
	if err := netns.Set(s.fd); err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	err = f()
	if back := netns.Set(home); back != nil {
		return errors.Join(err, fmt.Errorf("leave network namespace: %w", back))
	}
	runtime.UnlockOSThread()
	return err
}

// netlink opens a netlink handle of the namespace.
func (s space) netlink() (h *netlink.Handle, err error) {
	err = s.do(func() (err error) {
		h, err = netlink.NewHandle(unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	return h, nil
}

// id identifies the namespace as long as anybody uses it.
func (s space) id() uint64 {
	var st unix.Stat_t
	if unix.Fstat(int(s.fd), &st) != nil {
		return 0
	}
	return st.Ino
}

// sysctls writes kernel settings of the namespace, by path below /proc/sys.
func (s space) sysctls(settings map[string]string) error {
	return s.do(func() error {
		for name, value := range settings {
			if err := writeSysctl(name, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeSysctl leaves alone what is right already.
func writeSysctl(name, value string) error {
	path := filepath.Join("/proc/sys", name)
	if was, err := os.ReadFile(path); err == nil && string(was) == value+"\n" {
		return nil
	}
	return os.WriteFile(path, []byte(value), 0)
}
