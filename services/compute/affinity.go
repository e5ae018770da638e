package compute

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/placement"
	"aerie/services/store"
)

// The types of affinity groups.
const (
	Together       = "host affinity"
	Apart          = "host anti-affinity"
	TogetherIfCan  = "non-strict host affinity"
	ApartIfCan     = "non-strict host anti-affinity"
	affinityChoice = Together + ", " + Apart + ", " + TogetherIfCan + ", " + ApartIfCan
)

// AffinityTypes are all types of affinity groups, in the order of lists.
var AffinityTypes = []string{Together, Apart, TogetherIfCan, ApartIfCan}

// AffinityGroup says that its members share a host, or that none do.
type AffinityGroup struct {
	store.Row
	store.Owned
	Name        string
	Type        string
	Description string
}

// Bond is the group as placement takes it.
func (a AffinityGroup) Bond() placement.Bond {
	return placement.Bond{
		Group: a.ID, Name: a.Name, Apart: strings.HasSuffix(a.Type, "anti-affinity"), Strict: !strings.HasPrefix(a.Type, "non-strict"),
	}
}

// Member is an instance in an affinity group.
type Member struct {
	GroupID string `gorm:"primaryKey"`
	VMID    string `gorm:"primaryKey;column:vm_id"`
}

// TableName is the members' table.
func (Member) TableName() string { return "affinity_members" }

// AffinityView is an affinity group as commands return it.
type AffinityView struct {
	ID string `json:"id"`
	Held
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Description string   `json:"description"`
	VMs         []string `json:"virtualmachineIds"`
	Dedicated   []string `json:"dedicatedresources"`
}

func affinityMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "affinitygroup", Event: event, Roles: command.Everyone, Doc: doc}
}

// affinityViews makes the views of many groups: a constant number of queries.
func (s *Service) affinityViews(ctx context.Context, list []AffinityGroup) ([]AffinityView, error) {
	var of []store.Owner
	var ids []string
	for _, a := range list {
		of, ids = append(of, a.Owner()), append(ids, a.ID)
	}
	owners, err := s.IAM.Owners(ctx, of)
	if err != nil {
		return nil, err
	}
	var members []Member
	g := s.db.In(ctx)
	err = g.Where("group_id IN ? AND vm_id IN (?)", ids, g.Model(&VM{}).Select("id")).Order("vm_id").Find(&members).Error
	in := map[string][]string{}
	for _, m := range members {
		in[m.GroupID] = append(in[m.GroupID], m.VMID)
	}
	out := make([]AffinityView, len(list))
	for i, a := range list {
		out[i] = AffinityView{
			ID: a.ID, Held: Held{Belongs: owners(a.Owner())}, Name: a.Name, Type: a.Type, Description: a.Description,
			VMs: append([]string{}, in[a.ID]...), Dedicated: []string{},
		}
	}
	return out, err
}

func (s *Service) affinityView(ctx context.Context, id string) (AffinityView, error) {
	a, err := store.Find[AffinityGroup](ctx, s.db, id)
	if err != nil {
		return AffinityView{}, err
	}
	views, err := s.affinityViews(ctx, []AffinityGroup{a})
	if err != nil {
		return AffinityView{}, err
	}
	return views[0], nil
}

// written is the state of the saga of commands that are jobs by their contract
// though rows are all they change, which is done when the job is accepted.
type written struct{ ID string }

func (s *Service) defineWritten() {
	job.Define(s.Jobs, "compute.written", job.Commit("written", func(context.Context, *written) error { return nil }, nil))
}

// CreateAffinityRequest is a new affinity group.
type CreateAffinityRequest struct {
	command.Owner
	Name        string `json:"name" required:"true" doc:"name of the group"`
	Type        string `json:"type" required:"true" enum:"host affinity,host anti-affinity,non-strict host affinity,non-strict host anti-affinity" doc:"whether its instances share a host"`
	Description string `json:"description" max:"4096" doc:"description of the group"`
}

func (s *Service) createAffinityCommand() *command.Command {
	m := affinityMeta("createAffinityGroup", "AFFINITY.GROUP.CREATE", "Makes an affinity group")
	m.Create = true
	return command.Async(m, func(ctx context.Context, r CreateAffinityRequest) (job.Spec, error) {
		ctx, err := r.Resolve(ctx)
		if err != nil {
			return job.Spec{}, err
		}
		actor, _ := store.From(ctx)
		a := AffinityGroup{Row: store.Row{ID: s.db.NewID()}, Owned: store.Owned(actor.Target()), Name: r.Name, Type: r.Type, Description: r.Description}
		if err := s.addNamed(ctx, &a, r.Name); err != nil {
			return job.Spec{}, err
		}
		return job.Spec{Kind: "compute.written", Object: "AffinityGroup", ObjectID: a.ID, Owner: a.Owner(), State: written{a.ID}}, nil
	}, s.affinityView)
}

