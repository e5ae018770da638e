package audit

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aerie/services/compute"
	"aerie/services/image"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
)

// overdueJobs: a job that is due is taken by a server. One that waits for its
// next try, or for a dead server's lease, is not due yet.
func overdueJobs(ctx context.Context, l *look) ([]Finding, error) {
	now := l.DB.Now()
	rows, err := gorm.G[job.Row](l.DB.In(ctx)).Select("id", "kind", "entity", "status", "due_at", "worker").
		Where("live = ? AND due_at < ?", true, now.Add(-l.Overdue).UnixMilli()).Order("id").Limit(1000).Find(ctx)
	var out list
	for _, r := range rows {
		late := now.Sub(time.UnixMilli(r.DueAt)).Round(time.Second)
		out.add("job", "job/"+r.ID, "%s of %s is %s and due for %v, but no server takes it", r.Kind, r.Entity, r.Status, late)
	}
	return out, err
}

// transitions: what is on its way somewhere has a job that takes it there.
func transitions(ctx context.Context, l *look) ([]Finding, error) {
	var out list
	for id, vm := range l.vms {
		switch vm.State {
		case compute.Starting, compute.Stopping, compute.Expunging:
			if !l.live[vm.Entity()] {
				out.add("transition", "virtualmachine/"+id, "%s is %s, and no job is at it", vm.InstanceName, vm.State)
			}
		default: // stays as it is
		}
	}
	for id, n := range l.nets {
		switch n.State {
		case network.Implementing, network.Shutdown, network.Destroy:
			if !l.busy[id] {
				out.add("transition", "network/"+id, "network %s is %s, and no job is at it", n.Name, n.State)
			}
		default: // stays as it is
		}
	}
	if err := l.volumesOnTheirWay(ctx, &out); err != nil {
		return out, err
	}
	err := l.copiesOnTheirWay(ctx, &out)
	return out, err
}

func (l *look) volumesOnTheirWay(ctx context.Context, out *list) error {
	vols, err := gorm.G[storage.Volume](l.DB.In(ctx)).Where("state IN ?", []storage.State{storage.Creating, storage.Expunging}).Find(ctx)
	for _, v := range vols {
		if !l.volumeLive(v) {
			out.add("transition", "volume/"+v.ID, "volume %s is %s, and no job is at it", v.Name, v.State)
		}
	}
	return err
}

func (l *look) copiesOnTheirWay(ctx context.Context, out *list) error {
	copies, err := gorm.G[image.Copy](l.DB.In(ctx)).Where("state IN ?", []image.CopyState{image.Downloading, image.Deleting}).Find(ctx)
	for _, c := range copies {
		if !l.live["template/"+c.ID] && !l.live["template/"+c.TemplateID] {
			out.add("transition", "templatecopy/"+c.ID, "a copy of template %s is %s, and no job is at it", c.TemplateID, c.State)
		}
	}
	return err
}
