package network

import (
	"context"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
)

// UpdateOfferingRequest changes what may change of a network offering.
type UpdateOfferingRequest struct {
	ID             string  `json:"id" ref:"networkoffering" doc:"the offering"`
	Name           string  `json:"name" doc:"name of the offering"`
	DisplayText    string  `json:"displaytext" doc:"description"`
	State          string  `json:"state" enum:"Enabled,Disabled" doc:"whether new networks may be made of it"`
	Availability   string  `json:"availability" enum:"Optional,Required" doc:"Required: accounts get a network of it with their first instance"`
	MaxConnections *int    `json:"maxconnections" min:"0" doc:"most connections of a load balancer"`
	Tags           *string `json:"tags" max:"4096" doc:"tags that a physical network must carry"`
	SortKey        *int    `json:"sortkey" doc:"place in lists: the least comes first"`
	KeepAlive      bool    `json:"keepaliveenabled" doc:"refused: there are no load balancers yet"`
	DomainIDs      string  `json:"domainid" max:"4096" doc:"the domains that may use it, or public"`
	ZoneIDs        string  `json:"zoneid" max:"4096" doc:"the zones in which it may be used, or all"`
}

func (s *Service) updateOfferingCommand() *command.Command {
	return command.New(offeringMeta("updateNetworkOffering", "NETWORK.OFFERING.EDIT", "Changes a network offering"), s.updateOffering)
}

func (s *Service) updateOffering(ctx context.Context, r UpdateOfferingRequest) (OfferingView, error) {
	if r.ID == "" {
		return OfferingView{}, fault.Param("id", "error.required", "command", "updatenetworkoffering")
	}
	if r.KeepAlive {
		return OfferingView{}, fault.Param("keepaliveenabled", "error.not_yet")
	}
	before, err := find[Offering](ctx, s, "id", r.ID)
	if err != nil {
		return OfferingView{}, err
	}
	if r.State == "Enabled" && (before.GuestType != "Isolated" || before.ForVPC) {
		return OfferingView{}, fault.Param("state", "error.not_yet")
	}
	o := before
	o.Name, o.DisplayText = or(r.Name, o.Name), or(r.DisplayText, o.DisplayText)
	o.Availability = or(r.Availability, o.Availability)
	if err := s.offeringRules(ctx, o); err != nil {
		return OfferingView{}, err
	}
	set := map[string]any{"name": o.Name, "display_text": o.DisplayText, "availability": o.Availability, "state": or(r.State, before.State)}
	if r.MaxConnections != nil {
		set["max_connections"] = *r.MaxConnections
	}
	if r.SortKey != nil {
		set["sort_key"] = *r.SortKey
	}
	if r.Tags != nil {
		set["tags"] = infra.CleanTags(*r.Tags)
	}
	if r.DomainIDs != "" {
		if set["domain_ids"], err = infra.List[iam.Domain](ctx, s.db, "domainid", r.DomainIDs, "public"); err != nil {
			return OfferingView{}, err
		}
	}
	if r.ZoneIDs != "" {
		if set["zone_ids"], err = infra.List[infra.Zone](ctx, s.db, "zoneid", r.ZoneIDs, "all"); err != nil {
			return OfferingView{}, err
		}
	}
	if err := s.db.In(ctx).Model(&Offering{}).Where("id = ?", r.ID).Updates(set).Error; err != nil {
		return OfferingView{}, err
	}
	after, err := s.offeringView(ctx, r.ID)
	command.Changed(ctx, map[string]any{"name": before.Name, "displaytext": before.DisplayText, "state": before.State, "availability": before.Availability},
		map[string]any{"name": after.Name, "displaytext": after.DisplayText, "state": after.State, "availability": after.Availability})
	return after, err
}
