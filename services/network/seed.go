package network

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Seed makes the network offerings that users of CloudStack know, as far as
// their services exist. It belongs in a transaction that runs once.
func (s *Service) Seed(ctx context.Context) error {
	offering := func(name, text, availability, services string) Offering {
		return Offering{
			Row: store.Row{ID: s.db.NewID()}, Name: name, DisplayText: text, TrafficType: "Guest", GuestType: "Isolated",
			State: "Enabled", Availability: availability, IsDefault: true, Conserve: true, EgressAllow: true, NetworkRate: 200, Services: services,
		}
	}
	list := []Offering{
		offering("DefaultIsolatedNetworkOfferingWithSourceNatService", "Offering for Isolated networks with Source Nat service enabled",
			"Required", "Dhcp,Dns,UserData,SourceNat"),
		offering("DefaultIsolatedNetworkOffering", "Offering for Isolated networks with no Source Nat service", "Optional", "Dhcp,Dns,UserData"),
	}
	return gorm.G[Offering](s.db.In(ctx)).CreateInBatches(ctx, &list, len(list))
}
