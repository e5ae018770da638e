//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"aerie/drivers"
)

// EnsureImage copies a template into the pool. The copy is always uncompressed
// qcow2: converting costs once per pool what inflating would cost every clone
// at every first read of a cluster, and it leaves behind snapshots and
// whatever else a stranger's file carries. Files that refer to other files are
// refused.
func (d *Driver) EnsureImage(ctx context.Context, req drivers.ImageSpec) (drivers.DiskState, error) {
	op := "copy image " + req.ID
	if err := ready(ctx, op, req.Check()); err != nil {
		return drivers.DiskState{}, err
	}
	if err := marked(op, req.Pool); err != nil {
		return drivers.DiskState{}, err
	}
	file := imageFile(req.Pool, req.ID)
	if state, err := diskState(file); err == nil {
		return state, nil
	}
	if _, err := os.Stat(req.Source); err != nil {
		return drivers.DiskState{}, wrap(op, err)
	}
	source, err := inspect(ctx, req.Source, req.Format)
	if err != nil {
		return drivers.DiskState{}, refused(op, err)
	}
	if err := source.alone(); err != nil {
		return drivers.DiskState{}, refused(op, err)
	}
	release, err := d.room(ctx, op, req, filepath.Dir(file))
	if err != nil {
		return drivers.DiskState{}, err
	}
	defer release()
	if err := convert(ctx, req, file); err != nil {
		return drivers.DiskState{}, wrap(op, err)
	}
	state, err := diskState(file)
	return state, wrap(op, err)
}

// spare is the part of a pool that unpacking an image leaves free.
const spare = 20

// room refuses an image that would fill the pool: a small compressed file may
// unpack to more than there is, and the disks of running machines would find no
// room to grow. Until release, others reckon with it.
func (d *Driver) room(ctx context.Context, op string, req drivers.ImageSpec, dir string) (release func(), err error) {
	need, err := measure(ctx, req.Source, req.Format)
	if err != nil {
		return nil, refused(op, err)
	}
	pool, err := poolState(dir)
	if err != nil {
		return nil, wrap(op, err)
	}
	left, ok := d.unpacking.add(dir, need, pool.Available-pool.Capacity/spare)
	if !ok {
		return nil, drivers.Errorf(drivers.NoSpace, op, "the image unpacks to %d bytes, the pool has room for %d", need, max(left, 0))
	}
	return func() { d.unpacking.drop(dir, need) }, nil
}

// promises are the bytes that images being unpacked may still take of their
// pools. What they have taken already counts twice: better one image too few.
type promises struct {
	mu    sync.Mutex
	bytes map[string]int64 // by folder
}

// add promises n bytes where there is room for them beside the others, and
// returns how much room there was.
func (p *promises) add(dir string, n, free int64) (left int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left = free - p.bytes[dir]
	if n > left {
		return left, false
	}
	if p.bytes == nil {
		p.bytes = map[string]int64{}
	}
	p.bytes[dir] += n
	return left, true
}

func (p *promises) drop(dir string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes[dir] -= n; p.bytes[dir] == 0 {
		delete(p.bytes, dir)
	}
}

// convert works on a temporary file; two at once make the same image twice.
func convert(ctx context.Context, req drivers.ImageSpec, file string) error {
	tmp, err := tempFor(file)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	_, err = qemuImg(ctx, "convert", "-f", req.Format, "-O", formatQcow2, "-W", "--", req.Source, tmp)
	if err != nil {
		return err
	}
	made, err := inspect(ctx, tmp, formatQcow2)
	if err == nil {
		err = made.alone()
	}
	if err == nil {
		err = os.Chmod(tmp, 0o644) // QEMU reads it where libvirt may not change owners, as on NFS
	}
	if err != nil {
		return err
	}
	return publish(tmp, file)
}

// diskState reads a disk or an image from its file.
func diskState(file string) (drivers.DiskState, error) {
	info, err := os.Stat(file)
	if err != nil {
		return drivers.DiskState{}, err
	}
	head, err := readQcow2File(file)
	if err != nil {
		return drivers.DiskState{}, err
	}
	id, _ := idOf(file)
	return drivers.DiskState{ID: id, Path: file, Bytes: head.bytes, Allocated: allocated(info), Image: head.image()}, nil
}

func exists(file string) (bool, error) {
	_, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
