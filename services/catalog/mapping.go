package catalog

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// MappingView is what a hypervisor calls a guest operating system, as commands
// return it.
type MappingView struct {
	ID          string `json:"id" doc:"the mapping"`
	Hypervisor  string `json:"hypervisor" doc:"the hypervisor"`
	Version     string `json:"hypervisorversion" doc:"its version"`
	TypeID      string `json:"ostypeid" doc:"the operating system"`
	DisplayName string `json:"osdisplayname" doc:"the name that people see"`
	Name        string `json:"osnameforhypervisor" doc:"what the hypervisor calls it"`
	UserDefined bool   `json:"isuserdefined,string" doc:"whether an operator added it"`
}

// ListMappingsRequest asks for mappings.
type ListMappingsRequest struct {
	command.Paging
	ID          string `json:"id" ref:"guestosmapping" doc:"the mapping"`
	Hypervisor  string `json:"hypervisor" doc:"those of the hypervisor"`
	Version     string `json:"hypervisorversion" doc:"those of the hypervisor's version; with hypervisor"`
	TypeID      string `json:"ostypeid" ref:"ostype" doc:"those of the operating system"`
	DisplayName string `json:"osdisplayname" doc:"the name that people see"`
	Name        string `json:"osnameforhypervisor" doc:"what the hypervisor calls it"`
}

func (s *Service) listMappingsCommand() *command.Command {
	return command.New(command.Meta{Name: "listGuestOsMapping", Object: "guestosmapping", Roles: command.Admin, Doc: "Lists what hypervisors call guest operating systems"}, s.ListMappings)
}

// ListMappings returns a page of mappings.
func (s *Service) ListMappings(ctx context.Context, r ListMappingsRequest) (out command.List[MappingView], err error) {
	if r.Version != "" && r.Hypervisor == "" {
		return out, fault.Param("hypervisor", "error.required")
	}
	q := command.Equal(command.Equal(s.db.In(ctx).Model(&Mapping{}), "id", r.ID), "guest_os_id", r.TypeID)
	q = command.Named(command.Named(q, "hypervisor", r.Hypervisor), "hypervisor_version", r.Version)
	q = command.Named(q, "name", r.Name)
	if r.DisplayName != "" {
		q = q.Where("guest_os_id IN (?)", command.Named(s.db.In(ctx).Model(&Type{}), "display_name", r.DisplayName).Select("id"))
	}
	rows, n, err := command.Rows[Mapping](r.Search(q, "name", "hypervisor"), r.Paging, "hypervisor, hypervisor_version, name, id")
	if err != nil {
		return out, err
	}
	views, err := s.mappingViews(ctx, rows)
	return command.List[MappingView]{Count: n, Items: views}, err
}

func (s *Service) mappingViews(ctx context.Context, rows []Mapping) ([]MappingView, error) {
	var ids []string
	for _, m := range rows {
		ids = append(ids, m.GuestOSID)
	}
	names, err := store.NamesOf(ctx, s.db, NamesOf(ids))
	out := make([]MappingView, len(rows))
	for i, m := range rows {
		out[i] = MappingView{
			ID: m.ID, Hypervisor: m.Hypervisor, Version: m.HypervisorVersion, TypeID: m.GuestOSID, DisplayName: names[m.GuestOSID],
			Name: m.Name, UserDefined: m.UserDefined,
		}
	}
	return out, err
}

func (s *Service) mappingView(ctx context.Context, id string) (MappingView, error) {
	m, err := store.Find[Mapping](ctx, s.db, id)
	if err != nil {
		return MappingView{}, err
	}
	views, err := s.mappingViews(ctx, []Mapping{m})
	if err != nil {
		return MappingView{}, err
	}
	return views[0], nil
}

func mappingMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "guestosmapping", Event: event, Roles: command.Admin, Doc: doc}
}

// checked is the wish to ask a hypervisor whether it knows a name. Those that
// Aerie drives start any guest whatever it is called, so none can be asked.
type checked struct {
	Check bool `json:"osmappingcheckenabled" doc:"true asks a host for the name, which no hypervisor of this cloud can answer"`
}

func (c checked) check() error {
	if c.Check {
		return fault.Param("osmappingcheckenabled", "error.os_unchecked")
	}
	return nil
}

// AddMappingRequest is a new mapping.
type AddMappingRequest struct {
	checked
	Hypervisor  string `json:"hypervisor" required:"true" doc:"the hypervisor"`
	Version     string `json:"hypervisorversion" required:"true" doc:"its version, as listHypervisorCapabilities has it"`
	Name        string `json:"osnameforhypervisor" required:"true" doc:"what the hypervisor calls it"`
	TypeID      string `json:"ostypeid" ref:"ostype" doc:"the operating system; or give osdisplayname"`
	DisplayName string `json:"osdisplayname" doc:"the operating system by its name; or give ostypeid"`
	Forced      bool   `json:"forced" doc:"true replaces a mapping that an operator added"`
}

func (s *Service) addMappingCommand() *command.Command {
	return command.Async(mappingMeta("addGuestOsMapping", "GUEST.OS.MAPPING.ADD", "Says what a hypervisor calls a guest operating system"), s.addMapping, s.mappingView)
}

