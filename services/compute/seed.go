package compute

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Seed makes the offerings that users of CloudStack know. It belongs in a
// transaction that runs once.
func (s *Service) Seed(ctx context.Context) error {
	size := func(name, text string, mhz, mib int) Offering {
		return Offering{
			Row: store.Row{ID: s.db.NewID()}, Name: name, DisplayText: text, CPUs: 1, MHz: mhz, MemoryMiB: mib,
			StorageType: "shared", Provisioning: "thin", State: "Active",
		}
	}
	list := []Offering{
		size("Small Instance", "Small Instance", 500, 512),
		size("Medium Instance", "Medium Instance", 1000, 1024),
	}
	return gorm.G[Offering](s.db.In(ctx)).CreateInBatches(ctx, &list, len(list))
}
