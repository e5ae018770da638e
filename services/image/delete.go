package image

import (
	"context"
	"errors"
	"fmt"
	"os"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/state"
	"aerie/services/store"
)

// DeleteRequest names a template to delete.
type DeleteRequest struct {
	ID     string `json:"id" ref:"template" required:"true" doc:"the template"`
	ZoneID string `json:"zoneid" ref:"zone" doc:"only the copy of this zone"`
	Forced bool   `json:"forced" doc:"accepted for compatibility: instances keep what they were made of in any case"`
}

// removal is the state of the saga that deletes a template.
type removal struct {
	Template string
	Copies   []string
}

func (s *Service) deleteCommand() *command.Command {
	m := meta("deleteTemplate", "TEMPLATE.DELETE", "Deletes a template; instances that were made from it stay")
	m.Object = ""
	return command.Async[DeleteRequest, command.Success](m, s.remove, nil)
}

func (s *Service) remove(ctx context.Context, r DeleteRequest) (job.Spec, error) {
	t, err := store.Find[Template](ctx, s.db, r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	actor, _ := store.From(ctx)
	if !actor.Sees(t.Owner()) { // public ones are visible, not one's own
		return job.Spec{}, fault.Absent("id", r.ID)
	}
	command.About(ctx, event.Resource{Kind: "template", ID: t.ID, Name: t.Name}, t.Owner())
	return s.deleteJob(ctx, t, r.ZoneID)
}

// deleteJob takes a template's copies, those of one zone or all, out of use and
// says which job does the rest. It belongs in the transaction that submits it.
func (s *Service) deleteJob(ctx context.Context, t Template, zoneID string) (job.Spec, error) {
	q := gorm.G[Copy](s.db.In(ctx)).Where("template_id = ?", t.ID)
	if zoneID != "" {
		q = q.Where("zone_id = ?", zoneID)
	}
	copies, err := q.Find(ctx)
	if err != nil {
		return job.Spec{}, err
	}
	d := removal{Template: t.ID}
	for i := range copies {
		busy, err := s.parts.Jobs.LiveOn(ctx, "template/"+copies[i].ID)
		if err != nil {
			return job.Spec{}, err
		}
		if busy != nil {
			return job.Spec{}, fault.New(fault.Conflict, "error.template_busy", "name", t.Name)
		}
		if err := state.Move(ctx, s.db, &copies[i], CopyStates, Drop); err != nil {
			return job.Spec{}, err
		}
		d.Copies = append(d.Copies, copies[i].ID)
	}
	return job.Spec{Kind: "template.delete", Entity: "template/" + t.ID, Object: "Template", ObjectID: t.ID, Owner: t.Owner(), State: d}, nil
}

func (s *Service) defineDelete() {
	job.Define(s.parts.Jobs, "template.delete",
		job.Do("files", s.deleteFiles, nil),
		job.Do("bases", func(ctx context.Context, d *removal) error { return s.dropBases(ctx, d.Template) }, nil),
		job.Commit("forget", s.forget, nil)).Forward()
}

func (s *Service) deleteFiles(ctx context.Context, d *removal) error {
	copies, err := gorm.G[Copy](s.db.In(ctx)).Where("id IN ?", d.Copies).Find(ctx)
	if err != nil {
		return err
	}
	for _, c := range copies {
		if err := s.deleteFile(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// deleteFile removes a copy's file and what downloads of it have left.
func (s *Service) deleteFile(ctx context.Context, c Copy) error {
	path := c.Path
	if path == "" {
		_, t, secondary, err := s.copyOf(ctx, c.ID)
		if store.IsAbsent(err) {
			return nil
		}
		if err != nil {
			return err
		}
		path = fileOf(t, secondary)
	}
	if err := gone(os.Remove(path)); err != nil {
		return err
	}
	return dropParts(path, "")
}

// dropBases removes the template from primary pools; where disks are cloned
// from it, it stays until CollectBases finds it unused.
func (s *Service) dropBases(ctx context.Context, templateID string) error {
	bases, err := gorm.G[Base](s.db.In(ctx)).Where("template_id = ?", templateID).Find(ctx)
	if err != nil {
		return err
	}
	for _, b := range bases {
		if err := s.dropBase(ctx, b); err != nil && drivers.KindOf(err) != drivers.Busy {
			return err
		}
	}
	return nil
}

func (s *Service) dropBase(ctx context.Context, b Base) error {
	pool, err := store.Find[infra.Pool](ctx, s.db, b.PoolID)
	if store.IsAbsent(err) {
		return s.forgetBase(ctx, b)
	}
	if err != nil {
		return err
	}
	d, err := s.diskHost(ctx, pool)
	if err != nil {
		return err
	}
	if _, err := d.DeleteDisk(ctx, drivers.DiskRef{ID: b.TemplateID, Pool: pool.DiskPool()}); err != nil {
		return fmt.Errorf("base of %s in %s: %w", b.TemplateID, pool.Name, err)
	}
	return s.forgetBase(ctx, b)
}

func (s *Service) forgetBase(ctx context.Context, b Base) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := gorm.G[Base](s.db.In(ctx)).Where("template_id = ? AND pool_id = ?", b.TemplateID, b.PoolID).Delete(ctx)
		return err
	})
}

// diskHost is a host that is up and reaches the pool.
func (s *Service) diskHost(ctx context.Context, p infra.Pool) (drivers.DiskHost, error) {
	hosts, err := infra.HostsOf(ctx, s.db, p)
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		return nil, fault.New(fault.Unavailable, "error.no_host_for_pool", "pool", p.Name)
	}
	return infra.Ability[drivers.DiskHost](ctx, s.fleet, hosts[0].ID)
}

func (s *Service) forget(ctx context.Context, d *removal) error {
	if _, err := gorm.G[Copy](s.db.In(ctx)).Where("id IN ?", d.Copies).Delete(ctx); err != nil {
		return err
	}
	left, err := gorm.G[Copy](s.db.In(ctx)).Where("template_id = ?", d.Template).Count(ctx, "id")
	if err != nil || left > 0 {
		return err
	}
	t, err := store.Find[Template](ctx, s.db, d.Template)
	if store.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if t.Type == "USER" {
		if err := s.parts.IAM.ReleaseAll(ctx, t.Owner(), iam.Amounts{iam.Templates: 1, iam.SecondaryStorage: t.FileBytes}); err != nil {
			return err
		}
	}
	if err := label.Drop(ctx, s.db, t.ID); err != nil {
		return err
	}
	return s.db.In(ctx).Delete(&t).Error
}

// CollectBases removes bases of deleted templates that no disk is cloned from
// any more.
func (s *Service) CollectBases(ctx context.Context) error {
	ctx = store.System(ctx, "bases nobody needs")
	g := s.db.In(ctx)
	bases, err := gorm.G[Base](g).Where("template_id NOT IN (?)", g.Model(&Template{}).Select("id")).Limit(100).Find(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, b := range bases {
		if err := s.dropBase(ctx, b); err != nil && drivers.KindOf(err) != drivers.Busy {
			all = errors.Join(all, err)
		}
	}
	return all
}
