//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"syscall"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

// EnsureDisk makes a disk: empty, or a thin clone of an image in its pool. A
// disk that is there grows to the wanted size and never shrinks; a clone is at
// least as large as its image.
func (d *Driver) EnsureDisk(ctx context.Context, req drivers.DiskSpec) (drivers.DiskState, error) {
	op := "make disk " + req.ID
	if err := ready(ctx, op, req.Check()); err != nil {
		return drivers.DiskState{}, err
	}
	give, err := d.pools.take(ctx, req.Pool.Path)
	if err != nil {
		return drivers.DiskState{}, wrap(op, err)
	}
	defer give()
	if err := marked(op, req.Pool); err != nil {
		return drivers.DiskState{}, err
	}
	state, err := diskState(diskFile(req.Pool, req.ID))
	switch {
	case errors.Is(err, fs.ErrNotExist) && !req.Kept:
		state, err = createDisk(ctx, op, req)
	case err == nil && state.Image != req.Image:
		err = invalid(op, "the disk exists and is cloned from %q, not from %q", state.Image, req.Image)
	case err == nil && state.Bytes < req.Bytes:
		state, err = d.grow(ctx, op, state, req.Bytes)
	}
	return state, wrap(op, err)
}

func createDisk(ctx context.Context, op string, req drivers.DiskSpec) (drivers.DiskState, error) {
	bytes := req.Bytes
	args := []string{"create", "-q", "-f", formatQcow2}
	if req.Image != "" {
		base, err := diskState(imageFile(req.Pool, req.Image))
		if err != nil {
			return base, err
		}
		bytes = max(bytes, base.Bytes)
		args = append(args, "-F", formatQcow2, "-b", path.Join(imageDir, req.Image+fileEnding))
	}
	file := diskFile(req.Pool, req.ID)
	tmp, err := tempFor(file)
	if err != nil {
		return drivers.DiskState{}, err
	}
	defer os.Remove(tmp)
	if _, err := qemuImg(ctx, append(args, "--", tmp, strconv.FormatInt(bytes, 10))...); err != nil {
		return drivers.DiskState{}, refused(op, err)
	}
	if err := publish(tmp, file); err != nil {
		return drivers.DiskState{}, err
	}
	return diskState(file)
}

// grow enlarges a disk, by its machine if that runs.
func (d *Driver) grow(ctx context.Context, op string, state drivers.DiskState, bytes int64) (drivers.DiskState, error) {
	_, err := qemuImg(ctx, "resize", "-q", "-f", formatQcow2, "--", state.Path, strconv.FormatInt(bytes, 10))
	if errors.Is(err, errLocked) {
		err = d.growLive(ctx, op, state.Path, bytes)
	}
	if err != nil {
		return state, refused(op, err)
	}
	return diskState(state.Path)
}

func (d *Driver) growLive(ctx context.Context, op, file string, bytes int64) error {
	user, path, err := d.userOf(ctx, op, file)
	if err != nil {
		return err
	}
	if user == "" {
		return drivers.Errorf(drivers.Busy, op, "a machine on another host uses the disk")
	}
	_, err = onDomain(ctx, d, op, user, func(dom *virt.Domain) (drivers.Done, error) {
		return drivers.Done{}, dom.BlockResize(path, uint64(bytes), virt.DOMAIN_BLOCK_RESIZE_BYTES)
	})
	return err
}

// userOf finds the running machine that has the file open, by itself or below
// another disk, and the name it knows it by; all machines in one call.
func (d *Driver) userOf(ctx context.Context, op, file string) (vm, path string, err error) {
	want, err := os.Stat(file)
	if err != nil {
		return "", "", err
	}
	open, err := call(ctx, d.link, op, openFiles)
	for _, f := range open {
		if info, gone := os.Stat(f.path); gone == nil && os.SameFile(info, want) {
			return f.vm, f.path, err
		}
	}
	return "", "", err
}

type openFile struct{ vm, path string }

