package storage_test

import (
	"fmt"
	"testing"

	"gorm.io/gorm"

	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/network"
	"aerie/services/placement"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// TestRowsFitTheirTables compares every row with its migrated table: a field
// without a column fails at the first query, a column that must be set and has
// no field fails at the first insert.
func TestRowsFitTheirTables(t *testing.T) {
	db := storetest.Open(t)
	g := db.In(store.System(t.Context(), "test"))
	for _, model := range []any{
		&infra.Zone{}, &infra.Pod{}, &infra.Cluster{}, &infra.Host{}, &infra.Pool{}, &infra.ImageStore{}, &infra.PhysicalNetwork{}, &infra.TrafficType{},
		&network.Offering{}, &network.Network{}, &network.PublicRange{}, &network.PublicIP{}, &network.Router{}, &network.NIC{},
		&storage.Offering{}, &storage.Volume{}, &image.Template{}, &image.Copy{}, &image.Base{}, &placement.Claim{}, &placement.Allocation{}, &placement.Seat{}, &placement.Home{}, &network.VPCOffering{},
	} {
		t.Run(fmt.Sprintf("%T", model), func(t *testing.T) {
			st := &gorm.Statement{DB: g}
			if err := st.Parse(model); err != nil {
				t.Fatal(err)
			}
			columns, err := g.Migrator().ColumnTypes(model)
			if err != nil || len(columns) == 0 {
				t.Fatalf("table %s: %d columns, %v", st.Schema.Table, len(columns), err)
			}
			have := map[string]bool{}
			for _, c := range columns {
				have[c.Name()] = true
				_, isField := st.Schema.FieldsByDBName[c.Name()]
				nullable, _ := c.Nullable()
				if _, hasDefault := c.DefaultValue(); !isField && !nullable && !hasDefault {
					t.Errorf("column %s must be set but is no field", c.Name())
				}
			}
			for name, f := range st.Schema.FieldsByDBName {
				if !have[name] {
					t.Errorf("field %s: there is no column %s", f.Name, name)
				}
			}
		})
	}
}
