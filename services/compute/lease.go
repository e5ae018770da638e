package compute

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// day is what leases are counted in.
const day = 24 * time.Hour

// lease is when an instance ends by itself, and how.
type lease struct {
	Days   int
	Action string
	Ends   *time.Time
}

// leaseFrom reads a request over what the size says: -1 days are none.
func (s *Service) leaseFrom(days *int, action string, o lease) (lease, error) {
	if days != nil {
		o.Days = *days
	}
	if action != "" {
		if o.Days <= 0 {
			return lease{}, fault.Param("leaseexpiryaction", "error.lease_action", "other", "leaseduration")
		}
		o.Action = action
	}
	if o.Days <= 0 {
		return lease{}, nil
	}
	if o.Action == "" {
		o.Action = LeaseStop
	}
	o.Ends = new(s.db.Now().Add(time.Duration(o.Days) * day))
	return o, nil
}

// EndLeases stops or destroys the instances whose lease is over, except what a
// job is busy with: its turn comes when this runs again.
func (s *Service) EndLeases(ctx context.Context) error {
	ctx = store.System(ctx, "end leases that are over")
	now := s.db.Now()
	vms, err := gorm.G[VM](s.db.In(ctx)).
		Where("lease_ends <= ? AND (lease_action = ? AND state = ? OR lease_action = ? AND state IN ? AND delete_protection = ?)",
			now, LeaseStop, Running, LeaseDestroy, []State{Running, Stopped, Paused}, false).
		Order("lease_ends").Limit(100).Find(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, vm := range vms {
		if vm.LeaseAction == LeaseDestroy {
			all = errors.Join(all, s.submit(ctx, vm, "VM.LEASE.EXPIRED", s.leaseOver(s.DestroyJob)))
			continue
		}
		all = errors.Join(all, s.submit(ctx, vm, "VM.LEASE.EXPIRED", s.leaseOver(s.StopJob)))
	}
	return all
}

// leaseOver ends an instance and its lease, which ends it once: who starts it
// again has it without one.
func (s *Service) leaseOver(end func(context.Context, *VM, bool) (job.Spec, error)) func(context.Context, *VM) (job.Spec, error) {
	return func(ctx context.Context, vm *VM) (job.Spec, error) {
		if err := s.db.In(ctx).Model(&VM{}).Where("id = ?", vm.ID).UpdateColumn("lease_ends", nil).Error; err != nil {
			return job.Spec{}, err
		}
		return end(ctx, vm, false)
	}
}
