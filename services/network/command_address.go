package network

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/label"
	"aerie/services/store"
)

// AddressView is a public address as commands return it.
type AddressView struct {
	ID string `json:"id"`
	iam.Belongs
	IP          string          `json:"ipaddress"`
	Allocated   command.Time    `json:"allocated"`
	State       string          `json:"state"`
	ZoneID      string          `json:"zoneid"`
	ZoneName    string          `json:"zonename"`
	NetworkID   string          `json:"associatednetworkid"`
	NetworkName string          `json:"associatednetworkname"`
	PhysicalID  string          `json:"physicalnetworkid" view:"admin"`
	RangeID     string          `json:"vlanid" view:"admin"`
	RangeName   string          `json:"vlanname" view:"admin"`
	SourceNAT   bool            `json:"issourcenat"`
	StaticNAT   bool            `json:"isstaticnat"`
	Virtual     bool            `json:"forvirtualnetwork"`
	Display     bool            `json:"fordisplay"`
	Portable    bool            `json:"isportable"`
	System      bool            `json:"issystem"`
	HasRules    bool            `json:"hasrules"`
	Annotations bool            `json:"hasannotations"`
	Tags        []label.TagView `json:"tags"`
}

// ListAddressesRequest asks for public addresses.
type ListAddressesRequest struct {
	command.Paging
	command.Scope
	label.ByTags
	ID         string `json:"id" ref:"publicipaddress" doc:"the address"`
	IP         string `json:"ipaddress" doc:"the address itself"`
	ZoneID     string `json:"zoneid" ref:"zone" doc:"the zone"`
	NetworkID  string `json:"associatednetworkid" ref:"network" doc:"addresses of the network"`
	RangeID    string `json:"vlanid" ref:"vlan" doc:"addresses of the range"`
	PhysicalID string `json:"physicalnetworkid" ref:"physicalnetwork" doc:"addresses on the physical network"`
	SourceNAT  *bool  `json:"issourcenat" doc:"whether guests leave as the address"`
	StaticNAT  *bool  `json:"isstaticnat" doc:"whether the address is one instance's"`
	Allocated  *bool  `json:"allocatedonly" doc:"addresses in use are listed, free ones never"`
	Virtual    *bool  `json:"forvirtualnetwork" doc:"true: addresses of isolated networks"`
	State      string `json:"state" doc:"Allocated"`
	CountOnly  bool   `json:"retrieveonlyresourcecount" doc:"true answers the number alone"`
}

func (s *Service) listAddressesCommand() *command.Command {
	return command.New(command.Meta{Name: "listPublicIpAddresses", Object: "publicipaddress", Roles: command.Everyone, Doc: "Lists public addresses in use"},
		s.ListAddresses)
}

// ListAddresses returns a page of the public addresses in use.
func (s *Service) ListAddresses(ctx context.Context, r ListAddressesRequest) (command.List[AddressView], error) {
	if r.State != "" && r.State != "Allocated" || r.StaticNAT != nil && *r.StaticNAT || r.Virtual != nil && !*r.Virtual {
		return command.List[AddressView]{}, nil
	}
	q, err := r.Apply(ctx, s.db.In(ctx).Model(&PublicIP{}), r.ID)
	if err != nil {
		return command.List[AddressView]{}, err
	}
	for column, v := range map[string]string{"id": r.ID, "address": r.IP, "zone_id": r.ZoneID, "network_id": r.NetworkID, "range_id": r.RangeID} {
		q = command.Equal(q, column, v)
	}
	q = r.Narrow(ctx, s.db, q)
	if r.SourceNAT != nil {
		q = q.Where("source_nat = ?", *r.SourceNAT)
	}
	if r.PhysicalID != "" {
		q = q.Where("range_id IN (?)", s.db.In(ctx).Model(&PublicRange{}).Where("physical_network_id = ?", r.PhysicalID).Select("id"))
	}
	list, n, err := command.Rows[PublicIP](r.Search(q, "address"), r.Paging, "created_at DESC, id DESC")
	if err != nil {
		return command.List[AddressView]{}, err
	}
	views, err := s.addressViews(ctx, list)
	return command.List[AddressView]{Count: n, Items: views}, err
}

func (s *Service) addressViews(ctx context.Context, list []PublicIP) ([]AddressView, error) {
	var owners []store.Owner
	var zoneIDs, networkIDs, rangeIDs []string
	for _, ip := range list {
		owners, zoneIDs = append(owners, ip.Owner()), append(zoneIDs, ip.ZoneID)
		networkIDs, rangeIDs = append(networkIDs, ip.NetworkID), append(rangeIDs, ip.RangeID)
	}
	belongs, err := s.iam.Owners(ctx, owners)
	if err != nil {
		return nil, err
	}
	zones, err := store.Names[infra.Zone](ctx, s.db, zoneIDs)
	if err != nil {
		return nil, err
	}
	nets, err := s.ByID(ctx, networkIDs)
	if err != nil {
		return nil, err
	}
	ranges, err := s.rangesByID(ctx, rangeIDs)
	if err != nil {
		return nil, err
	}
	out := make([]AddressView, len(list))
	for i, ip := range list {
		r := ranges[ip.RangeID]
		out[i] = AddressView{
			ID: ip.ID, Belongs: belongs(ip.Owner()), IP: ip.Address, Allocated: command.Time{Time: ip.CreatedAt}, State: "Allocated",
			ZoneID: ip.ZoneID, ZoneName: zones[ip.ZoneID], NetworkID: ip.NetworkID, NetworkName: nets[ip.NetworkID].Name,
			PhysicalID: r.PhysicalNetworkID, RangeID: ip.RangeID, RangeName: r.VLAN, SourceNAT: ip.SourceNAT, Virtual: true, Display: true,
		}
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Tags: true, Notes: true}, func(v *AddressView) string { return v.ID }, func(v *AddressView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Tags = l.Tags(v.ID)
	})
}

func (s *Service) rangesByID(ctx context.Context, ids []string) (map[string]PublicRange, error) {
	out := map[string]PublicRange{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []PublicRange
	err := s.db.In(ctx).Unscoped().Where("id IN ?", ids).Find(&rows).Error
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, err
}
