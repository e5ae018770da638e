package compute

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/storage"
	"aerie/services/store"
)

// CreateOfferingRequest describes a new size.
type CreateOfferingRequest struct {
	Name        string            `json:"name" required:"true" doc:"name of the size"`
	DisplayText string            `json:"displaytext" max:"4096" doc:"description; the name without it"`
	CPUs        int               `json:"cpunumber" min:"0" max:"1024" doc:"number of CPUs"`
	MHz         int               `json:"cpuspeed" min:"0" max:"100000" doc:"weight of a CPU in MHz"`
	MemoryMiB   int               `json:"memory" min:"0" max:"67108864" doc:"memory in MiB"`
	Customized  bool              `json:"customized" doc:"true lets users choose CPUs and memory"`
	MinCPUs     int               `json:"mincpunumber" min:"0" doc:"fewest CPUs of a constrained size"`
	MaxCPUs     int               `json:"maxcpunumber" min:"0" max:"1024" doc:"most CPUs of a constrained size"`
	MinMemory   int               `json:"minmemory" min:"0" doc:"least memory of a constrained size in MiB"`
	MaxMemory   int               `json:"maxmemory" min:"0" doc:"most memory of a constrained size in MiB"`
	RootGiB     int64             `json:"rootdisksize" min:"0" max:"64000" doc:"size of the root disk in GiB"`
	DiskID      string            `json:"diskofferingid" ref:"diskoffering" doc:"what root disks are made of; this size says it itself without"`
	DiskStrict  bool              `json:"diskofferingstrictness" doc:"true keeps users from choosing another disk offering for the root disk"`
	HA          bool              `json:"offerha" doc:"restart after a host's failure"`
	LimitCPU    bool              `json:"limitcpuuse" doc:"true makes the CPU weight a bound"`
	Dynamic     *bool             `json:"dynamicscalingenabled" doc:"whether instances may be resized while they run; true without"`
	HostTags    string            `json:"hosttags" doc:"tags that a host must carry"`
	StorageTags string            `json:"tags" doc:"tags that a pool must carry"`
	NetworkRate int               `json:"networkrate" min:"0" max:"10000000" doc:"rate of the default network card in Mbit/s"`
	Planner     string            `json:"deploymentplanner" enum:"FirstFitPlanner,UserDispersingPlanner,UserConcentratedPodPlanner" doc:"which of the hosts with room: any, those with fewest instances of the account, or those of the pod with most"`
	LeaseDays   int               `json:"leaseduration" min:"-1" max:"36500" doc:"days until instances are stopped or destroyed by themselves; -1 or 0 is never"`
	LeaseAction string            `json:"leaseexpiryaction" enum:"STOP,DESTROY" doc:"what happens then; STOP without"`
	Details     map[string]string `json:"serviceofferingdetails" doc:"free details of the size"`
	DomainIDs   []string          `json:"domainid" ref:"domain" doc:"the domains that may use it; all without. Administrators of domains name their own"`
	ZoneIDs     []string          `json:"zoneid" ref:"zone" doc:"the zones in which it may be used; all without"`

	storage.DiskRequest
	absent
}

// absent are parameters of sizes for what is not there.
type absent struct {
	Volatile   bool              `json:"isvolatile" doc:"refused: root disks are never reset"`
	Encrypt    bool              `json:"encryptroot" doc:"refused: volumes are not encrypted yet"`
	Purge      bool              `json:"purgeresources" doc:"refused: what is expunged stays in the records"`
	System     bool              `json:"issystem" doc:"refused: routers and consoles are no machines here"`
	SystemType string            `json:"systemvmtype" doc:"refused: routers and consoles are no machines here"`
	GPUCount   int               `json:"gpucount" doc:"refused: there are no GPUs"`
	GPUDisplay bool              `json:"gpudisplay" doc:"refused: there are no GPUs"`
	VGPU       string            `json:"vgpuprofileid" type:"uuid" doc:"refused: there are no GPUs"`
	External   map[string]string `json:"externaldetails" doc:"refused: there are no extensions"`
}

