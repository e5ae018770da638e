//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

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
	if err := room(ctx, op, req, filepath.Dir(file)); err != nil {
		return drivers.DiskState{}, err
	}
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
// room to grow.
func room(ctx context.Context, op string, req drivers.ImageSpec, dir string) error {
	need, err := measure(ctx, req.Source, req.Format)
	if err != nil {
		return refused(op, err)
	}
	pool, err := poolState(dir)
	if err != nil {
		return wrap(op, err)
	}
	if left := pool.Available - pool.Capacity/spare; need > left {
		return drivers.Errorf(drivers.NoSpace, op, "the image unpacks to %d bytes, the pool has room for %d", need, max(left, 0))
	}
	return nil
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
