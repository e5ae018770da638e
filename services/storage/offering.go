package storage

import (
	"context"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/label"
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
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	DisplayText    string            `json:"displaytext"`
	SizeGiB        int64             `json:"disksize"`
	Customized     bool              `json:"iscustomized"`
	CustomizedIOPS bool              `json:"iscustomizediops"`
	Strict         bool              `json:"disksizestrictness"`
	StorageType    string            `json:"storagetype"`
	Provisioning   string            `json:"provisioningtype"`
	CacheMode      string            `json:"cacheMode"`
	Tags           string            `json:"tags" view:"admin"`
	State          string            `json:"state"`
	Display        bool              `json:"displayoffering"`
	Encrypt        bool              `json:"encrypt"`
	Suitable       *bool             `json:"suitableforvirtualmachine"`
	DomainIDs      string            `json:"domainid"`
	Domains        string            `json:"domain"`
	ZoneIDs        string            `json:"zoneid"`
	Zones          string            `json:"zone"`
	Created        command.Time      `json:"created"`
	Annotations    bool              `json:"hasannotations"`
	Details        map[string]string `json:"details"`
}

func (s *Service) offeringViews(ctx context.Context, list []Offering) ([]OfferingView, error) {
	var domainIDs, zoneIDs []string
	for _, o := range list {
		domainIDs, zoneIDs = append(domainIDs, split(o.DomainIDs)...), append(zoneIDs, split(o.ZoneIDs)...)
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
			StorageType: o.StorageType, Provisioning: o.Provisioning, CacheMode: "none", Tags: o.Tags, State: o.State, Display: o.Display,
			DomainIDs: o.DomainIDs, Domains: named(domains, o.DomainIDs), ZoneIDs: o.ZoneIDs, Zones: named(zones, o.ZoneIDs),
			Created: command.Time{Time: o.CreatedAt},
		}
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true, Details: true}, func(v *OfferingView) string { return v.ID }, func(v *OfferingView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Details = l.Details(v.ID, v.Details)
	})
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

// split is a stored list of ids.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// named is a stored list of ids as a list of names.
func named(names map[string]string, list string) string {
	var out []string
	for _, id := range split(list) {
		out = append(out, names[id])
	}
	return strings.Join(out, ",")
}

func offeringMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "diskoffering", Event: event, Roles: command.Admin, Doc: doc}
}

// CreateOfferingRequest is a new disk offering.
type CreateOfferingRequest struct {
	Name         string   `json:"name" required:"true" doc:"name of the offering"`
	DisplayText  string   `json:"displaytext" max:"4096" doc:"description; the name without it"`
	SizeGiB      int64    `json:"disksize" min:"0" max:"64000" doc:"size in GiB, of an offering that is not customized"`
	Customized   bool     `json:"customized" doc:"true lets users choose the size"`
	StorageType  string   `json:"storagetype" enum:"shared,local" doc:"shared or local"`
	Provisioning string   `json:"provisioningtype" enum:"thin" doc:"thin"`
	CacheMode    string   `json:"cachemode" enum:"none" doc:"none"`
	Tags         string   `json:"tags" max:"4096" doc:"tags that a pool must carry"`
	Display      *bool    `json:"displayoffering" doc:"false hides the offering from users"`
	DomainIDs    []string `json:"domainid" ref:"domain" doc:"the domains that may use it; all without"`
	ZoneIDs      []string `json:"zoneid" ref:"zone" doc:"the zones in which it may be used; all without"`

	ahead
}

// ahead are parameters of disk offerings that Aerie knows but does not serve
// yet.
type ahead struct {
	Encrypt        bool  `json:"encrypt" doc:"not supported yet"`
	CustomizedIOPS bool  `json:"customizediops" doc:"not supported yet"`
	Strict         bool  `json:"disksizestrictness" doc:"not supported yet"`
	MinIOPS        int64 `json:"miniops" doc:"not supported yet"`
	MaxIOPS        int64 `json:"maxiops" doc:"not supported yet"`
	BytesRead      int64 `json:"bytesreadrate" doc:"not supported yet"`
	BytesWrite     int64 `json:"byteswriterate" doc:"not supported yet"`
	IOPSRead       int64 `json:"iopsreadrate" doc:"not supported yet"`
	IOPSWrite      int64 `json:"iopswriterate" doc:"not supported yet"`
}

