package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"aerie/services/job"
)

// A download is written beside the file's final name, each attempt to a part
// of its own: a worker that was stalled and the one that took its job over
// never write the same file. Parts sort in the order of their attempts, for
// jobs' ids begin with their time and each claim of a job has a higher epoch.

const partEnd = ".part"

// part names the file of the attempt that ctx's step belongs to.
func part(ctx context.Context, path string) string {
	id, epoch := "", int64(0)
	if i := job.From(ctx); i != nil {
		id, epoch = i.ID, i.Epoch
	}
	return fmt.Sprintf("%s.%s-%010d%s", path, id, epoch, partEnd)
}

// IsPart tells a file that holds a download of path, or what is left of it.
func IsPart(path, file string) bool {
	return strings.HasPrefix(file, path+".") && strings.HasSuffix(file, partEnd)
}

// dropParts removes the parts of path up to a name, or all without one: what
// comes after it belongs to a worker that has taken over.
func dropParts(path, last string) error {
	dir, err := os.ReadDir(filepath.Dir(path))
	if err := gone(err); err != nil {
		return err
	}
	for _, e := range dir {
		file := filepath.Join(filepath.Dir(path), e.Name())
		if !IsPart(path, file) || last != "" && file > last {
			continue
		}
		if err := gone(os.Remove(file)); err != nil {
			return err
		}
	}
	return nil
}
