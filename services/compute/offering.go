package compute

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/label"
	"aerie/services/store"
)

// OfferingView is a size as commands return it.
type OfferingView struct {
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	DisplayText    string            `json:"displaytext"`
	CPUs           int               `json:"cpunumber,omitempty"`
	MHz            int               `json:"cpuspeed,omitempty"`
	MemoryMiB      int               `json:"memory,omitempty"`
	Created        command.Time      `json:"created"`
	Customized     bool              `json:"iscustomized"`
	CustomizedIOPS bool              `json:"iscustomizediops"`
	Details        map[string]string `json:"serviceofferingdetails"`
	RootGiB        int64             `json:"rootdisksize"`
	HA             bool              `json:"offerha"`
	LimitCPU       bool              `json:"limitcpuuse"`
	Volatile       bool              `json:"isvolatile"`
	Dynamic        bool              `json:"dynamicscalingenabled"`
	System         bool              `json:"issystem"`
	Default        bool              `json:"defaultuse"`
	StorageType    string            `json:"storagetype"`
	Provisioning   string            `json:"provisioningtype"`
	HostTags       string            `json:"hosttags" view:"admin"`
	StorageTags    string            `json:"storagetags" view:"admin"`
	NetworkRate    int               `json:"networkrate,omitempty"`
	State          string            `json:"state"`
	Annotations    bool              `json:"hasannotations"`
}

func viewOffering(o Offering) OfferingView {
	v := OfferingView{
		ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, CPUs: o.CPUs, MHz: o.MHz, MemoryMiB: o.MemoryMiB,
		Created: command.Time{Time: o.CreatedAt}, Customized: o.Customized, RootGiB: o.RootGiB, HA: o.HA, LimitCPU: o.LimitCPU,
		Volatile: o.Volatile, Dynamic: o.Dynamic, StorageType: o.StorageType, Provisioning: o.Provisioning, HostTags: o.HostTags,
		StorageTags: o.StorageTags, NetworkRate: o.NetworkRate, State: o.State,
	}
	if o.Customized && o.MaxCPUs > 0 {
		v.Details = map[string]string{
			"mincpunumber": itoa(o.MinCPUs), "maxcpunumber": itoa(o.MaxCPUs),
			"minmemory": itoa(o.MinMemory), "maxmemory": itoa(o.MaxMemory),
		}
	}
	return v
}

func offeringMeta(name, event, doc string, roles command.Role) command.Meta {
	return command.Meta{Name: name, Object: "serviceoffering", Event: event, Roles: roles, Doc: doc}
}

// ListOfferingsRequest asks for sizes.
type ListOfferingsRequest struct {
	command.Paging
	ID        string `json:"id" ref:"serviceoffering" doc:"the size"`
	Name      string `json:"name" doc:"name of the size, as a whole"`
	State     string `json:"state" doc:"Active, Inactive or all; administrators only"`
	CPUs      *int   `json:"cpunumber" doc:"number of CPUs"`
	MHz       *int   `json:"cpuspeed" doc:"speed of a CPU in MHz"`
	MemoryMiB *int   `json:"memory" doc:"memory in MiB"`
	System    bool   `json:"issystem" doc:"true lists sizes of system VMs; Aerie has none"`
	ListAll   bool   `json:"listall" doc:"accepted for compatibility"`
}

func (s *Service) listOfferingsCommand() *command.Command {
	return command.New(offeringMeta("listServiceOfferings", "", "Lists the sizes of instances", command.Everyone), s.ListOfferings)
}