func (s *Service) addMapping(ctx context.Context, r AddMappingRequest) (job.Spec, error) {
	if err := r.check(); err != nil {
		return job.Spec{}, err
	}
	a, err := s.known(ctx, r.Hypervisor, r.Version)
	if err != nil {
		return job.Spec{}, err
	}
	t, err := s.named(ctx, r)
	if err != nil {
		return job.Spec{}, err
	}
	old, err := gorm.G[Mapping](s.db.In(ctx)).Where("guest_os_id = ? AND hypervisor = ? AND hypervisor_version = ?", t.ID, a.Hypervisor, a.HypervisorVersion).Find(ctx)
	if err != nil {
		return job.Spec{}, err
	}
	if len(old) > 0 {
		if !r.Forced || !old[0].UserDefined {
			return job.Spec{}, fault.Param("osnameforhypervisor", "error.os_mapped", "name", t.DisplayName, "value", old[0].Name)
		}
		return done("guestosmapping", old[0].ID, r.Name), s.rename(ctx, old[0].ID, r.Name)
	}
	m := Mapping{
		ID: s.db.NewID(), CreatedAt: s.db.Now(), GuestOSID: t.ID, Hypervisor: a.Hypervisor, HypervisorVersion: a.HypervisorVersion, Name: r.Name, UserDefined: true,
	}
	err = taken("osnameforhypervisor", r.Name, gorm.G[Mapping](s.db.In(ctx)).Create(ctx, &m))
	return done("guestosmapping", m.ID, m.Name), err
}

// known finds a hypervisor in one of its versions.
func (s *Service) known(ctx context.Context, hypervisor, version string) (Ability, error) {
	all, err := gorm.G[Ability](s.db.In(ctx)).Order("hypervisor, hypervisor_version").Find(ctx)
	if err != nil {
		return Ability{}, err
	}
	var hypervisors, versions []string
	for _, a := range all {
		hypervisors = append(hypervisors, a.Hypervisor)
		if strings.EqualFold(a.Hypervisor, hypervisor) {
			versions = append(versions, a.HypervisorVersion)
			if strings.EqualFold(a.HypervisorVersion, version) {
				return a, nil
			}
		}
	}
	if len(versions) == 0 {
		return Ability{}, fault.Param("hypervisor", "error.choice", "value", hypervisor, "choices", strings.Join(hypervisors, ", "))
	}
	return Ability{}, fault.Param("hypervisorversion", "error.choice", "value", version, "choices", strings.Join(versions, ", "))
}

// named finds the operating system that a request means.
func (s *Service) named(ctx context.Context, r AddMappingRequest) (Type, error) {
	if r.TypeID != "" {
		return s.holdType(ctx, "ostypeid", r.TypeID)
	}
	if r.DisplayName == "" {
		return Type{}, fault.Param("ostypeid", "error.required")
	}
	t, err := gorm.G[Type](s.db.In(ctx), store.ToHold).Where("name_key = ?", strings.ToLower(r.DisplayName)).Take(ctx)
	if store.IsAbsent(err) {
		err = fault.Absent("osdisplayname", r.DisplayName)
	}
	return t, err
}

func (s *Service) rename(ctx context.Context, id, name string) error {
	return s.db.In(ctx).Model(&Mapping{}).Where("id = ?", id).Update("name", name).Error
}

// UpdateMappingRequest changes a mapping.
type UpdateMappingRequest struct {
	checked
	ID   string `json:"id" ref:"guestosmapping" required:"true" doc:"the mapping"`
	Name string `json:"osnameforhypervisor" required:"true" doc:"what the hypervisor calls it"`
}

func (s *Service) updateMappingCommand() *command.Command {
	return command.Async(mappingMeta("updateGuestOsMapping", "GUEST.OS.MAPPING.UPDATE", "Changes what a hypervisor calls a guest operating system"), s.updateMapping, s.mappingView)
}

func (s *Service) updateMapping(ctx context.Context, r UpdateMappingRequest) (job.Spec, error) {
	if err := r.check(); err != nil {
		return job.Spec{}, err
	}
	m, err := s.holdMapping(ctx, r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	return done("guestosmapping", m.ID, r.Name), s.rename(ctx, m.ID, r.Name)
}

// holdMapping finds a mapping that an operator added.
func (s *Service) holdMapping(ctx context.Context, id string) (Mapping, error) {
	m, err := store.Hold[Mapping](ctx, s.db, id)
	if err == nil && !m.UserDefined {
		err = fault.Param("id", "error.os_builtin", "name", m.Name)
	}
	return m, err
}

// MappingRequest names a mapping.
type MappingRequest struct {
	ID string `json:"id" ref:"guestosmapping" required:"true" doc:"the mapping"`
}

func (s *Service) removeMappingCommand() *command.Command {
	m := mappingMeta("removeGuestOsMapping", "GUEST.OS.MAPPING.REMOVE", "Removes a mapping that an operator added")
	m.Object = ""
	return command.Async[MappingRequest, command.Success](m, func(ctx context.Context, r MappingRequest) (job.Spec, error) {
		row, err := s.holdMapping(ctx, r.ID)
		if err != nil {
			return job.Spec{}, err
		}
		return done("guestosmapping", row.ID, row.Name), s.db.In(ctx).Where("id = ?", row.ID).Delete(&Mapping{}).Error
	}, nil)
}
