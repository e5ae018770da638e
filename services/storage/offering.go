package storage

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/store"
)

// Scope hides from tenants the offerings of other domains.
func (Offering) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return infra.ForDomains(a, "domain_ids")
}

// OfferingView is a disk offering as commands return it.
type OfferingView struct {
	SortKey        int    `json:"-"` // for pages: the API has no such field
	ID             string `json:"id"`
	Name           string `json:"name"`
	DisplayText    string `json:"displaytext"`
	SizeGiB        int64  `json:"disksize"`
	Customized     bool   `json:"iscustomized"`
	CustomizedIOPS bool   `json:"iscustomizediops"`
	Strict         bool   `json:"disksizestrictness"`
	LimitsView
	StorageType  string            `json:"storagetype"`
	Provisioning string            `json:"provisioningtype"`
	Tags         string            `json:"tags" view:"admin"`
	State        string            `json:"state"`
	Display      bool              `json:"displayoffering"`
	Encrypt      bool              `json:"encrypt"`
	Suitable     *bool             `json:"suitableforvirtualmachine"`
	DomainIDs    string            `json:"domainid"`
	Domains      string            `json:"domain"`
	ZoneIDs      string            `json:"zoneid"`
	Zones        string            `json:"zone"`
	Created      command.Time      `json:"created"`
	Annotations  bool              `json:"hasannotations"`
	Details      map[string]string `json:"details"`
}

func (s *Service) offeringViews(ctx context.Context, list []Offering) ([]OfferingView, error) {
	var domainIDs, zoneIDs []string
	for _, o := range list {
		domainIDs, zoneIDs = append(domainIDs, infra.Listed(o.DomainIDs)...), append(zoneIDs, infra.Listed(o.ZoneIDs)...)
	}
	domains, err := store.Names[iam.Domain](ctx, s.db, domainIDs)
	if err != nil {
		return nil, err
	}
	zones, err := store.Names[infra.Zone](ctx, s.db, zoneIDs)
	if err != nil {
		return nil, err
	}
	out := make([]OfferingView, len(list))
	for i, o := range list {
		out[i] = OfferingView{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, SizeGiB: o.Bytes >> 30, Customized: o.Customized,
			Strict: o.Strict, LimitsView: o.Limits.View(), Details: infra.Details(o.Details),
			StorageType: o.StorageType, Provisioning: o.Provisioning, Tags: o.Tags, State: o.State, Display: o.Display,
			DomainIDs: o.DomainIDs, Domains: infra.Called(domains, o.DomainIDs), ZoneIDs: o.ZoneIDs, Zones: infra.Called(zones, o.ZoneIDs),
			Created: command.Time{Time: o.CreatedAt}, SortKey: o.SortKey,
		}
	}
	return out, nil
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

func offeringMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "diskoffering", Event: event, Roles: command.Admins, Doc: doc}
}

// OfferingRequest names a disk offering.
type OfferingRequest struct {
	ID string `json:"id" ref:"diskoffering" required:"true" doc:"the offering"`
}

func (s *Service) deleteOfferingCommand() *command.Command {
	m := offeringMeta("deleteDiskOffering", "DISK.OFFERING.DELETE", "Removes a disk offering; volumes of it stay")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r OfferingRequest) (command.Success, error) {
		if _, err := s.mine(ctx, r.ID); err != nil {
			return command.Success{}, err
		}
		_, err := gorm.G[Offering](s.db.In(ctx)).Where("id = ?", r.ID).Delete(ctx)
		return command.OK, err
	})
}

// ListOfferingsRequest asks for disk offerings.
type ListOfferingsRequest struct {
	command.Paging
	command.Scope
	ID          string `json:"id" ref:"diskoffering" doc:"the offering"`
	Name        string `json:"name" doc:"name of the offering, as a whole"`
	State       string `json:"state" doc:"Active, Inactive or all; administrators only"`
	StorageType string `json:"storagetype" doc:"shared or local"`
	ZoneID      string `json:"zoneid" ref:"zone" doc:"those that can be used in the zone"`
	VMID        string `json:"virtualmachineid" ref:"virtualmachine" doc:"tells of each whether a volume of it fits the instance"`
	VolumeID    string `json:"volumeid" ref:"volume" doc:"those that the volume can change to: all but its own"`
	PoolID      string `json:"storageid" ref:"storagepool" doc:"those whose volumes the pool takes"`
	Encrypt     *bool  `json:"encrypt" doc:"whether volumes of it are encrypted; none are"`
}