func openFiles(c *virt.Connect) ([]openFile, error) {
	stats, err := c.GetAllDomainStats(nil, virt.DOMAIN_STATS_BLOCK, virt.CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE|
		virt.CONNECT_GET_ALL_DOMAINS_STATS_BACKING|virt.CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
	if err != nil {
		return nil, err
	}
	defer freeStats(stats)
	var files []openFile
	for _, s := range stats {
		id, err := s.Domain.GetUUIDString()
		if err != nil {
			return nil, err
		}
		for _, b := range s.Block {
			if b.PathSet {
				files = append(files, openFile{vm: id, path: b.Path})
			}
		}
	}
	return files, nil
}

// DeleteDisk removes a disk or an image. One that a disk is cloned from, or that
// a running machine uses, is Busy.
func (d *Driver) DeleteDisk(ctx context.Context, ref drivers.DiskRef) (drivers.Done, error) {
	op := "delete disk " + ref.ID
	if err := ready(ctx, op, ref.Check()); err != nil {
		return drivers.Done{}, err
	}
	give, err := d.pools.take(ctx, ref.Pool.Path)
	if err != nil {
		return drivers.Done{}, wrap(op, err)
	}
	defer give()
	if err := marked(op, ref.Pool); err != nil {
		return drivers.Done{}, err
	}
	for _, file := range []string{diskFile(ref.Pool, ref.ID), imageFile(ref.Pool, ref.ID)} {
		if err := d.remove(ctx, op, ref, file); err != nil {
			return drivers.Done{}, wrap(op, err)
		}
	}
	return drivers.Done{}, nil
}

func (d *Driver) remove(ctx context.Context, op string, ref drivers.DiskRef, file string) error {
	there, err := exists(file)
	if err != nil || !there {
		return err
	}
	clone, err := cloneOf(ref)
	if err != nil {
		return err
	}
	if clone != "" {
		return drivers.Errorf(drivers.Busy, op, "disk %s is cloned from it", clone)
	}
	locked, err := inUse(ctx, file)
	if err != nil {
		return err
	}
	if locked {
		return drivers.Errorf(drivers.Busy, op, "%w", errLocked)
	}
	if vm, _, err := d.userOf(ctx, op, file); err != nil {
		return err
	} else if vm != "" {
		return drivers.Errorf(drivers.Busy, op, "machine %s uses it", vm)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// cloneOf finds a disk of the pool that is backed by the one to be deleted.
func cloneOf(ref drivers.DiskRef) (string, error) {
	entries, err := os.ReadDir(ref.Pool.Path)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		clone, ours := idOf(e.Name())
		if !ours || !e.Type().IsRegular() {
			continue
		}
		head, err := readQcow2File(filepath.Join(ref.Pool.Path, e.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNoQcow2) {
			return "", err // it might be one
		}
		if id, ok := idOf(head.backing); ok && id == ref.ID {
			return clone, nil
		}
	}
	return "", nil
}

// ListDisks names every disk and image in the pool; a pool that is not there
// has none.
func (d *Driver) ListDisks(ctx context.Context, p drivers.Pool) (drivers.DiskList, error) {
	op := "list disks of " + p.Path
	if err := ready(ctx, op, p.Check()); err != nil {
		return drivers.DiskList{}, err
	}
	if err := marked(op, p); err != nil {
		return drivers.DiskList{}, err
	}
	var list drivers.DiskList
	for _, dir := range []string{p.Path, filepath.Join(p.Path, imageDir)} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return list, wrap(op, err)
		}
		for _, e := range entries {
			if _, ours := idOf(e.Name()); !ours || !e.Type().IsRegular() {
				continue
			}
			if ctx.Err() != nil {
				return list, wrap(op, ctx.Err())
			}
			state, err := diskState(filepath.Join(dir, e.Name()))
			switch {
			case err == nil:
				list.Disks = append(list.Disks, state)
			case !errors.Is(err, fs.ErrNotExist): // otherwise deleted meanwhile
				d.cfg.Log.WarnContext(ctx, "unreadable disk", "error", err)
			}
		}
	}
	return list, nil
}

func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return info.Size()
}
