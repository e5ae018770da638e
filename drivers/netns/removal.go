package netns

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aerie/drivers"
)

// removedDir remembers for a while which generation a removed router had, so
// that a spec that comes late does not bring it back. Its files are as old as
// the removal and go with the next one after an hour.
const removedDir = "removed"

type removal struct {
	ID         string
	Generation int64
}

// removed is the generation in which the router was removed, 0 if none is known.
func (r router) removed() (int64, error) {
	text, err := os.ReadFile(r.grave)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var was removal
	if json.Unmarshal(text, &was) != nil || was.ID != r.id { // cut short by a crash, or another's
		return 0, nil
	}
	return was.Generation, nil
}

// bury remembers a removal, before it happens.
func (d *Driver) bury(r router, generation int64) error {
	d.clearGraves(time.Now().Add(-drivers.RouterMemory))
	was, err := r.removed()
	if err != nil || generation <= was {
		return err
	}
	text, err := json.Marshal(removal{r.id, generation})
	if err != nil {
		return err
	}
	return replaceFile(r.grave, text)
}

// exhume forgets a removal: the router comes back.
func (r router) exhume() error {
	if err := os.Remove(r.grave); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// clearGraves forgets removals of long ago. What cannot be removed now is
// removed another time.
func (d *Driver) clearGraves(before time.Time) {
	dir := filepath.Join(d.dir, removedDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		d.log.Warn("read removals", "error", err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
