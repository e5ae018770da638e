package store_test

import (
	"context"
	"errors"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/store"
	"aerie/services/store/storetest"
)

type place struct {
	ID   string `gorm:"primaryKey;size:36"`
	Name string
}

func (place) TableName() string { return "t_places" }

type part struct {
	ID string `gorm:"primaryKey;size:36"`
	store.Owned
	ThingID string
}

func (part) TableName() string { return "t_parts" }

type thing struct {
	ID   string `gorm:"primaryKey;size:36"`
	Name string
	store.Owned
	PlaceID string
	Place   place
	Parts   []part `gorm:"foreignKey:ThingID"`
}

func (thing) TableName() string { return "t_things" }

type shared struct {
	ID     string `gorm:"primaryKey;size:36"`
	Public bool
	store.Owned
}

func (shared) TableName() string { return "t_shared" }

func (shared) Scope(a store.Actor) clause.Expression {
	own := store.OwnedScope(a)
	if own == nil {
		return nil
	}
	return clause.Or(own, clause.Eq{Column: store.Column("public"), Value: true})
}

// card is limited, but not by its account.
type card struct {
	ID     string `gorm:"primaryKey;size:36"`
	UserID string
	Name   string
}

func (card) TableName() string { return "t_cards" }

func (card) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() {
		return nil
	}
	return clause.Eq{Column: store.Column("user_id"), Value: a.UserID}
}

// lookalike reads a fenced table by a type that is not fenced.
type lookalike struct{ ID, Name string }

var (
	ownerA = store.Owner{AccountID: "a", DomainID: "da", DomainPath: "/1/7/"}
	ownerB = store.Owner{AccountID: "b", DomainID: "db", DomainPath: "/1/71/"}
)

func as(t *testing.T, a store.Actor) context.Context { return store.With(t.Context(), a) }

