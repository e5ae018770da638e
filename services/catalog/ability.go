package catalog

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/store"
)

// AbilityView is what a hypervisor is able to do, as commands return it. A limit
// that there is none of is left out.
type AbilityView struct {
	ID                 string `json:"id" doc:"the row"`
	Hypervisor         string `json:"hypervisor" doc:"the hypervisor"`
	Version            string `json:"hypervisorversion" doc:"its version"`
	MaxGuests          int64  `json:"maxguestslimit,omitempty" doc:"most instances on a host"`
	MaxDataVolumes     int    `json:"maxdatavolumeslimit,omitempty" doc:"most data disks of an instance"`
	MaxHostsPerCluster int    `json:"maxhostspercluster,omitempty" doc:"most hosts in a cluster"`
	SecurityGroups     bool   `json:"securitygroupenabled" doc:"whether it filters for security groups"`
	StorageMotion      bool   `json:"storagemotionenabled" doc:"whether disks move while instances run"`
	VMSnapshots        bool   `json:"vmsnapshotenabled" doc:"whether it takes snapshots of instances"`
}

func (a Ability) view() AbilityView {
	return AbilityView{
		ID: a.ID, Hypervisor: a.Hypervisor, Version: a.HypervisorVersion, MaxGuests: a.MaxGuests, MaxDataVolumes: a.MaxDataVolumes,
		MaxHostsPerCluster: a.MaxHostsPerCluster, SecurityGroups: a.SecurityGroups, StorageMotion: a.StorageMotion, VMSnapshots: a.VMSnapshots,
	}
}

// ListAbilitiesRequest asks what hypervisors are able to do.
type ListAbilitiesRequest struct {
	command.Paging
	ID         string `json:"id" ref:"hypervisorcapabilities" doc:"the row"`
	Hypervisor string `json:"hypervisor" doc:"the hypervisor"`
}

func (s *Service) listAbilitiesCommand() *command.Command {
	return command.New(command.Meta{
		Name: "listHypervisorCapabilities", Object: "hypervisorCapabilities", Roles: command.Admin, Doc: "Lists what hypervisors are able to do",
	}, s.ListAbilities)
}

// ListAbilities returns a page of what hypervisors are able to do.
func (s *Service) ListAbilities(ctx context.Context, r ListAbilitiesRequest) (out command.List[AbilityView], err error) {
	q := command.Named(command.Equal(s.db.In(ctx).Model(&Ability{}), "id", r.ID), "hypervisor", r.Hypervisor)
	rows, n, err := command.Rows[Ability](r.Search(q, "hypervisor", "hypervisor_version"), r.Paging, "hypervisor, hypervisor_version, id")
	return command.ListOf(rows, n, Ability.view), err
}

// UpdateAbilitiesRequest changes what a hypervisor is taken to be able to do.
type UpdateAbilitiesRequest struct {
	ID                 string `json:"id" ref:"hypervisorcapabilities" doc:"the row; or give hypervisor and hypervisorversion"`
	Hypervisor         string `json:"hypervisor" doc:"the hypervisor, with hypervisorversion"`
	Version            string `json:"hypervisorversion" doc:"its version"`
	MaxGuests          *int64 `json:"maxguestslimit" range:"0..1000000" doc:"most instances on a host; 0 for no limit"`
	MaxDataVolumes     *int   `json:"maxdatavolumeslimit" range:"0..1024" doc:"most data disks of an instance; 0 for no limit"`
	MaxHostsPerCluster *int   `json:"maxhostspercluster" range:"0..1000000" doc:"most hosts in a cluster; 0 for no limit"`
	SecurityGroups     *bool  `json:"securitygroupenabled" doc:"not supported by any hypervisor of this cloud"`
	StorageMotion      *bool  `json:"storagemotionenabled" doc:"whether disks move while instances run"`
	VMSnapshots        *bool  `json:"vmsnapshotenabled" doc:"whether snapshots of instances may be taken"`
}

func (s *Service) updateAbilitiesCommand() *command.Command {
	return command.New(command.Meta{
		Name: "updateHypervisorCapabilities", Object: "hypervisorcapabilities", Event: "HYPERVISOR.CAPABILITIES.UPDATE", Roles: command.Admin,
		Doc: "Changes what a hypervisor is taken to be able to do",
	}, s.updateAbilities)
}

func (s *Service) updateAbilities(ctx context.Context, r UpdateAbilitiesRequest) (AbilityView, error) {
	a, err := s.ability(ctx, r)
	if err != nil {
		return AbilityView{}, err
	}
	if r.SecurityGroups != nil && *r.SecurityGroups && !a.SecurityGroups {
		return AbilityView{}, fault.Param("securitygroupenabled", "error.not_yet")
	}
	before := a.audit()
	put(&a.MaxGuests, r.MaxGuests)
	put(&a.MaxDataVolumes, r.MaxDataVolumes)
	put(&a.MaxHostsPerCluster, r.MaxHostsPerCluster)
	put(&a.StorageMotion, r.StorageMotion)
	put(&a.VMSnapshots, r.VMSnapshots)
	put(&a.SecurityGroups, r.SecurityGroups)
	command.About(ctx, event.Resource{Kind: "hypervisorcapabilities", ID: a.ID, Name: a.Hypervisor}, store.Owner{})
	command.Changed(ctx, before, a.audit())
	return a.view(), s.db.In(ctx).Model(&Ability{}).Where("id = ?", a.ID).Updates(a.audit()).Error
}

func put[T any](into *T, v *T) {
	if v != nil {
		*into = *v
	}
}

func (s *Service) ability(ctx context.Context, r UpdateAbilitiesRequest) (Ability, error) {
	switch {
	case r.ID != "":
		return store.Hold[Ability](ctx, s.db, r.ID)
	case r.Hypervisor == "":
		return Ability{}, fault.Param("id", "error.required")
	}
	a, err := s.known(ctx, r.Hypervisor, r.Version)
	if err != nil {
		return a, err
	}
	return store.Hold[Ability](ctx, s.db, a.ID)
}

// audit is what may change, by its columns.
func (a Ability) audit() map[string]any {
	return map[string]any{
		"max_guests": a.MaxGuests, "max_data_volumes": a.MaxDataVolumes, "max_hosts_per_cluster": a.MaxHostsPerCluster,
		"security_groups": a.SecurityGroups, "storage_motion": a.StorageMotion, "vm_snapshots": a.VMSnapshots,
	}
}

// defaultVersion is the row that stands for every version without one.
const defaultVersion = "default"

// Of is what a hypervisor is able to do: the row of its version, or the one that
// stands for all. One that has no row has no limits.
func Of(ctx context.Context, db *store.DB, hypervisor, version string) (Ability, error) {
	rows, err := gorm.G[Ability](db.In(ctx)).Where("hypervisor = ? AND hypervisor_version IN ?", hypervisor, []string{version, defaultVersion}).Find(ctx)
	out := Ability{Hypervisor: hypervisor}
	for _, a := range rows {
		if out.ID == "" || a.HypervisorVersion == version {
			out = a
		}
	}
	return out, err
}

func itoa(n int) string { return strconv.Itoa(n) }