func (a ahead) check() error {
	for _, p := range []struct {
		name  string
		asked bool
	}{
		{"encrypt", a.Encrypt},
		{"customizediops", a.CustomizedIOPS},
		{"disksizestrictness", a.Strict},
		{"miniops", a.MinIOPS != 0},
		{"maxiops", a.MaxIOPS != 0},
		{"bytesreadrate", a.BytesRead != 0},
		{"byteswriterate", a.BytesWrite != 0},
		{"iopsreadrate", a.IOPSRead != 0},
		{"iopswriterate", a.IOPSWrite != 0},
	} {
		if p.asked {
			return fault.Param(p.name, "error.not_yet")
		}
	}
	return nil
}

func (s *Service) createOfferingCommand() *command.Command {
	return command.New(offeringMeta("createDiskOffering", "DISK.OFFERING.CREATE", "Adds a disk offering"),
		func(ctx context.Context, r CreateOfferingRequest) (OfferingView, error) {
			if err := r.check(); err != nil {
				return OfferingView{}, err
			}
			switch {
			case r.Customized && r.SizeGiB > 0:
				return OfferingView{}, fault.Param("disksize", "error.disk_customized")
			case !r.Customized && r.SizeGiB == 0:
				return OfferingView{}, fault.Param("disksize", "error.required", "command", "creatediskoffering")
			}
			o := Offering{
				Row: store.Row{ID: s.db.NewID()}, Name: r.Name, DisplayText: or(r.DisplayText, r.Name), Bytes: r.SizeGiB << 30,
				Customized: r.Customized, StorageType: or(r.StorageType, "shared"), Provisioning: "thin", Tags: r.Tags, State: "Active",
				Display: r.Display == nil || *r.Display, DomainIDs: strings.Join(r.DomainIDs, ","), ZoneIDs: strings.Join(r.ZoneIDs, ","),
			}
			if err := gorm.G[Offering](s.db.In(ctx)).Create(ctx, &o); err != nil {
				return OfferingView{}, err
			}
			return s.offeringView(ctx, o.ID)
		})
}

// UpdateOfferingRequest changes what may change of a disk offering.
type UpdateOfferingRequest struct {
	ID          string  `json:"id" ref:"diskoffering" required:"true" doc:"the offering"`
	Name        string  `json:"name" doc:"name of the offering"`
	DisplayText string  `json:"displaytext" max:"4096" doc:"description"`
	SortKey     *int    `json:"sortkey" doc:"place in lists"`
	State       string  `json:"state" enum:"Active,Inactive" doc:"whether new volumes may be made of it"`
	Display     *bool   `json:"displayoffering" doc:"false hides the offering from users"`
	Tags        *string `json:"tags" doc:"tags that a pool must carry"`
	DomainIDs   string  `json:"domainid" max:"4096" doc:"the domains that may use it, or public"`
	ZoneIDs     string  `json:"zoneid" doc:"the zones in which it may be used, or all"`
}

func (s *Service) updateOfferingCommand() *command.Command {
	return command.New(offeringMeta("updateDiskOffering", "DISK.OFFERING.EDIT", "Changes a disk offering"), s.updateOffering)
}

func (s *Service) updateOffering(ctx context.Context, r UpdateOfferingRequest) (OfferingView, error) {
	before, err := store.Find[Offering](ctx, s.db, r.ID)
	if store.IsAbsent(err) {
		err = fault.Absent("id", r.ID)
	}
	if err != nil {
		return OfferingView{}, err
	}
	set := map[string]any{"name": or(r.Name, before.Name), "display_text": or(r.DisplayText, before.DisplayText), "state": or(r.State, before.State)}
	if r.SortKey != nil {
		set["sort_key"] = *r.SortKey
	}
	if r.Display != nil {
		set["display"] = *r.Display
	}
	if r.Tags != nil {
		set["tags"] = *r.Tags
	}
	if r.DomainIDs != "" {
		if set["domain_ids"], err = ids[iam.Domain](ctx, s.db, "domainid", r.DomainIDs, "public"); err != nil {
			return OfferingView{}, err
		}
	}
	if r.ZoneIDs != "" {
		if set["zone_ids"], err = ids[infra.Zone](ctx, s.db, "zoneid", r.ZoneIDs, "all"); err != nil {
			return OfferingView{}, err
		}
	}
	if err := s.db.In(ctx).Model(&Offering{}).Where("id = ?", r.ID).Updates(set).Error; err != nil {
		return OfferingView{}, err
	}
	after, err := s.offeringView(ctx, r.ID)
	command.Changed(ctx, map[string]any{"name": before.Name, "displaytext": before.DisplayText, "state": before.State, "tags": before.Tags},
		map[string]any{"name": after.Name, "displaytext": after.DisplayText, "state": after.State, "tags": after.Tags})
	return after, err
}