// ListOfferings returns a page of sizes.
func (s *Service) ListOfferings(ctx context.Context, r ListOfferingsRequest) (command.List[OfferingView], error) {
	if r.System {
		return command.List[OfferingView]{}, nil
	}
	q := s.db.In(ctx).Model(&Offering{})
	actor, _ := store.From(ctx)
	switch {
	case actor.Rank != store.Admin || r.State == "" && r.ID == "":
		q = q.Where("state = ?", "Active")
	case r.State != "" && r.State != "all":
		q = q.Where("state = ?", r.State)
	}
	if r.ID != "" {
		q = q.Where("id = ?", r.ID)
	}
	if r.Name != "" {
		q = q.Where("name = ?", r.Name)
	}
	for column, n := range map[string]*int{"cpus": r.CPUs, "mhz": r.MHz, "memory_mib": r.MemoryMiB} {
		if n != nil {
			q = q.Where(column+" = ?", *n)
		}
	}
	if r.Keyword != "" {
		like := store.Contains(r.Keyword)
		q = q.Where("(name LIKE ? ESCAPE '!' OR display_text LIKE ? ESCAPE '!')", like, like)
	}
	list, n, err := command.Rows[Offering](q, r.Paging, "sort_key, created_at, id")
	out := command.List[OfferingView]{Count: n}
	for _, o := range list {
		out.Items = append(out.Items, viewOffering(o))
	}
	if err != nil {
		return out, err
	}
	return out, label.Fill(ctx, s.db, out.Items, label.Want{Notes: true, Details: true}, func(v *OfferingView) string { return v.ID }, func(v *OfferingView, l label.Shown) {
		v.Annotations, v.Details = l.Noted(v.ID), l.Details(v.ID, v.Details)
	})
}

// CreateOfferingRequest describes a new size.
type CreateOfferingRequest struct {
	Name        string `json:"name" required:"true" doc:"name of the size"`
	DisplayText string `json:"displaytext" max:"4096" doc:"description; the name without it"`
	CPUs        int    `json:"cpunumber" min:"0" max:"1024" doc:"number of CPUs"`
	MHz         int    `json:"cpuspeed" min:"0" max:"100000" doc:"weight of a CPU in MHz"`
	MemoryMiB   int    `json:"memory" min:"0" max:"67108864" doc:"memory in MiB"`
	Customized  bool   `json:"customized" doc:"true lets users choose CPUs and memory"`
	MinCPUs     int    `json:"mincpunumber" min:"0" doc:"fewest CPUs of a constrained size"`
	MaxCPUs     int    `json:"maxcpunumber" min:"0" max:"1024" doc:"most CPUs of a constrained size"`
	MinMemory   int    `json:"minmemory" min:"0" doc:"least memory of a constrained size in MiB"`
	MaxMemory   int    `json:"maxmemory" min:"0" doc:"most memory of a constrained size in MiB"`
	RootGiB     int64  `json:"rootdisksize" min:"0" max:"64000" doc:"size of the root disk in GiB"`
	HA          bool   `json:"offerha" doc:"restart after a host's failure"`
	LimitCPU    bool   `json:"limitcpuuse" doc:"true makes the CPU weight a bound"`
	Volatile    bool   `json:"isvolatile" doc:"true resets the root disk at each start"`
	Dynamic     *bool  `json:"dynamicscalingenabled" doc:"whether instances may be resized while they run"`
	HostTags    string `json:"hosttags" doc:"tags that a host must carry"`
	StorageTags string `json:"tags" doc:"tags that a pool must carry"`
	NetworkRate int    `json:"networkrate" min:"0" doc:"network rate in Mbit/s"`
}

func (s *Service) createOfferingCommand() *command.Command {
	return command.New(offeringMeta("createServiceOffering", "SERVICE.OFFERING.CREATE", "Adds a size of instances", command.Admin),
		func(ctx context.Context, r CreateOfferingRequest) (OfferingView, error) {
			if err := r.check(); err != nil {
				return OfferingView{}, err
			}
			o := Offering{
				Row: store.Row{ID: s.db.NewID()}, Name: r.Name, DisplayText: r.DisplayText, CPUs: r.CPUs, MHz: r.MHz,
				MemoryMiB: r.MemoryMiB, Customized: r.custom(), MinCPUs: r.MinCPUs, MaxCPUs: r.MaxCPUs, MinMemory: r.MinMemory,
				MaxMemory: r.MaxMemory, RootGiB: r.RootGiB, HA: r.HA, LimitCPU: r.LimitCPU, Volatile: r.Volatile,
				Dynamic: r.Dynamic != nil && *r.Dynamic, HostTags: r.HostTags, StorageTags: r.StorageTags, NetworkRate: r.NetworkRate,
				StorageType: "shared", Provisioning: "thin", State: "Active",
			}
			if o.DisplayText == "" {
				o.DisplayText = o.Name
			}
			return viewOffering(o), gorm.G[Offering](s.db.In(ctx)).Create(ctx, &o)
		})
}

