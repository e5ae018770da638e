package infra

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// resourceStates are what updateHost asks for, by CloudStack's verbs and by
// the states they lead to.
var resourceStates = map[string]Allocation{"Enable": Enabled, "Enabled": Enabled, "Disable": Disabled, "Disabled": Disabled}

// UpdateHostRequest changes what may change of a host.
type UpdateHostRequest struct {
	ID         string   `json:"id" ref:"host" required:"true" doc:"the host"`
	Name       string   `json:"name" doc:"name of the host"`
	Allocation string   `json:"allocationstate" enum:"Enable,Disable,Enabled,Disabled" doc:"whether instances may be placed on the host"`
	Tags       []string `json:"hosttags" doc:"tags that sizes can ask for; an empty list takes them away"`
	URL        string   `json:"url" doc:"how to reach the host"`
}

func (s *Service) updateHostCommand() *command.Command {
	return command.New(hostMeta("updateHost", "HOST.EDIT", "Changes a host"), func(ctx context.Context, r UpdateHostRequest) (HostView, error) {
		before, err := find[Host](ctx, s, "id", r.ID)
		if err != nil {
			return HostView{}, err
		}
		set, err := s.hostChanges(before, r)
		if err != nil {
			return HostView{}, err
		}
		if err := change[Host](ctx, s, r.ID, set); err != nil {
			return HostView{}, err
		}
		if r.URL != "" && r.URL != before.URL {
			s.db.AfterCommit(ctx, func() { s.Fleet.Forget(r.ID) })
		}
		after, err := s.hostView(ctx, r.ID)
		command.Changed(ctx, map[string]any{"name": before.Name, "resourcestate": before.ResourceState, "hosttags": before.Tags, "url": before.URL},
			map[string]any{"name": after.Name, "resourcestate": after.ResourceState, "hosttags": after.Tags, "url": or(r.URL, before.URL)})
		return after, err
	})
}

func (s *Service) hostChanges(h Host, r UpdateHostRequest) (map[string]any, error) {
	set := map[string]any{}
	filled(set, "name", r.Name)
	if r.Tags != nil {
		set["tags"] = strings.Join(r.Tags, ",")
	}
	if to := resourceStates[r.Allocation]; to != "" {
		if h.ResourceState != string(Enabled) && h.ResourceState != string(Disabled) {
			return nil, fault.Param("allocationstate", "error.host_resource_state", "name", h.Name, "state", h.ResourceState)
		}
		set["resource_state"] = string(to)
	}
	if r.URL != "" {
		u, err := url.Parse(r.URL)
		if err != nil || !slices.Contains(s.schemes(), u.Scheme) {
			return nil, fault.Param("url", "error.host_scheme", "value", r.URL, "schemes", strings.Join(s.schemes(), ", "))
		}
		set["url"] = r.URL
	}
	return set, nil
}

// DeleteHostRequest names a host to remove.
type DeleteHostRequest struct {
	ID           string `json:"id" ref:"host" required:"true" doc:"the host"`
	Forced       bool   `json:"forced" doc:"true removes the host though it is not disabled first"`
	LocalStorage bool   `json:"forcedestroylocalstorage" doc:"true forgets the pools on the host's own disks with what is on them"`
}

func (s *Service) deleteHostCommand() *command.Command {
	m := hostMeta("deleteHost", "HOST.DELETE", "Removes a host on which nothing runs")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r DeleteHostRequest) (command.Success, error) {
		h, err := find[Host](ctx, s, "id", r.ID)
		if err != nil {
			return command.Success{}, err
		}
		command.About(ctx, event.Resource{Kind: "host", ID: h.ID, Name: h.Name}, store.Owner{})
		if err := s.removable(ctx, h, r); err != nil {
			return command.Success{}, err
		}
		if err := s.forgetLocal(ctx, h.ID); err != nil {
			return command.Success{}, err
		}
		s.db.AfterCommit(ctx, func() { s.Fleet.Forget(h.ID) })
		return command.OK, remove[Host](ctx, s, h.ID)
	})
}

// forgetLocal forgets the pools on a host's own disks.
func (s *Service) forgetLocal(ctx context.Context, hostID string) error {
	q := s.db.In(ctx).Model(&Pool{}).Where("scope = ? AND host_id = ?", "HOST", hostID)
	var ids []string
	if err := q.Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return err
	}
	if err := s.db.In(ctx).Where("id IN ?", ids).Delete(&Pool{}).Error; err != nil {
		return err
	}
	return label.Drop(ctx, s.db, ids...)
}

// removable refuses a host that is at work. What instances and routers claim
// is counted on the host itself.
func (s *Service) removable(ctx context.Context, h Host, r DeleteHostRequest) error {
	if h.UsedMhz > 0 || h.UsedMib > 0 {
		return fault.Param("id", "error.host_used", "name", h.Name, "mib", h.UsedMib)
	}
	if !r.Forced && h.ResourceState == string(Enabled) {
		return fault.Param("id", "error.host_enabled", "name", h.Name)
	}
	if !r.LocalStorage {
		n, err := gorm.G[Pool](s.db.In(ctx)).Where("scope = ? AND host_id = ? AND allocated > 0", "HOST", h.ID).Count(ctx, "id")
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.Param("id", "error.holds.localpools", "name", h.Name, "n", n)
		}
	}
	return s.free(ctx, "host", h.ID, h.Name)
}

// HostRequest names a host.
type HostRequest struct {
	ID string `json:"id" ref:"host" required:"true" doc:"the host"`
}

// reconnect is the state of the saga that asks a host anew.
type reconnect struct{ Host string }

func (s *Service) defineReconnect() {
	job.Define(s.Jobs, "host.reconnect", job.Do("ask", s.askAgain, nil)).Attempts(2)
}

func (s *Service) reconnectHostCommand() *command.Command {
	return command.Async(hostMeta("reconnectHost", "HOST.RECONNECT", "Connects to a host anew"),
		func(ctx context.Context, r HostRequest) (job.Spec, error) {
			h, err := find[Host](ctx, s, "id", r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			command.About(ctx, event.Resource{Kind: "host", ID: h.ID, Name: h.Name}, store.Owner{})
			return job.Spec{Kind: "host.reconnect", Entity: "host/" + h.ID, Object: "Host", ObjectID: h.ID, State: reconnect{h.ID}}, nil
		}, s.hostView)
}

// askAgain drops the way to the host and asks by a new one.
func (s *Service) askAgain(ctx context.Context, r *reconnect) error {
	ctx = store.System(ctx, "reconnect of a host")
	s.Fleet.Forget(r.Host)
	h, err := store.Find[Host](ctx, s.db, r.Host)
	if err != nil {
		return err
	}
	if _, err := s.meet(ctx, h); err != nil {
		return err
	}
	h.State = HostConnecting
	return s.Keeper.Ask(ctx, h)
}
