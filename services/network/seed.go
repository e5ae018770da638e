package network

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/store"
)

// later is why an offering of CloudStack's waits disabled.
const sharedLater, vpcLater = " (disabled: shared networks cannot be made yet)", " (disabled: VPCs cannot be made yet)"

// Seed makes the network offerings that users of CloudStack know. Those whose
// networks cannot be made yet are there under their names, disabled. It belongs
// in a transaction that runs once.
func (s *Service) Seed(ctx context.Context) error {
	row := func() store.Row { return store.Row{ID: s.db.NewID()} }
	isolated := func(name, text, availability, services string) Offering {
		return Offering{
			Row: row(), Name: name, DisplayText: text, TrafficType: "Guest", GuestType: "Isolated",
			State: "Enabled", Availability: availability, IsDefault: true, Conserve: true, EgressAllow: true, NetworkRate: 200, Services: services,
		}
	}
	waiting := func(name, text, kind, services string, vpc bool) Offering {
		o := isolated(name, text, "Optional", services)
		o.GuestType, o.State, o.ForVPC = kind, "Disabled", vpc
		o.Conserve, o.SpecifyVLAN, o.SpecifyRanges = !vpc, kind == "Shared", kind == "Shared"
		return o
	}
	list := []Offering{
		isolated("DefaultIsolatedNetworkOfferingWithSourceNatService", "Offering for Isolated networks with Source Nat service enabled",
			"Required", "Dhcp,Dns,UserData,SourceNat"),
		isolated("DefaultIsolatedNetworkOffering", "Offering for Isolated networks with no Source Nat service", "Optional", "Dhcp,Dns,UserData"),
		waiting("DefaultSharedNetworkOffering", "Offering for Shared networks"+sharedLater, "Shared", "Dhcp,Dns,UserData", false),
		waiting("DefaultSharedNetworkOfferingWithSGService", "Offering for Shared networks with Security Group service"+sharedLater, "Shared",
			"Dhcp,Dns,UserData,SecurityGroup", false),
		waiting("DefaultIsolatedNetworkOfferingForVpcNetworks", "Offering for tiers of VPCs"+vpcLater, "Isolated",
			"Dhcp,Dns,UserData,SourceNat,StaticNat,PortForwarding,Lb,Vpn,NetworkACL", true),
		waiting("DefaultIsolatedNetworkOfferingForVpcNetworksNoLB", "Offering for tiers of VPCs without a load balancer"+vpcLater, "Isolated",
			"Dhcp,Dns,UserData,SourceNat,StaticNat,PortForwarding,Vpn,NetworkACL", true),
	}
	g := s.db.In(ctx)
	if err := gorm.G[Offering](g).CreateInBatches(ctx, &list, len(list)); err != nil {
		return err
	}
	return gorm.G[VPCOffering](g).Create(ctx, &VPCOffering{
		Row: row(), Name: "Default VPC offering", DisplayText: "Default VPC offering" + vpcLater, State: "Disabled", IsDefault: true,
		Services: "SourceNat,NetworkACL,PortForwarding,StaticNat,Lb,UserData,Dhcp,Dns,Vpn",
	})
}