func (r CreateOfferingRequest) custom() bool { return r.Customized || r.MaxCPUs > 0 }

// check: a fixed size states everything, a custom one nothing that users choose.
func (r CreateOfferingRequest) check() error {
	if !r.custom() {
		for name, n := range map[string]int{"cpunumber": r.CPUs, "cpuspeed": r.MHz, "memory": r.MemoryMiB} {
			if n <= 0 {
				return fault.Param(name, "error.required", "command", "createserviceoffering")
			}
		}
		return nil
	}
	if r.MinCPUs > r.MaxCPUs {
		return fault.Param("mincpunumber", "error.min_over_max")
	}
	if r.MinMemory > r.MaxMemory {
		return fault.Param("minmemory", "error.min_over_max")
	}
	return nil
}

// UpdateOfferingRequest changes what may change of a size.
type UpdateOfferingRequest struct {
	ID          string  `json:"id" ref:"serviceoffering" required:"true" doc:"the size"`
	Name        string  `json:"name" doc:"name of the size"`
	DisplayText string  `json:"displaytext" max:"4096" doc:"description"`
	SortKey     *int    `json:"sortkey" doc:"place in lists"`
	State       string  `json:"state" doc:"Active or Inactive"`
	HostTags    *string `json:"hosttags" doc:"tags that a host must carry"`
	StorageTags *string `json:"storagetags" doc:"tags that a pool must carry"`
}

func (s *Service) updateOfferingCommand() *command.Command {
	return command.New(offeringMeta("updateServiceOffering", "SERVICE.OFFERING.EDIT", "Changes a size of instances", command.Admin),
		func(ctx context.Context, r UpdateOfferingRequest) (OfferingView, error) {
			if r.State != "" && r.State != "Active" && r.State != "Inactive" {
				return OfferingView{}, fault.Param("state", "error.choice", "value", r.State, "choices", "Active, Inactive")
			}
			before, err := store.Find[Offering](ctx, s.db, r.ID)
			if err != nil {
				return OfferingView{}, err
			}
			set := map[string]any{"name": or(r.Name, before.Name), "display_text": or(r.DisplayText, before.DisplayText), "state": or(r.State, before.State)}
			if r.SortKey != nil {
				set["sort_key"] = *r.SortKey
			}
			if r.HostTags != nil {
				set["host_tags"] = *r.HostTags
			}
			if r.StorageTags != nil {
				set["storage_tags"] = *r.StorageTags
			}
			if err := s.db.In(ctx).Model(&Offering{}).Where("id = ?", r.ID).Updates(set).Error; err != nil {
				return OfferingView{}, err
			}
			after, err := store.Find[Offering](ctx, s.db, r.ID)
			command.Changed(ctx, viewOffering(before), viewOffering(after))
			return viewOffering(after), err
		})
}

// OfferingRequest names a size.
type OfferingRequest struct {
	ID string `json:"id" ref:"serviceoffering" required:"true" doc:"the size"`
}

func (s *Service) deleteOfferingCommand() *command.Command {
	m := offeringMeta("deleteServiceOffering", "SERVICE.OFFERING.DELETE", "Removes a size; instances of it stay", command.Admin)
	m.Object = ""
	return command.New(m, func(ctx context.Context, r OfferingRequest) (command.Success, error) {
		n, err := gorm.G[Offering](s.db.In(ctx)).Where("id = ?", r.ID).Delete(ctx)
		if err == nil && n == 0 {
			err = fault.Absent("id", r.ID)
		}
		if err != nil {
			return command.Success{}, err
		}
		return command.OK, label.Drop(ctx, s.db, r.ID)
	})
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
