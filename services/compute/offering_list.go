package compute

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/image"
	"aerie/services/store"
)

// ListOfferingsRequest asks for sizes.
type ListOfferingsRequest struct {
	command.Paging
	command.Scope
	ID          string `json:"id" ref:"serviceoffering" doc:"the size"`
	Name        string `json:"name" doc:"name of the size, as a whole"`
	State       string `json:"state" doc:"Active, Inactive or all; administrators only"`
	CPUs        *int   `json:"cpunumber" doc:"sizes that can have so many CPUs"`
	MHz         *int   `json:"cpuspeed" doc:"speed of a CPU in MHz"`
	MemoryMiB   *int   `json:"memory" doc:"sizes that can have so much memory, in MiB"`
	StorageType string `json:"storagetype" doc:"shared or local"`
	ZoneID      string `json:"zoneid" ref:"zone" doc:"those that can be used in the zone"`
	VMID        string `json:"virtualmachineid" ref:"virtualmachine" doc:"those that the instance can change to"`
	TemplateID  string `json:"templateid" ref:"template" doc:"those whose root disk is large enough for the template"`
	Encrypt     *bool  `json:"encryptroot" doc:"whether root disks are encrypted; none are"`
	GPU         *bool  `json:"gpuenabled" doc:"whether instances get a GPU; none do"`
	VGPU        string `json:"vgpuprofileid" type:"uuid" doc:"sizes with that GPU profile; there are none"`
	System      bool   `json:"issystem" doc:"true lists sizes of system VMs; Aerie has none"`
	SystemType  string `json:"systemvmtype" doc:"kind of system VM; Aerie has none"`
}

func (s *Service) listOfferingsCommand() *command.Command {
	return command.New(offeringMeta("listServiceOfferings", "", "Lists the sizes of instances", command.Everyone), s.ListOfferings)
}

// ListOfferings returns a page of sizes.
func (s *Service) ListOfferings(ctx context.Context, r ListOfferingsRequest) (out command.List[OfferingView], err error) {
	if r.System || r.SystemType != "" || is(r.Encrypt) || is(r.GPU) || r.VGPU != "" {
		return out, nil
	}
	if _, err := r.Resolve(ctx); err != nil { // an account or domain that is not the caller's to know
		return out, err
	}
	q, err := s.offeringFilter(ctx, r)
	if err != nil {
		return out, err
	}
	list, n, err := command.Rows[Offering](r.Search(q, "name", "display_text"), r.Paging, "sort_key, created_at, id")
	if err != nil {
		return out, err
	}
	views, err := s.offeringViews(ctx, list)
	return command.List[OfferingView]{Count: n, Items: views}, err
}

func is(flag *bool) bool { return flag != nil && *flag }

func (s *Service) offeringFilter(ctx context.Context, r ListOfferingsRequest) (*gorm.DB, error) {
	q := command.Equal(s.db.In(ctx).Model(&Offering{}), "id", r.ID)
	q = command.Named(command.Named(q, "name", r.Name), "storage_type", r.StorageType)
	actor, _ := store.From(ctx)
	switch {
	case !actor.IsSystem() && actor.Rank == store.User, r.State == "" && r.ID == "":
		q = q.Where("state = ?", "Active")
	case r.State != "" && !strings.EqualFold(r.State, "all"):
		q = command.Named(q, "state", r.State)
	}
	if r.CPUs != nil {
		q = q.Where("(cpus = ? OR customized = ? AND cpus = 0 AND min_cpus <= ? AND (max_cpus = 0 OR max_cpus >= ?))", *r.CPUs, true, *r.CPUs, *r.CPUs)
	}
	if r.MemoryMiB != nil {
		q = q.Where("(memory_mib = ? OR customized = ? AND memory_mib = 0 AND min_memory <= ? AND (max_memory = 0 OR max_memory >= ?))",
			*r.MemoryMiB, true, *r.MemoryMiB, *r.MemoryMiB)
	}
	if r.MHz != nil {
		q = q.Where("mhz = ?", *r.MHz)
	}
	if r.DomainID != "" && r.DomainID != "-1" {
		q = q.Where("(domain_ids = '' OR domain_ids LIKE ?)", "%"+r.DomainID+"%")
	}
	if r.ZoneID != "" {
		q = q.Where("(zone_ids = '' OR zone_ids LIKE ?)", "%"+r.ZoneID+"%")
	}
	if r.TemplateID != "" {
		q = q.Where("(root_gib = 0 OR root_gib * 1073741824 >= (?))", s.db.In(ctx).Model(&image.Template{}).Where("id = ?", r.TemplateID).Select("COALESCE(MAX(bytes), 0)"))
	}
	if r.VMID == "" {
		return q, nil
	}
	return s.changeable(ctx, q, r.VMID)
}

// changeable narrows to what an instance can change to: another size of its
// zone with the same kind of storage, and one that runs is given no less than
// it has.
func (s *Service) changeable(ctx context.Context, q *gorm.DB, vmID string) (*gorm.DB, error) {
	vm, err := store.Find[VM](ctx, s.db, vmID)
	if store.IsAbsent(err) {
		return q.Where("1 = 0"), nil
	}
	if err != nil {
		return nil, err
	}
	var now Offering
	sys := store.System(ctx, "the size of an instance, which may be removed")
	if err := s.db.In(sys).Unscoped().Where("id = ?", vm.OfferingID).Take(&now).Error; err != nil {
		return nil, err
	}
	q = q.Where("id <> ? AND storage_type = ? AND (zone_ids = '' OR zone_ids LIKE ?)", vm.OfferingID, now.StorageType, "%"+vm.ZoneID+"%")
	if vm.State == Running {
		q = q.Where("(customized = ? OR cpus >= ? AND memory_mib >= ? AND mhz >= ?)", true, vm.CPUs, vm.MemoryMiB, vm.MHz)
	}
	return q, nil
}
