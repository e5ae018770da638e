package image

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/store"
)

// PrepareRequest asks that a template be brought to primary storage before the
// first instance needs it.
type PrepareRequest struct {
	TemplateID string `json:"templateid" ref:"template" required:"true" doc:"the template"`
	ZoneID     string `json:"zoneid" ref:"zone" required:"true" doc:"the zone"`
	StorageID  string `json:"storageid" ref:"storagepool" doc:"only this pool"`
}

// preparation is the state of the saga that brings a template to pools.
type preparation struct {
	Template string
	Pools    []string
}

func (s *Service) prepareCommand() *command.Command {
	m := meta("prepareTemplate", "TEMPLATE.PREPARE", "Brings a template to primary storage")
	m.Roles = command.Admin
	return command.New(m, s.prepare)
}

func (s *Service) prepare(ctx context.Context, r PrepareRequest) (View, error) {
	t, err := store.Find[Template](ctx, s.db, r.TemplateID)
	if err != nil {
		return View{}, fault.Absent("templateid", r.TemplateID)
	}
	if _, err := s.ReadyCopy(ctx, t.ID, r.ZoneID); err != nil {
		return View{}, err
	}
	q := gorm.G[infra.Pool](s.db.In(ctx)).Where("zone_id = ? AND state = ?", r.ZoneID, "Up")
	if r.StorageID != "" {
		q = q.Where("id = ?", r.StorageID)
	}
	pools, err := q.Find(ctx)
	if err != nil {
		return View{}, err
	}
	p := preparation{Template: t.ID}
	for _, pool := range pools {
		p.Pools = append(p.Pools, pool.ID)
	}
	_, err = s.parts.Jobs.Submit(ctx, job.Spec{
		Kind: "template.prepare", Entity: "template/" + t.ID, Object: "Template", ObjectID: t.ID,
		Owner: t.Owner(), State: p,
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, t.ID)
}

func (s *Service) definePrepare() {
	job.Define(s.parts.Jobs, "template.prepare", job.Do("pools", func(ctx context.Context, p *preparation) error {
		for _, id := range p.Pools {
			pool, err := store.Find[infra.Pool](ctx, s.db, id)
			if err != nil {
				return err
			}
			hosts, err := infra.HostsOf(ctx, s.db, pool)
			if err != nil || len(hosts) == 0 {
				return err
			}
			if err := s.EnsureBase(ctx, p.Template, pool, hosts[0].ID); err != nil {
				return err
			}
		}
		return nil
	}, nil))
}
