package compute

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/storage"
	"aerie/services/store"
)

// Scope hides from tenants the sizes of other domains.
func (Offering) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return infra.ForDomains(a, "domain_ids")
}

// rootDisk is what the size says of root disks that no disk offering speaks for.
func (o Offering) rootDisk() storage.Offering {
	return storage.Offering{Limits: o.Limits, Tags: o.StorageTags, StorageType: o.StorageType}
}

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
	DiskID         string            `json:"diskofferingid"`
	DiskName       string            `json:"diskofferingname"`
	DiskText       string            `json:"diskofferingdisplaytext"`
	DiskStrict     bool              `json:"diskofferingstrictness"`
	HA             bool              `json:"offerha"`
	LimitCPU       bool              `json:"limitcpuuse"`
	Volatile       bool              `json:"isvolatile"`
	Dynamic        bool              `json:"dynamicscalingenabled"`
	System         bool              `json:"issystem"`
	SystemType     string            `json:"systemvmtype"`
	Default        bool              `json:"defaultuse"`
	Encrypt        bool              `json:"encryptroot"`
	Purge          bool              `json:"purgeresources"`
	StorageType    string            `json:"storagetype"`
	Provisioning   string            `json:"provisioningtype"`
	Planner        string            `json:"deploymentplanner" view:"admin"`
	HostTags       string            `json:"hosttags" view:"admin"`
	StorageTags    string            `json:"storagetags" view:"admin"`
	NetworkRate    int               `json:"networkrate,omitempty"`
	LeaseDays      int               `json:"leaseduration,omitempty"`
	LeaseAction    string            `json:"leaseexpiryaction"`
	State          string            `json:"state"`
	DomainIDs      string            `json:"domainid"`
	Domains        string            `json:"domain"`
	ZoneIDs        string            `json:"zoneid"`
	Zones          string            `json:"zone"`
	Annotations    bool              `json:"hasannotations"`
	GPUCardID      string            `json:"gpucardid"`
	GPUCard        string            `json:"gpucardname"`
	GPUCount       int               `json:"gpucount,omitempty"`
	GPUDisplay     bool              `json:"gpudisplay"`
	VGPUProfileID  string            `json:"vgpuprofileid"`
	VGPUProfile    string            `json:"vgpuprofilename"`
	GPUHeads       int64             `json:"maxheads,omitempty"`
	GPUWidth       int64             `json:"maxresolutionx,omitempty"`
	GPUHeight      int64             `json:"maxresolutiony,omitempty"`
	GPUMemory      int64             `json:"videoram,omitempty"`
	SortKey        int               `json:"-"` // for pages: the API has no such field
	storage.LimitsView
}

func viewOffering(o Offering) OfferingView {
	v := OfferingView{
		ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, CPUs: o.CPUs, MHz: o.MHz, MemoryMiB: o.MemoryMiB,
		Created: command.Time{Time: o.CreatedAt}, Customized: o.Customized, RootGiB: o.RootGiB, DiskID: o.DiskOfferingID,
		DiskStrict: o.DiskOfferingStrict, HA: o.HA, LimitCPU: o.LimitCPU, Volatile: o.Volatile, Dynamic: o.Dynamic,
		StorageType: o.StorageType, Provisioning: o.Provisioning, Planner: o.Planner, HostTags: o.HostTags, StorageTags: o.StorageTags,
		NetworkRate: o.NetworkRate, LeaseDays: o.LeaseDays, LeaseAction: o.LeaseAction, State: o.State, DomainIDs: o.DomainIDs, ZoneIDs: o.ZoneIDs,
		LimitsView: o.Limits.View(), Details: infra.Details(o.Details), SortKey: o.SortKey,
	}
	if o.Customized && o.MaxCPUs > 0 {
		v.Details["mincpunumber"], v.Details["maxcpunumber"] = itoa(o.MinCPUs), itoa(o.MaxCPUs)
		v.Details["minmemory"], v.Details["maxmemory"] = itoa(o.MinMemory), itoa(o.MaxMemory)
	}
	return v
}

// offeringViews makes the views of many sizes: a constant number of queries.
func (s *Service) offeringViews(ctx context.Context, list []Offering) ([]OfferingView, error) {
	var domains, zones, disks []string
	for _, o := range list {
		domains, zones = append(domains, infra.Listed(o.DomainIDs)...), append(zones, infra.Listed(o.ZoneIDs)...)
		disks = append(disks, o.DiskOfferingID)
	}
	names, err := store.NamesOf(ctx, s.db, store.Some{Model: &iam.Domain{}, IDs: domains}, store.Some{Model: &infra.Zone{}, IDs: zones},
		store.Some{Model: &storage.Offering{}, IDs: disks})
	if err != nil {
		return nil, err
	}
	texts, err := store.NamesOf(ctx, s.db, store.Some{Model: &storage.Offering{}, IDs: disks, Name: "display_text"})
	out := make([]OfferingView, len(list))
	for i, o := range list {
		v := viewOffering(o)
		v.Domains, v.Zones = infra.Called(names, o.DomainIDs), infra.Called(names, o.ZoneIDs)
		v.DiskName, v.DiskText = names[o.DiskOfferingID], texts[o.DiskOfferingID]
		out[i] = v
	}
	return out, err
}

func (s *Service) offeringView(ctx context.Context, id string) (OfferingView, error) {
	o, err := store.Find[Offering](ctx, s.db, id)
	if err != nil {
		return OfferingView{}, err
	}
	views, err := s.offeringViews(ctx, []Offering{o})
	if err != nil {
		return OfferingView{}, err
	}
	return views[0], nil
}

func offeringMeta(name, event, doc string, roles command.Role) command.Meta {
	return command.Meta{Name: name, Object: "serviceoffering", Event: event, Roles: roles, Doc: doc}
}

// myOffering finds a size that the actor may change, and holds it.
func (s *Service) myOffering(ctx context.Context, id string) (Offering, error) {
	o, err := store.Hold[Offering](ctx, s.db, id)
	if err != nil {
		return o, named(err, "id", id)
	}
	return o, infra.MayChange(ctx, s.db, id, o.DomainIDs)
}

// OfferingRequest names a size.
type OfferingRequest struct {
	ID string `json:"id" ref:"serviceoffering" required:"true" doc:"the size"`
}

func (s *Service) deleteOfferingCommand() *command.Command {
	m := offeringMeta("deleteServiceOffering", "SERVICE.OFFERING.DELETE", "Removes a size; instances of it stay", command.Admins)
	m.Object = ""
	return command.New(m, func(ctx context.Context, r OfferingRequest) (command.Success, error) {
		if _, err := s.myOffering(ctx, r.ID); err != nil {
			return command.Success{}, err
		}
		_, err := gorm.G[Offering](s.db.In(ctx)).Where("id = ?", r.ID).Delete(ctx)
		return command.OK, err
	})
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// unused keeps a parameter that belongs to a device which is not there from
// being ignored.
func unused(asked map[string]bool, key string) error {
	for param, is := range asked {
		if is {
			return fault.Param(param, key)
		}
	}
	return nil
}
