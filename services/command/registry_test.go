package command

import (
	"context"
	"strings"
	"testing"

	"aerie/services/fault"
	"aerie/services/store"
)

type testingContext = context.Context

func testRegistry() *Registry {
	r := &Registry{}
	there := func(_ context.Context, id string) (bool, error) { return strings.HasPrefix(id, "0199"), nil }
	r.Ref("zone", there)
	r.Ref("network", there)
	r.Ref("role", there)
	return r
}

type listZones struct {
	Paging
	ID string `json:"id" ref:"zone"`
}

type zone struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	DNS  string `json:"dns1" view:"admin"`
}

func zones(context.Context, listZones) (List[zone], error) {
	return List[zone]{Count: 1, Items: []zone{{"z", "Zürich", "8.8.8.8"}}}, nil
}

func TestCallFindsAndGuards(t *testing.T) {
	r := testRegistry()
	r.Add(New(Meta{Name: "listZones", Object: "zone", Roles: Everyone}, zones),
		New(Meta{Name: "updateZone", Object: "zone", Roles: Admin}, func(context.Context, None) (zone, error) { return zone{}, nil }))
	r.Check()
	user := store.With(t.Context(), store.Actor{Rank: store.User})
	tests := []struct {
		name string
		ctx  context.Context
		cmd  string
		kind fault.Kind
	}{
		{"nobody", t.Context(), "listZones", fault.Unauthenticated},
		{"a user", user, "listZones", fault.Kind{}},
		{"the wrong case", user, "listzones", fault.Unsupported},
		{"an unknown command", user, "flyToTheMoon", fault.Unsupported},
		{"not for this role", user, "updateZone", fault.Unsupported},
		{"an admin", store.With(t.Context(), store.Actor{Rank: store.Admin}), "updateZone", fault.Kind{}},
		{"Aerie", store.System(t.Context(), "test"), "updateZone", fault.Kind{}},
	}
	for _, tt := range tests {
		_, _, err := r.Call(tt.ctx, tt.cmd, nil)
		if (err == nil) != (tt.kind == fault.Kind{}) || err != nil && !fault.Is(err, tt.kind) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	r.Allowed = func(_ context.Context, _ store.Actor, c *Command) bool { return c.Name == "updateZone" }
	if _, _, err := r.Call(user, "updateZone", nil); err != nil {
		t.Errorf("a role that may: %v", err)
	}
}

func TestWiringMistakesPanic(t *testing.T) {
	read := func(context.Context, None) (zone, error) { return zone{}, nil }
	tests := []struct {
		name string
		do   func()
	}{
		{"no roles", func() { New(Meta{Name: "x", Object: "zone"}, read) }},
		{"a list without its element", func() { New(Meta{Name: "x", Roles: Everyone}, zones) }},
		{"twice", func() {
			var r Registry
			r.Add(New(Meta{Name: "x", Object: "z", Roles: Everyone}, read), New(Meta{Name: "x", Object: "z", Roles: Everyone}, read))
		}},
		{"a reference without a resolver", func() {
			var r Registry
			r.Add(New(Meta{Name: "x", Object: "z", Roles: Everyone}, zones))
			r.Check()
		}},
		{"a type without a decoder", func() {
			New(Meta{Name: "x", Roles: Everyone}, func(context.Context, struct {
				C complex128 `json:"c"`
			},
			) (Success, error) {
				return OK, nil
			})
		}},
		{"a parameter twice", func() {
			New(Meta{Name: "x", Roles: Everyone}, func(context.Context, struct {
				Paging
				P int `json:"page"`
			},
			) (Success, error) {
				return OK, nil
			})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("went through")
				}
			}()
			tt.do()
		})
	}
}

func BenchmarkCall(b *testing.B) {
	r := testRegistry()
	r.Add(New(Meta{Name: "listZones", Object: "zone", Roles: Everyone}, func(context.Context, listZones) (Success, error) { return OK, nil }))
	v := values(b, "id=0199&page=1&pagesize=20&keyword=k")
	ctx := store.With(b.Context(), store.Actor{Rank: store.User})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := r.Call(ctx, "listZones", v); err != nil {
			b.Fatal(err)
		}
	}
}
