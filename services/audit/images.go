package audit

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gorm.io/gorm"

	"aerie/services/image"
	"aerie/services/infra"
)

// simulated is the hypervisor whose hosts only pretend to read image files.
const simulated = "Simulator"

// templateFiles: every copy that is Ready has its file, in its size.
func templateFiles(ctx context.Context, l *look) ([]Finding, error) {
	g := l.DB.In(ctx)
	copies, err := gorm.G[image.Copy](g).Where("state = ? AND template_id IN (?)", image.Ready,
		g.Model(&image.Template{}).Where("hypervisor <> ?", simulated).Select("id")).Find(ctx)
	var out list
	for _, c := range copies {
		info, err := os.Stat(c.Path)
		switch {
		case err != nil:
			out.add("template-file", "templatecopy/"+c.ID, "template %s has lost its file: %v", c.TemplateID, err)
		case c.FileBytes > 0 && info.Size() != c.FileBytes:
			out.add("template-file", "templatecopy/"+c.ID, "%s of template %s has %d bytes instead of %d", c.Path, c.TemplateID, info.Size(), c.FileBytes)
		}
	}
	return out, err
}

// strayFiles: every file in an image store is a copy's. Hidden files are the
// administrator's own business.
func strayFiles(ctx context.Context, l *look) ([]Finding, error) {
	stores, err := gorm.G[infra.ImageStore](l.DB.In(ctx)).Find(ctx)
	if err != nil {
		return nil, err
	}
	var out list
	for _, s := range stores {
		entries, err := os.ReadDir(s.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // what should be in it is missed by templateFiles
		}
		if err != nil {
			return out, err
		}
		known, coming, err := l.filesOf(ctx, s)
		if err != nil {
			return out, err
		}
		for _, e := range entries {
			path := filepath.Join(s.Path, e.Name())
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") && !known[path] && !partOf(coming, path) {
				out.add("stray-file", "imagestore/"+s.ID+"/"+e.Name(), "%s in the image store %s is no template's", path, s.Name)
			}
		}
	}
	return out, nil
}

// filesOf is the files that a store may hold, and those of them that are on
// their way: such a copy has no path in its row yet.
func (l *look) filesOf(ctx context.Context, s infra.ImageStore) (known map[string]bool, coming []string, err error) {
	copies, err := gorm.G[image.Copy](l.DB.In(ctx)).Where("store_id = ?", s.ID).Find(ctx)
	known = map[string]bool{}
	for _, c := range copies {
		known[c.Path] = true
		if c.State != image.Ready {
			path := filepath.Join(s.Path, c.TemplateID+".img")
			known[path], coming = true, append(coming, path)
		}
	}
	return known, coming, err
}

func partOf(coming []string, file string) bool {
	return slices.ContainsFunc(coming, func(path string) bool { return image.IsPart(path, file) })
}
