package network

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// RangeView is a run of public addresses as commands return it.
type RangeView struct {
	ID         string `json:"id"`
	ZoneID     string `json:"zoneid"`
	VLAN       string `json:"vlan"`
	Gateway    string `json:"gateway"`
	Netmask    string `json:"netmask"`
	CIDR       string `json:"cidr"`
	StartIP    string `json:"startip"`
	EndIP      string `json:"endip"`
	PhysicalID string `json:"physicalnetworkid"`
	Virtual    bool   `json:"forvirtualnetwork"`
	SystemVMs  bool   `json:"forsystemvms"`
}

func (r PublicRange) view() RangeView {
	v := RangeView{
		ID: r.ID, ZoneID: r.ZoneID, VLAN: r.VLAN, Gateway: r.Gateway, Netmask: r.Netmask, StartIP: r.StartIP, EndIP: r.EndIP,
		PhysicalID: r.PhysicalNetworkID, Virtual: true,
	}
	if bits, ok := infra.Mask(r.Netmask); ok {
		if gw, err := netip.ParseAddr(r.Gateway); err == nil {
			v.CIDR = netip.PrefixFrom(gw, bits).Masked().String()
		}
	}
	return v
}

func rangeMeta(name, object, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: object, Event: event, Roles: command.Admin, Doc: doc}
}

// CreateRangeRequest is a new run of public addresses.
type CreateRangeRequest struct {
	ZoneID     string `json:"zoneid" ref:"zone" doc:"the zone"`
	PhysicalID string `json:"physicalnetworkid" ref:"physicalnetwork" doc:"the physical network; the one with public traffic without it"`
	Gateway    string `json:"gateway" doc:"gateway of the addresses"`
	Netmask    string `json:"netmask" doc:"netmask of the addresses"`
	StartIP    string `json:"startip" doc:"first address"`
	EndIP      string `json:"endip" doc:"last address; the first without it"`
	VLAN       string `json:"vlan" doc:"VLAN of the addresses; untagged without it"`
	Virtual    *bool  `json:"forvirtualnetwork" doc:"true: public addresses; others are not supported yet"`
	Account    string `json:"account" doc:"not supported yet"`
	NetworkID  string `json:"networkid" ref:"network" doc:"not supported yet"`
	IP6CIDR    string `json:"ip6cidr" doc:"not supported yet"`
	SystemVMs  bool   `json:"forsystemvms" doc:"not supported yet"`
}

func (s *Service) createRangeCommand() *command.Command {
	return command.New(rangeMeta("createVlanIpRange", "vlan", "VLAN.IP.RANGE.CREATE", "Adds a run of public addresses"),
		func(ctx context.Context, r CreateRangeRequest) (RangeView, error) {
			row, err := s.plannedRange(ctx, r)
			if err != nil {
				return RangeView{}, err
			}
			if err := s.apart(ctx, row); err != nil {
				return RangeView{}, err
			}
			return row.view(), gorm.G[PublicRange](s.db.In(ctx)).Create(ctx, &row)
		})
}

func (s *Service) plannedRange(ctx context.Context, r CreateRangeRequest) (PublicRange, error) {
	row := PublicRange{Row: store.Row{ID: s.db.NewID()}, Gateway: r.Gateway, Netmask: r.Netmask, StartIP: r.StartIP, EndIP: or(r.EndIP, r.StartIP)}
	for param, asked := range map[string]bool{
		"forvirtualnetwork": r.Virtual != nil && !*r.Virtual, "account": r.Account != "",
		"networkid": r.NetworkID != "", "ip6cidr": r.IP6CIDR != "", "forsystemvms": r.SystemVMs,
	} {
		if asked {
			return row, fault.Param(param, "error.not_yet")
		}
	}
	for _, p := range []struct{ param, value string }{{"gateway", r.Gateway}, {"netmask", r.Netmask}, {"startip", r.StartIP}} {
		if p.value == "" {
			return row, fault.Param(p.param, "error.required", "command", "createvlaniprange")
		}
	}
	if err := (infra.Span{Gateway: row.Gateway, Netmask: row.Netmask, StartIP: row.StartIP, EndIP: row.EndIP}).Check(); err != nil {
		return row, err
	}
	var err error
	if row.VLAN, err = vlanURI(r.VLAN); err != nil {
		return row, err
	}
	p, err := s.physicalFor(ctx, r)
	row.ZoneID, row.PhysicalNetworkID = p.ZoneID, p.ID
	return row, err
}

// vlanURI writes a VLAN as CloudStack keeps it.
func vlanURI(text string) (string, error) {
	id := strings.TrimPrefix(text, "vlan://")
	if id == "" || strings.EqualFold(id, "untagged") {
		return "vlan://untagged", nil
	}
	if n, err := strconv.Atoi(id); err != nil || n < 1 || n > 4094 {
		return "", fault.Param("vlan", "error.vlan_id", "value", text)
	}
	return "vlan://" + id, nil
}