// DeleteAffinityRequest names an affinity group, by its id or its name.
type DeleteAffinityRequest struct {
	command.Owner
	ID   string `json:"id" ref:"affinitygroup" doc:"the group"`
	Name string `json:"name" doc:"name of the group, instead of its id"`
}

func (s *Service) deleteAffinityCommand() *command.Command {
	m := affinityMeta("deleteAffinityGroup", "AFFINITY.GROUP.DELETE", "Removes an affinity group; its instances stay where they are")
	m.Object = ""
	return command.Async[DeleteAffinityRequest, command.Success](m, func(ctx context.Context, r DeleteAffinityRequest) (job.Spec, error) {
		a, err := s.namedAffinity(ctx, r)
		if err != nil {
			return job.Spec{}, err
		}
		if _, err := gorm.G[Member](s.db.In(ctx)).Where("group_id = ?", a.ID).Delete(ctx); err != nil {
			return job.Spec{}, err
		}
		if err := placement.Disband(ctx, s.db.In(ctx), a.ID); err != nil {
			return job.Spec{}, err
		}
		err = s.db.In(ctx).Unscoped().Where("id = ?", a.ID).Delete(&AffinityGroup{}).Error
		return job.Spec{Kind: "compute.written", Object: "AffinityGroup", ObjectID: a.ID, Owner: a.Owner(), State: written{a.ID}}, err
	}, nil)
}

func (s *Service) namedAffinity(ctx context.Context, r DeleteAffinityRequest) (AffinityGroup, error) {
	ctx, err := r.Resolve(ctx)
	if err != nil {
		return AffinityGroup{}, err
	}
	switch {
	case r.ID != "":
		a, err := store.Find[AffinityGroup](ctx, s.db, r.ID)
		return a, named(err, "id", r.ID)
	case r.Name == "":
		return AffinityGroup{}, fault.Param("id", "error.required", "command", "deleteaffinitygroup")
	}
	actor, _ := store.From(ctx)
	list, err := s.affinities(ctx, actor.Target(), "name", []string{r.Name})
	return first(list), err
}

// affinities finds an owner's groups by their ids or names, each of which must
// be there.
func (s *Service) affinities(ctx context.Context, o store.Owner, by string, values []string) ([]AffinityGroup, error) {
	if len(values) == 0 {
		return nil, nil
	}
	list, err := gorm.G[AffinityGroup](s.db.In(ctx)).Where(by+" IN ? AND account_id = ?", values, o.AccountID).Order("id").Find(ctx) // by is id or name
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, a := range list {
		found[strings.ToLower(a.Name)], found[a.ID] = true, true
	}
	for _, v := range values {
		if !found[strings.ToLower(v)] {
			return nil, fault.Absent(map[string]string{"id": "affinitygroupids", "name": "affinitygroupnames"}[by], v)
		}
	}
	return list, nil
}

// chosenAffinities are the groups that a request names by ids or by names.
func (s *Service) chosenAffinities(ctx context.Context, o store.Owner, ids, names []string) ([]AffinityGroup, error) {
	if len(ids) > 0 && len(names) > 0 {
		return nil, fault.Param("affinitygroupnames", "error.ids_and_names", "other", "affinitygroupids")
	}
	if len(names) > 0 {
		return s.affinities(ctx, o, "name", names)
	}
	return s.affinities(ctx, o, "id", ids)
}

// bind makes an instance a member of these groups and of no others.
func (s *Service) bind(ctx context.Context, vmID string, groups []AffinityGroup) error {
	g := s.db.In(ctx)
	if _, err := gorm.G[Member](g).Where("vm_id = ?", vmID).Delete(ctx); err != nil {
		return err
	}
	for _, a := range groups {
		// Held, so that a group that is being removed is not joined.
		if _, err := store.Hold[AffinityGroup](ctx, s.db, a.ID); err != nil {
			return err
		}
		if err := gorm.G[Member](g).Create(ctx, &Member{GroupID: a.ID, VMID: vmID}); err != nil {
			return err
		}
	}
	return nil
}

// bonds are the groups of an instance, as placement takes them.
func (s *Service) bonds(ctx context.Context, vm *VM) (out []placement.Bond, err error) {
	if !vm.Bonded {
		return nil, nil
	}
	g := s.db.In(ctx)
	groups, err := gorm.G[AffinityGroup](g).Where("id IN (?)", g.Model(&Member{}).Where("vm_id = ?", vm.ID).Select("group_id")).Order("id").Find(ctx)
	for _, a := range groups {
		out = append(out, a.Bond())
	}
	return out, err
}
