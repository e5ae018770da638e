//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"aerie/drivers"
)

// A pool is a folder with disks as <uuid>.qcow2 and images as
// images/<uuid>.qcow2. A disk names its image by a relative path, so that the
// pool may move or be mounted elsewhere. Dot files are half-made.
const (
	imageDir   = "images"
	fileEnding = ".qcow2"
	tempEnding = ".tmp"
	tempLife   = 24 * time.Hour // what is older was left by a crash
)

func diskFile(p drivers.Pool, id string) string { return filepath.Join(p.Path, id+fileEnding) }

func imageFile(p drivers.Pool, id string) string {
	return filepath.Join(p.Path, imageDir, id+fileEnding)
}

// idOf is the UUID in a file's name.
func idOf(file string) (string, bool) {
	id, ok := strings.CutSuffix(filepath.Base(file), fileEnding)
	return id, ok && drivers.IsUUID(id)
}

// EnsurePool makes the folder, or finds the mounted one, marks it as this
// pool's and checks that QEMU can get there. Folders of type SharedMountPoint
// and NetworkFilesystem are mounted by the administrator and never made.
func (d *Driver) EnsurePool(ctx context.Context, p drivers.Pool) (drivers.PoolState, error) {
	op := "prepare pool " + p.Path
	if err := ready(ctx, op, p.Check()); err != nil {
		return drivers.PoolState{}, err
	}
	if err := marked(op, p); err != nil {
		return drivers.PoolState{}, err
	}
	if err := makePool(op, p); err != nil {
		return drivers.PoolState{}, err
	}
	if err := putMark(op, p); err != nil {
		return drivers.PoolState{}, err
	}
	if err := reachable(op, filepath.Join(p.Path, imageDir)); err != nil { //nolint:contextcheck // asks the kernel, two seconds at most
		return drivers.PoolState{}, err
	}
	if err := writable(p.Path); err != nil {
		return drivers.PoolState{}, wrap(op, err)
	}
	sweepTemps(p.Path)
	sweepTemps(filepath.Join(p.Path, imageDir))
	state, err := poolState(p.Path)
	return state, wrap(op, err)
}

func makePool(op string, p drivers.Pool) error {
	switch p.Type {
	case drivers.PoolLocal:
	case drivers.PoolMount, drivers.PoolNFS:
		if info, err := os.Stat(p.Path); err != nil || !info.IsDir() {
			return drivers.Errorf(drivers.NotFound, op, "%s is not mounted here", p.Path)
		}
	default:
		return drivers.Errorf(drivers.Unsupported, op, "pools of type %q", p.Type)
	}
	err := os.MkdirAll(filepath.Join(p.Path, imageDir), 0o711)
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrExist) {
		return invalid(op, "%w", err)
	}
	return wrap(op, err)
}

func reachable(op, dir string) error {
	who, err := emulatorUser(qemuConf)
	if err != nil {
		return wrap(op, err)
	}
	if at := who.blockedAt(dir); at != "" {
		return invalid(op, "QEMU runs as %s, which may not enter %s: allow it (chmod o+x, or setfacl -m u:%s:x) or choose another folder",
			who.name, at, who.name)
	}
	return nil
}

func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".write-*"+tempEnding)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func sweepTemps(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		old := err == nil && time.Since(info.ModTime()) > tempLife
		if old && strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), tempEnding) {
			_ = os.Remove(filepath.Join(dir, e.Name())) // the next sweep tries again
		}
	}
}

func poolState(dir string) (drivers.PoolState, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return drivers.PoolState{}, err
	}
	block := int64(fs.Bsize)
	return drivers.PoolState{
		Capacity:  int64(fs.Blocks) * block,
		Used:      int64(fs.Blocks-fs.Bfree) * block,
		Available: int64(fs.Bavail) * block,
	}, nil
}

// ready refuses a wrong request and a request whose time is over.
func ready(ctx context.Context, op string, wrong error) error {
	if wrong != nil {
		return wrong
	}
	return wrap(op, ctx.Err())
}

// holds gives a pool's files to one change at a time, so that an image is not
// deleted while a disk is cloned from it.
type holds struct {
	mu    sync.Mutex
	pools map[string]chan struct{}
}

func newHolds() *holds { return &holds{pools: map[string]chan struct{}{}} }

// take returns the function that gives the pool back.
func (h *holds) take(ctx context.Context, pool string) (func(), error) {
	h.mu.Lock()
	turn, ok := h.pools[pool]
	if !ok {
		turn = make(chan struct{}, 1)
		h.pools[pool] = turn
	}
	h.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// publish gives a finished temporary file its name, so that it is there whole
// or not at all.
func publish(tmp, file string) error {
	f, err := os.Open(tmp)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// tempFor makes an empty private file beside the wanted one.
func tempFor(file string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*"+tempEnding)
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}
