package storage

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Seed makes the disk offerings that users of CloudStack know. It belongs in a
// transaction that runs once.
func (s *Service) Seed(ctx context.Context) error {
	var list []Offering
	for _, o := range []struct {
		name, text string
		gib        int64
	}{
		{"Small", "Small Disk, 5 GB", 5},
		{"Medium", "Medium Disk, 20 GB", 20},
		{"Large", "Large Disk, 100 GB", 100},
		{"Custom", "Custom Disk", 0},
	} {
		list = append(list, Offering{
			Row: store.Row{ID: s.db.NewID()}, Name: o.name, DisplayText: o.text, Bytes: o.gib << 30,
			Customized: o.gib == 0, StorageType: "shared", Provisioning: "thin", State: "Active", Display: true,
		})
	}
	return gorm.G[Offering](s.db.In(ctx)).CreateInBatches(ctx, &list, len(list))
}