// physicalFor is the physical network that carries the addresses.
func (s *Service) physicalFor(ctx context.Context, r CreateRangeRequest) (infra.PhysicalNetwork, error) {
	if r.PhysicalID != "" {
		p, err := find[infra.PhysicalNetwork](ctx, s, "physicalnetworkid", r.PhysicalID)
		if err == nil && r.ZoneID != "" && p.ZoneID != r.ZoneID {
			err = fault.Param("physicalnetworkid", "error.physical_zone", "name", p.Name)
		}
		return p, err
	}
	if r.ZoneID == "" {
		return infra.PhysicalNetwork{}, fault.Param("zoneid", "error.required", "command", "createvlaniprange")
	}
	g := s.db.In(ctx)
	p, err := gorm.G[infra.PhysicalNetwork](g).Where("zone_id = ?", r.ZoneID).
		Where("id IN (?)", g.Model(&infra.TrafficType{}).Where("type = ?", "Public").Select("physical_network_id")).Order("id").Take(ctx)
	if store.IsAbsent(err) {
		err = fault.Param("zoneid", "error.zone_public_traffic")
	}
	return p, err
}

// apart refuses addresses that another range of the zone has.
func (s *Service) apart(ctx context.Context, r PublicRange) error {
	first, last, err := r.bounds()
	if err != nil {
		return err
	}
	list, err := gorm.G[PublicRange](s.db.In(ctx)).Where("zone_id = ?", r.ZoneID).Find(ctx)
	if err != nil {
		return err
	}
	for _, other := range list {
		a, b, err := other.bounds()
		if err != nil {
			return err
		}
		if first <= b && a <= last {
			return fault.Param("startip", "error.range_overlap", "start", other.StartIP, "end", other.EndIP)
		}
	}
	return nil
}

// RangeRequest names a run of public addresses.
type RangeRequest struct {
	ID string `json:"id" ref:"vlan" required:"true" doc:"the range"`
}

func (s *Service) deleteRangeCommand() *command.Command {
	return command.New(rangeMeta("deleteVlanIpRange", "", "VLAN.IP.RANGE.DELETE", "Removes a run of public addresses that are all free"),
		func(ctx context.Context, r RangeRequest) (command.Success, error) {
			row, err := find[PublicRange](ctx, s, "id", r.ID)
			if err != nil {
				return command.Success{}, err
			}
			n, err := gorm.G[PublicIP](s.db.In(ctx)).Where("range_id = ?", row.ID).Count(ctx, "id")
			if err != nil {
				return command.Success{}, err
			}
			if n > 0 {
				return command.Success{}, fault.Param("id", "error.holds.addresses", "name", row.StartIP+"–"+row.EndIP, "n", n)
			}
			_, err = gorm.G[PublicRange](s.db.In(ctx)).Where("id = ?", row.ID).Delete(ctx)
			return command.OK, err
		})
}

// ListRangesRequest asks for runs of public addresses.
type ListRangesRequest struct {
	command.Paging
	ID         string `json:"id" ref:"vlan" doc:"the range"`
	ZoneID     string `json:"zoneid" ref:"zone" doc:"the zone"`
	PhysicalID string `json:"physicalnetworkid" ref:"physicalnetwork" doc:"the physical network"`
	VLAN       string `json:"vlan" doc:"the VLAN"`
	Virtual    *bool  `json:"forvirtualnetwork" doc:"true: public addresses"`
}

func (s *Service) listRangesCommand() *command.Command {
	return command.New(rangeMeta("listVlanIpRanges", "vlaniprange", "", "Lists runs of public addresses"),
		func(ctx context.Context, r ListRangesRequest) (command.List[RangeView], error) {
			if r.Virtual != nil && !*r.Virtual {
				return command.List[RangeView]{}, nil
			}
			q := s.db.In(ctx).Model(&PublicRange{})
			for column, v := range map[string]string{"id": r.ID, "zone_id": r.ZoneID, "physical_network_id": r.PhysicalID} {
				q = command.Equal(q, column, v)
			}
			if r.VLAN != "" {
				q = q.Where("vlan = ?", "vlan://"+strings.TrimPrefix(r.VLAN, "vlan://"))
			}
			list, n, err := command.Rows[PublicRange](r.Search(q, "start_ip", "end_ip", "gateway"), r.Paging, "created_at, id")
			return command.ListOf(list, n, PublicRange.view), err
		})
}

// Seat is the address of the host on the zone's public bridge of that name: the
// gateway of its first public addresses. It is zero when the zone's public
// traffic goes over another bridge.
func (s *Service) Seat(ctx context.Context, zoneID, bridge string) (netip.Prefix, error) {
	ctx = store.System(ctx, "the public bridge")
	g := s.db.In(ctx)
	r, err := gorm.G[PublicRange](g).Where("zone_id = ? AND physical_network_id IN (?)", zoneID,
		g.Model(&infra.TrafficType{}).Where("type = ? AND kvm_label = ?", "Public", bridge).Select("physical_network_id")).Order("id").Take(ctx)
	if store.IsAbsent(err) {
		return netip.Prefix{}, nil
	}
	if err != nil {
		return netip.Prefix{}, err
	}
	gw, err := netip.ParseAddr(r.Gateway)
	if err != nil {
		return netip.Prefix{}, err
	}
	bits, err := maskBits(r.Netmask)
	return netip.PrefixFrom(gw, bits), err
}
