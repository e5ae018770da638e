package compute

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/store"
)

// ListAffinityRequest asks for affinity groups.
type ListAffinityRequest struct {
	command.Paging
	command.Scope
	ID   string `json:"id" ref:"affinitygroup" doc:"the group"`
	Name string `json:"name" doc:"name of the group, as a whole"`
	Type string `json:"type" doc:"type of the group"`
	VMID string `json:"virtualmachineid" ref:"virtualmachine" doc:"groups of the instance"`
}

func (s *Service) listAffinityCommand() *command.Command {
	return command.New(affinityMeta("listAffinityGroups", "", "Lists affinity groups"),
		func(ctx context.Context, r ListAffinityRequest) (out command.List[AffinityView], err error) {
			id := r.ID
			if r.VMID != "" {
				id = r.VMID
			}
			q, err := r.Apply(ctx, s.db.In(ctx).Model(&AffinityGroup{}), id)
			if err != nil {
				return out, err
			}
			q = command.Named(command.Named(command.Equal(q, "id", r.ID), "name", r.Name), "type", r.Type)
			if r.VMID != "" {
				q = q.Where("id IN (?)", s.db.In(ctx).Model(&Member{}).Where("vm_id = ?", r.VMID).Select("group_id"))
			}
			list, n, err := command.Rows[AffinityGroup](r.Search(q, "name", "description"), r.Paging, "name, id")
			if err != nil {
				return out, err
			}
			views, err := s.affinityViews(ctx, list)
			return command.List[AffinityView]{Count: n, Items: views}, err
		})
}

// AffinityType is a type of affinity groups.
type AffinityType struct {
	Type string `json:"type"`
}

func (s *Service) listAffinityTypesCommand() *command.Command {
	m := command.Meta{Name: "listAffinityGroupTypes", Object: "affinityGroupType", Roles: command.Everyone, Doc: "Lists the types of affinity groups"}
	return command.New(m, func(_ context.Context, r command.Paging) (out command.List[AffinityType], _ error) {
		for _, t := range AffinityTypes {
			if strings.Contains(t, strings.ToLower(r.Keyword)) {
				out.Items = append(out.Items, AffinityType{t})
			}
		}
		out.Count = len(out.Items)
		from := min(r.Offset(), out.Count)
		to := out.Count
		if n := r.Limit(); n >= 0 {
			to = min(from+n, out.Count)
		}
		out.Items = out.Items[from:to]
		return out, nil
	})
}

// affinitiesOf are the groups of instances, by instance.
func (s *Service) affinitiesOf(ctx context.Context, vms []VM) (map[string][]AffinityView, error) {
	out := map[string][]AffinityView{}
	var ids []string
	for _, vm := range vms {
		if vm.Bonded {
			ids = append(ids, vm.ID)
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	ctx = store.System(ctx, "groups of instances that the actor sees")
	var members []Member
	if err := s.db.In(ctx).Where("vm_id IN ?", ids).Find(&members).Error; err != nil || len(members) == 0 {
		return out, err
	}
	var groupIDs []string
	for _, m := range members {
		groupIDs = append(groupIDs, m.GroupID)
	}
	var groups []AffinityGroup
	if err := s.db.In(ctx).Where("id IN ?", groupIDs).Order("name").Find(&groups).Error; err != nil {
		return out, err
	}
	views, err := s.affinityViews(ctx, groups)
	for _, v := range views {
		for _, id := range v.VMs {
			out[id] = append(out[id], v)
		}
	}
	return out, err
}
