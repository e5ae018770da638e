package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/guard"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/state"
	"aerie/services/store"
)

// CopyEvent moves a copy.
type CopyEvent string

// The events of a copy.
const (
	Arrived CopyEvent = "arrived"
	Failed  CopyEvent = "failed"
	Again   CopyEvent = "again"
	Drop    CopyEvent = "drop"
)

// CopyStates is the life of a copy.
var CopyStates = state.Machine[CopyState, CopyEvent]{
	Downloading: {Arrived: Ready, Failed: FailedCopy, Drop: Deleting, Again: Downloading},
	Ready:       {Drop: Deleting, Failed: FailedCopy}, // a download that was cancelled at its last moment
	FailedCopy:  {Again: Downloading, Drop: Deleting, Failed: FailedCopy},
	Deleting:    {Drop: Deleting},
}

// download is the state of the saga that brings a template.
type download struct {
	Copy           string
	Path           string // of the file
	Part           string // of the attempt that brought all of it
	Bytes, Virtual int64
}

func (s *Service) defineDownload() {
	job.Define(s.parts.Jobs, "template.download",
		job.Commit("begin", s.begin, s.notArrived),
		job.Do("download", s.fetch, s.dropPart),
		job.Do("verify", s.verify, s.dropFile),
		job.Commit("ready", s.arrived, s.notReady)).Timeout(deadline).Retryable()
}

func (s *Service) copyOf(ctx context.Context, id string) (Copy, Template, infra.ImageStore, error) {
	c, err := gorm.G[Copy](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	if err != nil {
		return c, Template{}, infra.ImageStore{}, err
	}
	t, err := store.Find[Template](ctx, s.db, c.TemplateID)
	if err != nil {
		return c, t, infra.ImageStore{}, err
	}
	secondary, err := store.Find[infra.ImageStore](ctx, s.db, c.StoreID)
	return c, t, secondary, err
}

// fileOf is where a template's copy lies.
func fileOf(t Template, s infra.ImageStore) string { return filepath.Join(s.Path, t.ID+".img") }

// begin takes a copy that failed before to another try.
func (s *Service) begin(ctx context.Context, d *download) error {
	c, t, secondary, err := s.copyOf(ctx, d.Copy)
	if err != nil {
		return err
	}
	d.Path = fileOf(t, secondary) // noted before there is a file
	return state.Move(ctx, s.db, &c, CopyStates, Again, map[string]any{"percent": 0, "why": ""})
}

// fetch downloads beside the final name. Doing it again begins anew, without
// what earlier attempts have left.
func (s *Service) fetch(ctx context.Context, d *download) error {
	c, t, _, err := s.copyOf(ctx, d.Copy)
	if err != nil {
		return err
	}
	file := part(ctx, d.Path)
	if err := dropParts(d.Path, file); err != nil {
		return err
	}
	f := fetcher{Guard: guard.Guard{Allowed: guard.ParseAllowed(s.parts.Settings.allowed.Get(ctx))}, most: int64(s.parts.Settings.maxSize.Get(ctx)) << 30, stall: patience}
	told := s.db.Now()
	d.Bytes, err = f.get(ctx, t.URL, file, func(done, total int64) {
		if now := s.db.Now(); total > 0 && now.Sub(told) >= 2*time.Second {
			told = now
			s.tell(ctx, c.ID, int(done*100/total))
		}
	})
	if err != nil {
		_ = os.Remove(file) // who was taken over is not asked to undo
		return err
	}
	d.Part = file
	return nil
}

// tell notes the progress; that it cannot is no reason to stop.
func (s *Service) tell(ctx context.Context, copyID string, percent int) {
	_ = s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := gorm.G[Copy](s.db.In(ctx)).Where("id = ?", copyID).Update(ctx, "percent", percent)
		return err
	})
}

func (s *Service) dropPart(ctx context.Context, d *download) error {
	if d.Path == "" {
		return nil
	}
	return dropParts(d.Path, part(ctx, d.Path))
}

func (s *Service) dropFile(_ context.Context, d *download) error { return gone(os.Remove(d.Path)) }

func gone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// verify checks the file and gives it its name. After a crash the file may
// have it already.
func (s *Service) verify(ctx context.Context, d *download) error {
	_, t, _, err := s.copyOf(ctx, d.Copy)
	if err != nil {
		return err
	}
	path := d.Part
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		path = d.Path
	}
	if err := checkSum(path, t.Checksum); err != nil {
		return err
	}
	if d.Virtual, err = inspect(path, t.Format); err != nil {
		return err
	}
	if path == d.Path {
		return nil
	}
	return os.Rename(path, d.Path)
}

func (s *Service) arrived(ctx context.Context, d *download) error {
	c, t, _, err := s.copyOf(ctx, d.Copy)
	if err != nil || c.State == Ready {
		return err
	}
	// The first zone's copy counts.
	first, err := gorm.G[Template](s.db.In(ctx)).Where("id = ? AND file_bytes = 0", t.ID).Select("bytes", "file_bytes").
		Updates(ctx, Template{Bytes: d.Virtual, FileBytes: d.Bytes})
	if err != nil {
		return err
	}
	if first == 1 {
		if err := s.parts.IAM.ReserveAll(ctx, t.Owner(), iam.Amounts{iam.SecondaryStorage: d.Bytes}); err != nil {
			return err
		}
	}
	return state.Move(ctx, s.db, &c, CopyStates, Arrived, map[string]any{"percent": 100, "path": d.Path, "file_bytes": d.Bytes, "why": ""})
}

// notReady takes back what arrived did; its file is dropped next.
func (s *Service) notReady(ctx context.Context, d *download) error {
	c, t, _, err := s.copyOf(ctx, d.Copy)
	if store.IsAbsent(err) || err == nil && c.State != Ready {
		return nil
	}
	if err != nil {
		return err
	}
	if err := state.Move(ctx, s.db, &c, CopyStates, Failed, map[string]any{"percent": 0, "path": ""}); err != nil {
		return err
	}
	left, err := gorm.G[Copy](s.db.In(ctx)).Where("template_id = ? AND state = ?", t.ID, Ready).Count(ctx, "id")
	if err != nil || left > 0 {
		return err
	}
	if err := s.parts.IAM.ReleaseAll(ctx, t.Owner(), iam.Amounts{iam.SecondaryStorage: t.FileBytes}); err != nil {
		return err
	}
	_, err = gorm.G[Template](s.db.In(ctx)).Where("id = ?", t.ID).Select("bytes", "file_bytes").Updates(ctx, Template{})
	return err
}

// notArrived leaves the copy as failed, with the job that says why.
func (s *Service) notArrived(ctx context.Context, d *download) error {
	c, err := gorm.G[Copy](s.db.In(ctx)).Where("id = ?", d.Copy).Take(ctx)
	if store.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.State != Downloading { // another download has made it, or it is being deleted
		return nil
	}
	err = state.Move(ctx, s.db, &c, CopyStates, Failed)
	if fault.Is(err, fault.Conflict) { // it is being deleted
		return nil
	}
	return err
}