func world(t *testing.T) *store.DB {
	t.Helper()
	db := storetest.Open(t)
	sys := store.System(t.Context(), "test")
	must(t, db.Tx(sys, func(ctx context.Context) error {
		g := db.In(ctx)
		if err := g.AutoMigrate(&place{}, &thing{}, &part{}, &shared{}, &card{}); err != nil {
			return err
		}
		return errors.Join(
			g.Create(&place{"z", "zone"}).Error,
			g.Omit(clause.Associations).Create(&[]thing{
				{ID: "t-a", Name: "na", Owned: store.Owned(ownerA), PlaceID: "z"},
				{ID: "t-b", Name: "nb", Owned: store.Owned(ownerB), PlaceID: "z"},
			}).Error,
			g.Create(&[]part{{"p-a", store.Owned(ownerA), "t-a"}, {"p-b", store.Owned(ownerB), "t-b"}, {"p-x", store.Owned(ownerB), "t-a"}}).Error,
			g.Create(&[]card{{"c-b", "ub", "nb"}}).Error,
			g.Create(&[]shared{{"s-b", false, store.Owned(ownerB)}, {"s-public", true, store.Owned(ownerB)}}).Error,
		)
	}))
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoWayRound tries every way gorm offers to reach a foreign row.
func TestNoWayRound(t *testing.T) {
	var (
		things []thing
		parts  []part
		names  []string
		one    thing
		n      int64
	)
	ways := map[string]func(g *gorm.DB) (reached bool){
		"find":        func(g *gorm.DB) bool { g.Find(&things); return len(things) != 1 },
		"first by id": func(g *gorm.DB) bool { return g.First(&one, "id = ?", "t-b").Error == nil },
		"or after": func(g *gorm.DB) bool {
			g.Where("name = ?", "na").Or("name = ?", "nb").Find(&things)
			return len(things) != 1
		},
		"or before": func(g *gorm.DB) bool {
			g.Where("name = ?", "nb").Or("name = ?", "na").Find(&things)
			return len(things) != 1
		},
		"count":           func(g *gorm.DB) bool { g.Model(&thing{}).Count(&n); return n != 1 },
		"pluck":           func(g *gorm.DB) bool { g.Model(&thing{}).Pluck("name", &names); return len(names) != 1 },
		"preload":         func(g *gorm.DB) bool { g.Preload("Parts").First(&one, "id = ?", "t-a"); return len(one.Parts) != 1 },
		"join belongs to": func(g *gorm.DB) bool { g.Joins("Place").Find(&things); return len(things) != 1 },
		"table":           func(g *gorm.DB) bool { return g.Table("t_things").Pluck("name", &names).Error == nil },
		"raw":             func(g *gorm.DB) bool { return g.Raw("select name from t_things").Scan(&names).Error == nil },
		"exec":            func(g *gorm.DB) bool { return g.Exec("update t_things set name = 'x'").Error == nil },
		"update": func(g *gorm.DB) bool {
			return g.Model(&thing{}).Where("id = ?", "t-b").Update("name", "x").RowsAffected > 0
		},
		"save foreign key": func(g *gorm.DB) bool { return g.Save(&thing{ID: "t-b", Name: "x"}).Error == nil },
		"delete":           func(g *gorm.DB) bool { return g.Where("id = ?", "t-b").Delete(&thing{}).RowsAffected > 0 },
		"unscoped":         func(g *gorm.DB) bool { g.Unscoped().Find(&things); return len(things) != 1 },
		"subquery": func(g *gorm.DB) bool {
			g.Model(&place{}).Where("id IN (?)", g.Model(&thing{}).Where("id = ?", "t-b").Select("place_id")).Pluck("name", &names)
			return len(names) > 0
		},
		"rows": func(g *gorm.DB) bool {
			rows, err := g.Model(&thing{}).Rows()
			if err != nil {
				return false
			}
			defer rows.Close()
			for rows.Next() {
				n++
			}
			return n > 1 || rows.Err() != nil
		},
		"association": func(g *gorm.DB) bool {
			_ = g.Model(&thing{ID: "t-a"}).Association("Parts").Find(&parts)
			return len(parts) != 1
		},
		"first or create": func(g *gorm.DB) bool { return g.FirstOrCreate(&thing{}, thing{ID: "t-b"}).Error == nil },
		"give away": func(g *gorm.DB) bool {
			return g.Model(&thing{}).Where("id = ?", "t-a").Update("account_id", "b").Error == nil
		},
		"upsert": func(g *gorm.DB) bool {
			return g.Clauses(clause.OnConflict{UpdateAll: true}).Create(&thing{ID: "t-b", Name: "x"}).Error == nil
		},
		"or without blanks": func(g *gorm.DB) bool {
			g.Where("(name = ?)OR(name = ?)", "na", "nb").Find(&things)
			return len(things) != 1
		},
		"or on lines": func(g *gorm.DB) bool {
			g.Where("name = ?\nOR\nname = ?", "na", "nb").Find(&things)
			return len(things) != 1
		},
		"table of another model": func(g *gorm.DB) bool {
			g.Model(&place{}).Table("t_things").Pluck("name", &names)
			return len(names) > 0
		},
		"table of a lookalike": func(g *gorm.DB) bool {
			var found []lookalike
			g.Table("t_things").Find(&found)
			return len(found) > 0
		},
		"from clause": func(g *gorm.DB) bool {
			g.Model(&place{}).Clauses(clause.From{Tables: []clause.Table{{Name: "t_things"}}}).Select("name").Scan(&names)
			return len(names) > 0
		},
		"give away by a set clause": func(g *gorm.DB) bool {
			_, err := gorm.G[thing](g).Where("id = ?", "t-a").
				Set(clause.Assignment{Column: clause.Column{Name: "account_id"}, Value: "b"}).Update(g.Statement.Context)
			return err == nil
		},
		"give away by a pointer to a map": func(g *gorm.DB) bool {
			g.Model(&thing{}).Where("id = ?", "t-a").Updates(&map[string]any{"account_id": "b"})
			return g.First(&one, "id = ?", "t-a").Error != nil
		},
		"plant by a map": func(g *gorm.DB) bool {
			return g.Model(&thing{}).Create(map[string]any{"id": "new", "name": "x", "place_id": "z", "account_id": "b", "domain_path": "/1/71/"}).Error == nil
		},
		"plant by a pointer to maps": func(g *gorm.DB) bool {
			return g.Model(&thing{}).Create(&[]map[string]any{{"id": "new", "name": "x", "place_id": "z", "account_id": "b", "domain_path": "/1/71/"}}).Error == nil
		},
		"upsert of what is limited otherwise": func(g *gorm.DB) bool {
			return g.Clauses(clause.OnConflict{UpdateAll: true}).Create(&card{"c-b", "ua", "x"}).Error == nil
		},
		"save of what is limited otherwise": func(g *gorm.DB) bool { return g.Save(&card{"c-b", "ua", "x"}).Error == nil },
		"generics": func(g *gorm.DB) bool {
			list, _ := gorm.G[thing](g).Find(g.Statement.Context)
			return len(list) != 1
		},
	}
	for name, reach := range ways {
		t.Run(name, func(t *testing.T) {
			things, parts, names, one, n = nil, nil, nil, thing{}, 0
			db := world(t)
			ctx := as(t, store.Actor{UserID: "ua", Owner: ownerA})
			_ = db.Tx(ctx, func(ctx context.Context) error {
				if reach(db.In(ctx)) {
					t.Error("a foreign row was reached")
				}
				return nil
			})
			b, err := store.Find[thing](store.System(t.Context(), "test"), db, "t-b")
			if err != nil || b.Name != "nb" || b.AccountID != "b" {
				t.Error("the foreign row changed:", b, err)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	db := world(t)
	admin := store.Actor{Owner: store.Owner{AccountID: "root", DomainPath: "/"}, Rank: store.Admin}
	facts := map[string]struct {
		actor        store.Actor
		things, open int64
	}{
		"user":                       {store.Actor{Owner: ownerA}, 1, 1},
		"root":                       {admin, 2, 2},
		"domain admin, 7 is not 71":  {store.Actor{Owner: ownerA, Rank: store.DomainAdmin}, 1, 1},
		"domain admin of the parent": {store.Actor{Owner: store.Owner{AccountID: "c", DomainPath: "/1/"}, Rank: store.DomainAdmin}, 2, 2},
		"a path with a wildcard":     {store.Actor{Owner: store.Owner{AccountID: "c", DomainPath: "/%/"}, Rank: store.DomainAdmin}, 0, 1},
	}
	for name, f := range facts {
		var things, open int64
		g := db.In(as(t, f.actor))
		must(t, g.Model(&thing{}).Count(&things).Error)
		must(t, g.Model(&shared{}).Count(&open).Error)
		if things != f.things || open != f.open {
			t.Errorf("%s: %d things, %d shared; want %d, %d", name, things, open, f.things, f.open)
		}
	}
	// Rows without an owner are nobody's, also not a nobody's.
	sys := store.System(t.Context(), "test")
	must(t, db.Tx(sys, func(ctx context.Context) error {
		return db.In(ctx).Omit(clause.Associations).Create(&thing{ID: "t-0", PlaceID: "z"}).Error
	}))
	for _, nobody := range []store.Actor{{}, {Rank: store.DomainAdmin}} {
		var n int64
		must(t, db.In(as(t, nobody)).Model(&thing{}).Count(&n).Error)
		if n > 0 || nobody.Sees(store.Owner{}) || nobody.Sees(ownerA) {
			t.Errorf("%+v sees %d things, and %v", nobody, n, nobody.Sees(ownerA))
		}
	}
	if err := db.In(t.Context()).Find(&[]thing{}).Error; !errors.Is(err, store.ErrNoActor) {
		t.Error("a query without an actor:", err)
	}
}

func TestStamp(t *testing.T) {
	db := world(t)
	create := func(ctx context.Context, th *thing) error {
		return db.Tx(ctx, func(ctx context.Context) error { return db.In(ctx).Omit(clause.Associations).Create(th).Error })
	}
	mine := &thing{ID: "new", PlaceID: "z", Owned: store.Owned(ownerB)}
	must(t, create(as(t, store.Actor{Owner: ownerA}), mine))
	if mine.AccountID != "a" {
		t.Error("a row was made for", mine.AccountID)
	}
	if _, err := store.For(as(t, store.Actor{Owner: ownerA}), ownerB); err == nil {
		t.Error("a user may act for another account")
	}
	root := as(t, store.Actor{Owner: store.Owner{AccountID: "root", DomainPath: "/"}, Rank: store.Admin})
	ctx, err := store.For(root, ownerB)
	must(t, err)
	theirs := &thing{ID: "theirs", PlaceID: "z"}
	must(t, create(ctx, theirs))
	if theirs.AccountID != "b" || theirs.DomainPath != "/1/71/" {
		t.Error("root made a row for", theirs.Owned)
	}
}