// ids reads a list of ids, or the word that stands for no limit.
func ids[T any](ctx context.Context, db *store.DB, param, list, all string) (string, error) {
	if strings.EqualFold(strings.TrimSpace(list), all) {
		return "", nil
	}
	var out []string
	for id := range strings.SplitSeq(list, ",") {
		id = strings.TrimSpace(id)
		if _, err := store.Find[T](ctx, db, id); err != nil {
			if store.IsAbsent(err) {
				err = fault.Absent(param, id)
			}
			return "", err
		}
		out = append(out, id)
	}
	return strings.Join(out, ","), nil
}

// OfferingRequest names a disk offering.
type OfferingRequest struct {
	ID string `json:"id" ref:"diskoffering" required:"true" doc:"the offering"`
}

func (s *Service) deleteOfferingCommand() *command.Command {
	m := offeringMeta("deleteDiskOffering", "DISK.OFFERING.DELETE", "Removes a disk offering; volumes of it stay")
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

// ListOfferingsRequest asks for disk offerings.
type ListOfferingsRequest struct {
	command.Paging
	command.Scope
	ID          string `json:"id" ref:"diskoffering" doc:"the offering"`
	Name        string `json:"name" doc:"name of the offering, as a whole"`
	State       string `json:"state" doc:"Active, Inactive or all; administrators only"`
	StorageType string `json:"storagetype" doc:"shared or local"`
	ZoneID      string `json:"zoneid" ref:"zone" doc:"those that can be used in the zone"`
	VMID        string `json:"virtualmachineid" ref:"virtualmachine" doc:"accepted for compatibility"`
	VolumeID    string `json:"volumeid" ref:"volume" doc:"those that the volume can change to: all but its own"`
	PoolID      string `json:"storageid" ref:"storagepool" doc:"accepted for compatibility"`
	Encrypt     *bool  `json:"encrypt" doc:"whether volumes of it are encrypted; none are"`
}

func (s *Service) listOfferingsCommand() *command.Command {
	m := offeringMeta("listDiskOfferings", "", "Lists disk offerings")
	m.Roles = command.Everyone
	return command.New(m, func(ctx context.Context, r ListOfferingsRequest) (command.List[OfferingView], error) {
		if r.Encrypt != nil && *r.Encrypt {
			return command.List[OfferingView]{}, nil
		}
		list, n, err := command.Rows[Offering](r.Search(s.offeringFilter(ctx, r), "name", "display_text"), r.Paging, "sort_key, created_at, id")
		if err != nil {
			return command.List[OfferingView]{}, err
		}
		views, err := s.offeringViews(ctx, list)
		return command.List[OfferingView]{Count: n, Items: views}, err
	})
}

func (s *Service) offeringFilter(ctx context.Context, r ListOfferingsRequest) *gorm.DB {
	q := command.Equal(s.db.In(ctx).Model(&Offering{}), "id", r.ID)
	q = command.Named(command.Named(q, "name", r.Name), "storage_type", r.StorageType)
	actor, _ := store.From(ctx)
	admin := actor.IsSystem() || actor.Rank == store.Admin
	switch {
	case !admin:
		q = q.Where("state = ? AND display = ?", "Active", true)
	case r.State == "" && r.ID == "":
		q = q.Where("state = ?", "Active")
	case !strings.EqualFold(r.State, "all"):
		q = command.Named(q, "state", r.State)
	}
	if r.ZoneID != "" && r.ZoneID != "-1" {
		q = q.Where("(zone_ids = '' OR zone_ids LIKE ?)", "%"+r.ZoneID+"%")
	}
	if r.VolumeID != "" {
		q = q.Where("id NOT IN (?)", s.db.In(ctx).Model(&Volume{}).Where("id = ?", r.VolumeID).Select("disk_offering_id"))
	}
	return q
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
