//go:build libvirt_dlopen

package libvirt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aerie/drivers"
)

// markFile holds the id of the pool that a folder is. What is written below an
// absent mount is lost from sight, and what is not seen there is not lost: so
// without the mark nothing is made, missed or deleted.
const markFile = ".aerie-pool"

// marked refuses a known pool whose mark is not there.
func marked(op string, p drivers.Pool) error {
	if !p.Known {
		return nil
	}
	id, err := markOf(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return drivers.Errorf(drivers.Unreachable, op, "%s has no %s of the pool: it is not mounted here", p.Path, markFile)
	case err == nil && id != p.ID:
		return drivers.Errorf(drivers.Unreachable, op, "%s is the folder of pool %s", p.Path, id)
	}
	return wrap(op, err)
}

func markOf(p drivers.Pool) (string, error) {
	b, err := os.ReadFile(filepath.Join(p.Path, markFile))
	return strings.TrimSpace(string(b)), err
}

// putMark makes a new pool's folder known by its id. The folder of another pool is
// taken only when no disk is in it.
func putMark(op string, p drivers.Pool) error {
	id, err := markOf(p)
	if err == nil && id == p.ID {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap(op, err)
	}
	if err == nil {
		disks, err := filepath.Glob(filepath.Join(p.Path, "*"+fileEnding))
		if err != nil {
			return wrap(op, err)
		}
		if len(disks) > 0 {
			return invalid(op, "the folder is that of pool %s and holds disks; if that pool is no more, remove %s", id, filepath.Join(p.Path, markFile))
		}
	}
	tmp, err := tempFor(filepath.Join(p.Path, "pool"))
	if err != nil {
		return wrap(op, err)
	}
	defer os.Remove(tmp)
	if err := os.WriteFile(tmp, []byte(p.ID+"\n"), 0o600); err != nil {
		return wrap(op, err)
	}
	return wrap(op, publish(tmp, filepath.Join(p.Path, markFile)))
}
