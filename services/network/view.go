package network

import (
	"context"
	"net/netip"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// View is a network as commands return it.
type View struct {
	ID string `json:"id"`
	iam.Belongs
	command.Pending
	Name             string            `json:"name"`
	DisplayText      string            `json:"displaytext"`
	State            State             `json:"state"`
	Type             string            `json:"type"`
	TrafficType      string            `json:"traffictype"`
	ZoneID           string            `json:"zoneid"`
	ZoneName         string            `json:"zonename"`
	PhysicalID       string            `json:"physicalnetworkid" view:"admin"`
	OfferingID       string            `json:"networkofferingid"`
	OfferingName     string            `json:"networkofferingname"`
	OfferingText     string            `json:"networkofferingdisplaytext"`
	OfferingConserve bool              `json:"networkofferingconservemode"`
	Availability     string            `json:"networkofferingavailability"`
	CIDR             string            `json:"cidr"`
	Gateway          string            `json:"gateway"`
	Netmask          string            `json:"netmask"`
	NetworkDomain    string            `json:"networkdomain"`
	DNS1             string            `json:"dns1"`
	DNS2             string            `json:"dns2"`
	MTU              int               `json:"privatemtu"`
	PublicMTU        int               `json:"publicmtu"`
	Protocol         string            `json:"internetprotocol"`
	ACLType          string            `json:"acltype"`
	Related          string            `json:"related"`
	BroadcastType    string            `json:"broadcastdomaintype"`
	Display          bool              `json:"displaynetwork"`
	RestartRequired  bool              `json:"restartrequired"`
	Persistent       bool              `json:"ispersistent"`
	Default          bool              `json:"isdefault"`
	System           bool              `json:"issystem"`
	CanDeploy        bool              `json:"canusefordeploy"`
	EgressAllow      bool              `json:"egressdefaultpolicy"`
	SpecifyVLAN      bool              `json:"specifyvlan"`
	SpecifyRanges    bool              `json:"specifyipranges"`
	Stretched        bool              `json:"strechedl2subnet"`
	Redundant        bool              `json:"redundantrouter"`
	Subdomains       bool              `json:"subdomainaccess"`
	Autoscaling      bool              `json:"supportsvmautoscaling"`
	Annotations      bool              `json:"hasannotations"`
	Created          command.Time      `json:"created"`
	Services         []ServiceView     `json:"service"`
	Tags             []label.TagView   `json:"tags"`
	Icon             *label.Icon       `json:"icon"`
	Details          map[string]string `json:"details"`
}

// Show returns one network as commands return it.
func (s *Service) Show(ctx context.Context, id string) (View, error) {
	n, err := store.Find[Network](ctx, s.db, id)
	if err != nil {
		return View{}, err
	}
	views, err := s.Views(ctx, []Network{n})
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// Views makes the views of many networks: a constant number of queries.
func (s *Service) Views(ctx context.Context, list []Network) ([]View, error) {
	var owners []store.Owner
	var zoneIDs, offeringIDs, entities []string
	for _, n := range list {
		owners, zoneIDs = append(owners, n.Owner()), append(zoneIDs, n.ZoneID)
		offeringIDs, entities = append(offeringIDs, n.OfferingID), append(entities, n.Entity())
	}
	belongs, err := s.iam.Owners(ctx, owners)
	if err != nil {
		return nil, err
	}
	zones, err := store.Names[infra.Zone](ctx, s.db, zoneIDs)
	if err != nil {
		return nil, err
	}
	offerings, err := s.offeringsByID(ctx, offeringIDs)
	if err != nil {
		return nil, err
	}
	jobs, err := gorm.G[job.Row](s.db.In(ctx)).Where("entity IN ? AND live = ?", entities, true).Select("id", "entity").Find(ctx)
	if err != nil {
		return nil, err
	}
	busy := map[string]string{}
	for _, j := range jobs {
		busy[j.Entity] = j.ID
	}
	out := make([]View, len(list))
	for i, n := range list {
		out[i] = n.view(offerings[n.OfferingID])
		out[i].Belongs, out[i].ZoneName = belongs(n.Owner()), zones[n.ZoneID]
		if id := busy[n.Entity()]; id != "" {
			out[i].Pending = command.Pending{JobID: id, JobStatus: new(0)}
		}
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Tags: true, Notes: true, Details: true}, func(v *View) string { return v.ID }, func(v *View, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Tags, v.Details = l.Tags(v.ID), l.Details(v.ID, v.Details)
	})
}

func (n Network) view(o Offering) View {
	return View{
		ID: n.ID, Name: n.Name, DisplayText: n.DisplayText, State: n.State, Type: n.GuestType, TrafficType: "Guest", ZoneID: n.ZoneID,
		PhysicalID: n.PhysicalNetworkID, OfferingID: n.OfferingID, OfferingName: o.Name, OfferingText: o.DisplayText,
		OfferingConserve: o.Conserve, Availability: o.Availability, CIDR: n.CIDR, Gateway: n.Gateway, Netmask: netmask(n.CIDR),
		NetworkDomain: n.NetworkDomain, DNS1: n.DNS1, DNS2: n.DNS2, MTU: n.MTU, PublicMTU: n.PublicMTU, Protocol: "IPv4", ACLType: "Account",
		Related: n.ID, BroadcastType: "Vlan", Display: n.Display, RestartRequired: n.RestartRequired, Persistent: o.Persistent,
		CanDeploy: n.State != Destroy, EgressAllow: o.EgressAllow, SpecifyVLAN: o.SpecifyVLAN, SpecifyRanges: o.SpecifyRanges,
		Created: command.Time{Time: n.CreatedAt}, Services: o.services(),
	}
}

func (s *Service) offeringsByID(ctx context.Context, ids []string) (map[string]Offering, error) {
	out := map[string]Offering{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []Offering
	sys := store.System(ctx, "offerings of what is shown")
	err := s.db.In(sys).Unscoped().Where("id IN ?", ids).Find(&rows).Error
	for _, o := range rows {
		out[o.ID] = o
	}
	return out, err
}

// netmask is the dotted netmask of a CIDR.
func netmask(cidr string) string {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return ""
	}
	return Address(0xffffffff ^ (1<<(32-p.Bits()) - 1)).String()
}

// ListRequest asks for networks.
type ListRequest struct {
	command.Paging
	command.Scope
	label.ByTags
	label.Show
	ID              string   `json:"id" ref:"network" doc:"the network"`
	Name            string   `json:"name" doc:"name of the network, as a whole"`
	ZoneID          string   `json:"zoneid" ref:"zone" doc:"the zone"`
	OfferingID      string   `json:"networkofferingid" ref:"networkoffering" doc:"networks of the offering"`
	PhysicalID      string   `json:"physicalnetworkid" ref:"physicalnetwork" doc:"networks on the physical network"`
	Type            string   `json:"type" doc:"Isolated, Shared or L2"`
	TrafficType     string   `json:"traffictype" doc:"Guest"`
	ACLType         string   `json:"acltype" doc:"Account or Domain"`
	Filter          string   `json:"networkfilter" doc:"accepted for compatibility: every network is an account's own"`
	Services        []string `json:"supportedservices" doc:"services that the network must have"`
	RestartRequired *bool    `json:"restartrequired" doc:"whether the network needs a restart"`
	Display         *bool    `json:"displaynetwork" doc:"whether the network is shown to its users"`
	CanDeploy       *bool    `json:"canusefordeploy" doc:"whether instances can be deployed in it"`
	System          bool     `json:"issystem" doc:"true lists networks of the system; Aerie has none"`
	ForVPC          *bool    `json:"forvpc" doc:"whether the network is a tier of a VPC"`
	VPCID           string   `json:"vpcid" type:"uuid" doc:"tiers of the VPC"`
	SpecifyRanges   *bool    `json:"specifyipranges" doc:"whether the network names its addresses"`
	CountOnly       bool     `json:"retrieveonlyresourcecount" doc:"true answers the number alone"`
}

func (s *Service) listCommand() *command.Command {
	return command.New(meta("listNetworks", "", "Lists networks"), s.List)
}

// List returns a page of networks.
func (s *Service) List(ctx context.Context, r ListRequest) (command.List[View], error) {
	none := r.System || r.ForVPC != nil && *r.ForVPC || r.VPCID != "" && r.VPCID != "-1" || r.SpecifyRanges != nil && *r.SpecifyRanges ||
		r.TrafficType != "" && r.TrafficType != "Guest" || r.ACLType != "" && r.ACLType != "Account"
	if none {
		return command.List[View]{}, nil
	}
	q, err := r.Apply(ctx, s.db.In(ctx).Model(&Network{}), r.ID)
	if err != nil {
		return command.List[View]{}, err
	}
	list, n, err := command.Rows[Network](r.Search(s.filter(ctx, q, r), "name", "display_text"), r.Paging, "created_at DESC, id DESC")
	if err != nil {
		return command.List[View]{}, err
	}
	views, err := s.Views(ctx, list)
	if err == nil {
		err = label.Fill(ctx, s.db, views, label.Want{Icons: r.Icon}, func(v *View) string { return v.ID }, func(v *View, l label.Shown) { v.Icon = l.Icon(v.ID) })
	}
	return command.List[View]{Count: n, Items: views}, err
}

func (s *Service) filter(ctx context.Context, q *gorm.DB, r ListRequest) *gorm.DB {
	for column, v := range map[string]string{"id": r.ID, "zone_id": r.ZoneID, "offering_id": r.OfferingID, "physical_network_id": r.PhysicalID} {
		q = command.Equal(q, column, v)
	}
	q = command.Named(command.Named(q, "name", r.Name), "guest_type", r.Type)
	for column, v := range map[string]*bool{"restart_required": r.RestartRequired, "display": r.Display} {
		if v != nil {
			q = q.Where(column+" = ?", *v)
		}
	}
	if r.CanDeploy != nil {
		q = q.Where(map[bool]string{true: "state <> ?", false: "state = ?"}[*r.CanDeploy], Destroy)
	}
	q = r.Narrow(ctx, s.db, q)
	for _, service := range r.Services {
		q = q.Where("offering_id IN (?)", s.db.In(ctx).Model(&Offering{}).Where("services LIKE ? ESCAPE '!'", store.Contains(service)).Select("id"))
	}
	return q
}
