package storage

import (
	"context"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/store"
)

// UpdateOfferingRequest changes what may change of a disk offering.
type UpdateOfferingRequest struct {
	ID          string  `json:"id" ref:"diskoffering" required:"true" doc:"the offering"`
	Name        string  `json:"name" doc:"name of the offering"`
	DisplayText string  `json:"displaytext" max:"4096" doc:"description"`
	SortKey     *int    `json:"sortkey" doc:"place in lists: the least comes first"`
	State       string  `json:"state" enum:"Active,Inactive" doc:"whether new volumes may be made of it"`
	Display     *bool   `json:"displayoffering" doc:"false hides the offering from users"`
	Tags        *string `json:"tags" max:"4096" doc:"tags that a pool must carry"`
	DomainIDs   string  `json:"domainid" max:"4096" doc:"the domains that may use it, or public"`
	ZoneIDs     string  `json:"zoneid" max:"4096" doc:"the zones in which it may be used, or all"`

	RateRequest
}

func (s *Service) updateOfferingCommand() *command.Command {
	return command.New(offeringMeta("updateDiskOffering", "DISK.OFFERING.EDIT",
		"Changes a disk offering; disks take new limits at the next start of their instance"), s.updateOffering)
}

func (s *Service) updateOffering(ctx context.Context, r UpdateOfferingRequest) (OfferingView, error) {
	before, err := s.mine(ctx, r.ID)
	if err != nil {
		return OfferingView{}, err
	}
	limits := before.Limits
	set, err := r.RateRequest.Into(&limits)
	if err != nil {
		return OfferingView{}, err
	}
	for column, v := range map[string]string{"name": r.Name, "display_text": r.DisplayText, "state": r.State} {
		if v != "" {
			set[column] = v
		}
	}
	if r.SortKey != nil {
		set["sort_key"] = *r.SortKey
	}
	if r.Display != nil {
		set["display"] = *r.Display
	}
	if r.Tags != nil {
		tags := infra.CleanTags(*r.Tags)
		if err := s.mayTag(ctx, "tags", tags); err != nil {
			return OfferingView{}, err
		}
		set["tags"] = tags
	}
	if r.DomainIDs != "" {
		if set["domain_ids"], err = infra.List[iam.Domain](ctx, s.db, "domainid", r.DomainIDs, "public"); err != nil {
			return OfferingView{}, err
		}
		if err := infra.MayOffer(ctx, s.db, infra.Listed(set["domain_ids"].(string))); err != nil {
			return OfferingView{}, err
		}
	}
	if r.ZoneIDs != "" {
		if set["zone_ids"], err = infra.List[infra.Zone](ctx, s.db, "zoneid", r.ZoneIDs, "all"); err != nil {
			return OfferingView{}, err
		}
	}
	if len(set) > 0 {
		if err := s.db.In(ctx).Model(&Offering{}).Where("id = ?", r.ID).Updates(set).Error; err != nil {
			return OfferingView{}, err
		}
	}
	after, err := s.offeringView(ctx, r.ID)
	command.Changed(ctx, map[string]any{"name": before.Name, "displaytext": before.DisplayText, "state": before.State, "tags": before.Tags},
		map[string]any{"name": after.Name, "displaytext": after.DisplayText, "state": after.State, "tags": after.Tags})
	return after, err
}

// mine finds an offering that the actor may change.
func (s *Service) mine(ctx context.Context, id string) (Offering, error) {
	o, err := store.Hold[Offering](ctx, s.db, id)
	if store.IsAbsent(err) {
		err = fault.Absent("id", id)
	}
	if err != nil {
		return o, err
	}
	return o, infra.MayChange(ctx, s.db, id, o.DomainIDs)
}
