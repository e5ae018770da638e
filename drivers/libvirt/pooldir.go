package libvirt

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

const (
	aerieDir = "/var/lib/aerie"
	qemuConf = "/etc/libvirt/qemu.conf"
)

// PoolDir returns preferred when the emulator's user can get there, otherwise a
// folder of its own below /var/lib/aerie: a clone may live under /root or in a
// folder of mktemp, which QEMU cannot enter.
func PoolDir(preferred string) (string, error) {
	abs, err := filepath.Abs(preferred)
	if err != nil {
		return "", fmt.Errorf("pool folder %q: %w", preferred, err)
	}
	who, err := emulatorUser(qemuConf)
	if err != nil {
		return "", err
	}
	if who.blockedAt(abs) == "" {
		return abs, nil
	}
	return shortDir(abs), nil
}

// shortDir is a folder that belongs to path and that everybody can get to.
func shortDir(path string) string {
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(aerieDir, fmt.Sprintf("%x", sum[:4]))
}

// account is a system user as the kernel checks it.
type account struct {
	name   string
	uid    uint32
	groups []uint32 // the primary group first
}

var userLine = regexp.MustCompile(`^\s*user\s*=\s*"\+?([^"]+)"`)

// emulatorUser is whom libvirtd runs QEMU as: the user in qemu.conf, otherwise
// the distribution's own, otherwise root.
func emulatorUser(conf string) (account, error) {
	names := []string{"libvirt-qemu", "qemu", "root"}
	if name := configuredUser(conf); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			u, err = user.LookupId(name)
		}
		if err == nil {
			return newAccount(u)
		}
	}
	return account{}, fmt.Errorf("the emulator's user %q does not exist", names[0])
}

func configuredUser(conf string) (name string) {
	f, err := os.Open(conf)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if m := userLine.FindStringSubmatch(lines.Text()); m != nil {
			name = m[1] // the last one counts
		}
	}
	return name
}

func newAccount(u *user.User) (account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	a := account{name: u.Username, uid: uint32(uid)}
	ids, err := u.GroupIds()
	if err != nil {
		return account{}, fmt.Errorf("groups of %s: %w", u.Username, err)
	}
	for _, id := range append([]string{u.Gid}, ids...) {
		if gid, err := strconv.ParseUint(id, 10, 32); err == nil {
			a.groups = append(a.groups, uint32(gid))
		}
	}
	return a, nil
}

// blockedAt returns the first folder on the way to path, path included, that
// the user may not enter; folders that do not exist yet do not count.
func (a account) blockedAt(path string) string {
	if a.uid == 0 {
		return ""
	}
	if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
		if at := a.blockedAt(real); at != "" {
			return at
		}
	}
	var at string
	if parent := filepath.Dir(path); parent != path {
		at = a.blockedAt(parent)
	}
	info, err := os.Stat(path)
	if at != "" || err != nil || a.mayEnter(info) || a.entersByACL(path) {
		return at
	}
	return path
}

// mayEnter reads the mode bits as the kernel does: the first class that
// applies decides.
func (a account) mayEnter(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	if st.Uid == a.uid {
		return st.Mode&0o100 != 0
	}
	for _, gid := range a.groups {
		if st.Gid == gid {
			return st.Mode&0o010 != 0
		}
	}
	return st.Mode&0o001 != 0
}

// entersByACL asks the kernel itself, by a program run as the user: an access
// list may allow what the mode bits refuse.
func (a account) entersByACL(path string) bool {
	if os.Geteuid() != 0 || len(a.groups) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "test", "-x", path)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{
		Uid: a.uid, Gid: a.groups[0], Groups: a.groups,
	}}
	return cmd.Run() == nil
}