func (s *Service) listOfferingsCommand() *command.Command {
	m := offeringMeta("listDiskOfferings", "", "Lists disk offerings")
	m.Roles = command.Everyone
	return command.New(m, func(ctx context.Context, r ListOfferingsRequest) (command.List[OfferingView], error) {
		if r.Encrypt != nil && *r.Encrypt {
			return command.List[OfferingView]{}, nil
		}
		if _, err := r.Resolve(ctx); err != nil { // an account or domain that is not the caller's to know
			return command.List[OfferingView]{}, err
		}
		list, n, err := command.Rows[Offering](r.Search(s.offeringFilter(ctx, r), "name", "display_text"), r.Paging, "sort_key, created_at, id")
		if err != nil {
			return command.List[OfferingView]{}, err
		}
		views, err := s.offeringViews(ctx, list)
		if err == nil && r.VMID != "" {
			err = s.suitable(ctx, r.VMID, list, views)
		}
		return command.List[OfferingView]{Count: n, Items: views}, err
	})
}

// suitable notes of offerings whether a volume of them could be at an instance:
// its zone lets them in and has a pool of their kind with their tags.
func (s *Service) suitable(ctx context.Context, vmID string, list []Offering, views []OfferingView) error {
	root, err := gorm.G[Volume](s.db.In(ctx)).Where("vm_id = ?", vmID).Order("device").Limit(1).Find(ctx)
	if err != nil {
		return err
	}
	var pools []infra.Pool
	for _, v := range root {
		pools, err = gorm.G[infra.Pool](s.db.In(ctx)).Where("zone_id = ? AND state = ?", v.ZoneID, "Up").Find(ctx)
		if err != nil {
			return err
		}
	}
	for i, o := range list {
		fits := slices.ContainsFunc(pools, func(p infra.Pool) bool { return infra.In(o.ZoneIDs, p.ZoneID) && o.takes(p) })
		views[i].Suitable = &fits
	}
	return nil
}

// takes tells whether disks of the offering may lie in the pool.
func (o Offering) takes(p infra.Pool) bool {
	return (o.StorageType != "local" || p.Scope == "HOST") && infra.Carries(p.Tags, o.Tags)
}

func (s *Service) offeringFilter(ctx context.Context, r ListOfferingsRequest) *gorm.DB {
	q := command.Equal(s.db.In(ctx).Model(&Offering{}), "id", r.ID)
	q = command.Named(command.Named(q, "name", r.Name), "storage_type", r.StorageType)
	actor, _ := store.From(ctx)
	admin := actor.IsSystem() || actor.Rank != store.User
	if !admin {
		q = q.Where("display = ?", true)
	}
	switch {
	case !admin:
		q = q.Where("state = ?", "Active")
	case r.State == "" && r.ID == "":
		q = q.Where("state = ?", "Active")
	case !strings.EqualFold(r.State, "all"):
		q = command.Named(q, "state", r.State)
	}
	if r.DomainID != "" && r.DomainID != "-1" {
		q = q.Where("(domain_ids = '' OR domain_ids LIKE ?)", "%"+r.DomainID+"%")
	}
	if r.ZoneID != "" && r.ZoneID != "-1" {
		q = q.Where("(zone_ids = '' OR zone_ids LIKE ?)", "%"+r.ZoneID+"%")
	}
	if r.PoolID != "" {
		ids, err := s.takenBy(ctx, r.PoolID)
		if err != nil {
			_ = q.AddError(err)
		}
		q = q.Where("id IN ?", ids)
	}
	if r.VolumeID != "" {
		q = q.Where("id NOT IN (?)", s.db.In(ctx).Model(&Volume{}).Where("id = ?", r.VolumeID).Select("disk_offering_id"))
	}
	return q
}

// takenBy are the offerings whose volumes a pool takes; a pool that is not there
// takes none.
func (s *Service) takenBy(ctx context.Context, poolID string) (ids []string, err error) {
	p, err := store.Find[infra.Pool](ctx, s.db, poolID)
	if store.IsAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := gorm.G[Offering](s.db.In(ctx)).Find(ctx)
	for _, o := range all {
		if o.takes(p) && infra.In(o.ZoneIDs, p.ZoneID) {
			ids = append(ids, o.ID)
		}
	}
	return ids, err
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