func (a absent) check() error {
	for _, group := range []struct {
		key   string
		asked map[string]bool
	}{
		{"error.not_volatile", map[string]bool{"isvolatile": a.Volatile}},
		{"error.no_encryption", map[string]bool{"encryptroot": a.Encrypt}},
		{"error.no_purge", map[string]bool{"purgeresources": a.Purge}},
		{"error.no_system_vms", map[string]bool{"issystem": a.System, "systemvmtype": a.SystemType != ""}},
		{"error.no_gpu", map[string]bool{"gpucount": a.GPUCount > 0, "gpudisplay": a.GPUDisplay, "vgpuprofileid": a.VGPU != ""}},
		{"error.no_extensions", map[string]bool{"externaldetails": len(a.External) > 0}},
	} {
		if err := unused(group.asked, group.key); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) createOfferingCommand() *command.Command {
	return command.New(offeringMeta("createServiceOffering", "SERVICE.OFFERING.CREATE", "Adds a size of instances", command.Admins), s.createOffering)
}

func (s *Service) createOffering(ctx context.Context, r CreateOfferingRequest) (OfferingView, error) {
	o, err := r.offering()
	if err != nil {
		return OfferingView{}, err
	}
	if err := infra.MayOffer(ctx, s.db, r.DomainIDs); err != nil {
		return OfferingView{}, err
	}
	for param, tags := range map[string]string{"hosttags": o.HostTags, "tags": o.StorageTags} {
		if err := s.mayTag(ctx, param, tags); err != nil {
			return OfferingView{}, err
		}
	}
	if o.DiskOfferingID != "" {
		if _, err := store.Find[storage.Offering](ctx, s.db, o.DiskOfferingID); err != nil {
			return OfferingView{}, named(err, "diskofferingid", o.DiskOfferingID)
		}
	}
	o.ID = s.db.NewID()
	if err := gorm.G[Offering](s.db.In(ctx)).Create(ctx, &o); err != nil {
		return OfferingView{}, err
	}
	return s.offeringView(ctx, o.ID)
}

// offering is the row that the request describes.
func (r CreateOfferingRequest) offering() (o Offering, err error) {
	if err := r.absent.check(); err != nil {
		return o, err
	}
	if err := r.size(); err != nil {
		return o, err
	}
	o = Offering{
		Name: r.Name, DisplayText: or(r.DisplayText, r.Name), CPUs: r.CPUs, MHz: r.MHz,
		MemoryMiB: r.MemoryMiB, Customized: r.custom(), MinCPUs: r.MinCPUs, MaxCPUs: r.MaxCPUs, MinMemory: r.MinMemory,
		MaxMemory: r.MaxMemory, RootGiB: r.RootGiB, DiskOfferingID: r.DiskID, DiskOfferingStrict: r.DiskStrict, HA: r.HA, LimitCPU: r.LimitCPU,
		Dynamic: r.Dynamic == nil || *r.Dynamic, HostTags: infra.CleanTags(r.HostTags), StorageTags: infra.CleanTags(r.StorageTags),
		NetworkRate: r.NetworkRate, Planner: r.Planner, StorageType: or(r.StorageType, "shared"), Provisioning: "thin", State: "Active",
		DomainIDs: strings.Join(r.DomainIDs, ","), ZoneIDs: strings.Join(r.ZoneIDs, ","),
	}
	if r.LeaseDays > 0 {
		o.LeaseDays, o.LeaseAction = r.LeaseDays, or(r.LeaseAction, LeaseStop)
	} else if r.LeaseAction != "" {
		return o, fault.Param("leaseexpiryaction", "error.lease_action", "other", "leaseduration")
	}
	if o.Limits, err = r.DiskRequest.Limits(); err != nil {
		return o, err
	}
	if r.DiskID != "" && (o.Limits != storage.Limits{} || o.StorageTags != "" || r.StorageType != "") {
		return o, fault.Param("diskofferingid", "error.disk_offering_beside")
	}
	o.Details, err = infra.KeepDetails("serviceofferingdetails", r.Details)
	return o, err
}

func (r CreateOfferingRequest) custom() bool {
	return r.Customized || r.MaxCPUs > 0 || r.MaxMemory > 0 || r.MinCPUs > 0 || r.MinMemory > 0
}

// size: a fixed one states everything, a custom one nothing that users choose.
func (r CreateOfferingRequest) size() error {
	if !r.custom() {
		for _, p := range []struct {
			name string
			n    int
		}{{"cpunumber", r.CPUs}, {"cpuspeed", r.MHz}, {"memory", r.MemoryMiB}} {
			if p.n <= 0 {
				return fault.Param(p.name, "error.required", "command", "createserviceoffering")
			}
		}
		return nil
	}
	constrained := r.MinCPUs > 0 || r.MaxCPUs > 0 || r.MinMemory > 0 || r.MaxMemory > 0
	for _, p := range []struct {
		low, high string
		min, max  int
		fixed     int
	}{{"mincpunumber", "maxcpunumber", r.MinCPUs, r.MaxCPUs, r.CPUs}, {"minmemory", "maxmemory", r.MinMemory, r.MaxMemory, r.MemoryMiB}} {
		switch {
		case !constrained:
		case p.fixed > 0 && p.min+p.max > 0:
			return fault.Param(p.low, "error.fixed_and_range")
		case p.fixed == 0 && p.min == 0:
			return fault.Param(p.low, "error.required", "command", "createserviceoffering")
		case p.fixed == 0 && p.max == 0:
			return fault.Param(p.high, "error.required", "command", "createserviceoffering")
		case p.min > p.max:
			return fault.Param(p.low, "error.min_over_max")
		}
	}
	return nil
}
