package compute

import (
	"context"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/store"
)

// UpdateOfferingRequest changes what may change of a size.
type UpdateOfferingRequest struct {
	ID           string            `json:"id" ref:"serviceoffering" required:"true" doc:"the size"`
	Name         string            `json:"name" doc:"name of the size"`
	DisplayText  string            `json:"displaytext" max:"4096" doc:"description"`
	SortKey      *int              `json:"sortkey" doc:"place in lists: the least comes first"`
	State        string            `json:"state" enum:"Active,Inactive" doc:"whether new instances may be made of it"`
	HostTags     *string           `json:"hosttags" doc:"tags that a host must carry"`
	StorageTags  *string           `json:"storagetags" doc:"tags that a pool must carry"`
	DomainIDs    string            `json:"domainid" max:"4096" doc:"the domains that may use it, or public"`
	ZoneIDs      string            `json:"zoneid" max:"4096" doc:"the zones in which it may be used, or all"`
	Purge        bool              `json:"purgeresources" doc:"refused: what is expunged stays in the records"`
	External     map[string]string `json:"externaldetails" doc:"refused: there are no extensions"`
	CleanExteral bool              `json:"cleanupexternaldetails" doc:"true removes the details of extensions, of which there are none"`
}

func (s *Service) updateOfferingCommand() *command.Command {
	return command.New(offeringMeta("updateServiceOffering", "SERVICE.OFFERING.EDIT", "Changes a size of instances", command.Admins), s.updateOffering)
}

func (s *Service) updateOffering(ctx context.Context, r UpdateOfferingRequest) (OfferingView, error) {
	if err := (absent{Purge: r.Purge, External: r.External}).check(); err != nil {
		return OfferingView{}, err
	}
	before, err := s.myOffering(ctx, r.ID)
	if err != nil {
		return OfferingView{}, err
	}
	set, err := s.offeringChanges(ctx, r)
	if err != nil {
		return OfferingView{}, err
	}
	if len(set) > 0 {
		if err := s.db.In(ctx).Model(&Offering{}).Where("id = ?", r.ID).Updates(set).Error; err != nil {
			return OfferingView{}, err
		}
	}
	after, err := s.offeringView(ctx, r.ID)
	old := viewOffering(before)
	command.Changed(ctx, offeringShort(old), offeringShort(after))
	return after, err
}

// offeringShort is what events tell of a changed size.
func offeringShort(v OfferingView) map[string]any {
	return map[string]any{"name": v.Name, "displaytext": v.DisplayText, "state": v.State, "domainid": v.DomainIDs, "zoneid": v.ZoneIDs, "hosttags": v.HostTags, "storagetags": v.StorageTags}
}

func (s *Service) offeringChanges(ctx context.Context, r UpdateOfferingRequest) (set map[string]any, err error) {
	set = map[string]any{}
	for column, v := range map[string]string{"name": r.Name, "display_text": r.DisplayText, "state": r.State} {
		if v != "" {
			set[column] = v
		}
	}
	if r.SortKey != nil {
		set["sort_key"] = *r.SortKey
	}
	for _, p := range []struct {
		param, column string
		tags          *string
	}{{"hosttags", "host_tags", r.HostTags}, {"storagetags", "storage_tags", r.StorageTags}} {
		if p.tags == nil {
			continue
		}
		tags := infra.CleanTags(*p.tags)
		if err := s.mayTag(ctx, p.param, tags); err != nil {
			return nil, err
		}
		set[p.column] = tags
	}
	if r.DomainIDs != "" {
		domains, err := infra.List[iam.Domain](ctx, s.db, "domainid", r.DomainIDs, "public")
		if err != nil {
			return nil, err
		}
		if err := infra.MayOffer(ctx, s.db, infra.Listed(domains)); err != nil {
			return nil, err
		}
		set["domain_ids"] = domains
	}
	if r.ZoneIDs != "" {
		if set["zone_ids"], err = infra.List[infra.Zone](ctx, s.db, "zoneid", r.ZoneIDs, "all"); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// mayTag refuses tags of who may not say where things go.
func (s *Service) mayTag(ctx context.Context, param, tags string) error {
	actor, _ := store.From(ctx)
	if tags == "" || s.MayTag(ctx, actor) {
		return nil
	}
	return fault.Param(param, "error.offering_tags")
}

// MayTag tells whether the actor may make offerings with tags: administrators,
// and those of domains where a setting lets them.
func (s *Service) MayTag(ctx context.Context, a store.Actor) bool {
	return a.IsSystem() || a.Rank == store.Admin || a.Rank == store.DomainAdmin && s.Settings.tagged.Get(ctx)
}

// TagsRequest names an account.
type TagsRequest struct {
	ID string `json:"id" ref:"account" required:"true" doc:"the account"`
}

// TagsView tells whether an account may make offerings with tags.
type TagsView struct {
	Allowed bool `json:"isallowed"`
}

func (s *Service) mayTagCommand() *command.Command {
	m := command.Meta{
		Name: "isAccountAllowedToCreateOfferingsWithTags", Object: "isallowed", Roles: command.Admins,
		Doc: "Tells whether an account may make offerings with tags",
	}
	return command.New(m, func(ctx context.Context, r TagsRequest) (TagsView, error) {
		a, err := store.Find[iam.Account](ctx, s.db, r.ID)
		if err != nil {
			return TagsView{}, named(err, "id", r.ID)
		}
		return TagsView{s.MayTag(ctx, store.Actor{Owner: a.Owner(), Rank: a.Type})}, nil
	})
}
