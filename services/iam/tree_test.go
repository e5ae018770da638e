package iam_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func TestBootstrapHappensOnce(t *testing.T) {
	dsn := storetest.DSN(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 4 {
		db := storetest.Connect(t, dsn, nil)
		wg.Go(func() {
			created, err := iam.New(db, iam.Options{Argon: cheap}).Bootstrap(t.Context(), "x")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if created {
				made++
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Error(made, "servers made ROOT")
	}
}

func TestDomainTree(t *testing.T) {
	w := newWorld(t)
	a := w.domain(w.admin, "", "dept")
	b := w.domain(w.admin, a.ID, "team")
	if a.Path != "/2/" || b.Path != "/2/3/" || b.FullName != "ROOT/dept/team" || b.Level != 2 {
		t.Error(a, b)
	}
	for _, path := range []string{"dept/team", "/dept/team/", "ROOT/Dept/TEAM"} {
		if d, err := w.DomainByPath(w.admin, path); err != nil || d.ID != b.ID {
			t.Error(path, d, err)
		}
	}
	_, err := w.CreateDomain(w.admin, iam.CreateDomain{Name: "Team", ParentID: a.ID})
	w.wantKey(err, "error.name_taken", "a sibling of the same name")
	_, err = w.CreateDomain(w.admin, iam.CreateDomain{Name: "a/b"})
	w.wantKey(err, "error.name_characters", "a slash in a name")
	_, err = w.UpdateDomain(w.admin, iam.UpdateDomain{ID: a.ID, Name: new("office")})
	w.must(err)
	if d, err := w.DomainByPath(w.admin, "office/team"); err != nil || d.ID != b.ID || d.Path != b.Path {
		t.Error("a rename is not known below:", d, err)
	}
	w.wantKind(w.DeleteDomain(w.admin, a.ID, false), fault.InUse, "a domain with children")
	w.wantKey(w.DeleteDomain(w.admin, w.root.ID, true), "error.domain_root", "ROOT")
	w.account(b.ID, "bob", iam.RoleUser)
	w.must(w.DeleteDomain(w.admin, a.ID, true))
	if _, err := w.DomainByID(w.admin, b.ID); !fault.Is(err, fault.NotFound) {
		t.Error("the child stayed:", err)
	}
	if ok, err := store.Exists[iam.Domain](w.admin, w.DB(), b.ID); !ok || err != nil {
		t.Error("a removed id does not resolve:", err)
	}
	if _, err := w.login("office/team", "bob", "pw", ""); !fault.Is(err, fault.Forbidden) {
		t.Error("who is gone signs in:", err)
	}
	again := w.domain(w.admin, "", "office")
	if again.Path == a.Path {
		t.Error("the path is used again")
	}
}

func TestTenancy(t *testing.T) {
	w := newWorld(t)
	d1, d2 := w.domain(w.admin, "", "d1"), w.domain(w.admin, "", "d2")
	sub := w.domain(w.admin, d1.ID, "sub")
	w.account(d1.ID, "boss1", iam.RoleDomainAdmin)
	w.account(d2.ID, "boss2", iam.RoleDomainAdmin)
	a1, u1 := w.account(sub.ID, "ann", iam.RoleUser)
	_, u2 := w.account(d2.ID, "bob", iam.RoleUser)
	boss1, ann := w.as("d1", "boss1"), w.as("d1/sub", "ann")

	if _, err := w.UserByID(boss1, u1.ID); err != nil {
		t.Error("a domain admin does not see below:", err)
	}
	_, foreign := w.UserByID(boss1, u2.ID)
	_, unknown := w.UserByID(boss1, w.DB().NewID())
	if !fault.Is(foreign, fault.NotFound) || fault.Of(foreign).Key != fault.Of(unknown).Key {
		t.Error("foreign and absent differ:", foreign, unknown)
	}
	if _, err := w.DomainByID(boss1, d2.ID); !fault.Is(err, fault.NotFound) {
		t.Error("a foreign domain:", err)
	}
	if _, err := w.DomainByID(ann, d1.ID); !fault.Is(err, fault.NotFound) {
		t.Error("the parent domain of a user:", err)
	}
	verbs := map[string]error{
		"create in a foreign domain": second(w.CreateDomain(boss1, iam.CreateDomain{Name: "x", ParentID: d2.ID})),
		"disable":                    second(w.DisableUser(boss1, u2.ID)),
		"keys":                       second(w.RegisterKeys(boss1, u2.ID)),
		"delete":                     w.DeleteUser(boss1, u2.ID),
		"delete a domain":            w.DeleteDomain(boss1, d2.ID, true),
		"delete an account":          w.DeleteAccount(boss1, u2.AccountID),
		"a user in there":            second(w.CreateUser(boss1, iam.CreateUser{Account: iam.AccountRef{ID: u2.AccountID}, User: iam.NewUser{Username: "x", Password: "x"}})),
		"update":                     second(w.UpdateUser(boss1, iam.UpdateUser{ID: u2.ID, Password: new("x")})),
		"sessions":                   w.EndSessionsOf(boss1, u2.ID),
	}
	for what, err := range verbs {
		w.wantKind(err, fault.NotFound, what)
	}
	if _, err := w.CreateDomain(ann, iam.CreateDomain{Name: "x"}); !fault.Is(err, fault.Forbidden) {
		t.Error("a user made a domain:", err)
	}
	if n, err := w.CreateUser(boss1, iam.CreateUser{Account: iam.AccountRef{Name: "ann", DomainID: sub.ID}, User: iam.NewUser{Username: "ann2", Password: "x"}}); err != nil || n.AccountID != a1.ID || n.DomainPath != sub.Path {
		t.Error("the user belongs to", n.Owned, err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestLattice tries each role against each: who is ranked higher is not
// touched, and no role above one's own is handed out.
func TestLattice(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	roles := []struct {
		id    string
		level int
		root  bool
	}{
		{iam.RoleRootAdmin, 100, true},
		{iam.RoleSupportAdmin, 90, true},
		{iam.RoleReadOnlyAdmin, 80, true},
		{iam.RoleResourceAdmin, 70, false},
		{iam.RoleDomainAdmin, 60, false},
		{iam.RoleUser, 40, false},
		{iam.RoleSupportUser, 30, false},
		{iam.RoleReadOnlyUser, 20, false},
	}
	names := []string{"root", "support", "reader", "resource", "boss", "user", "helper", "viewer"}
	users := make([]iam.User, len(roles))
	for i, r := range roles {
		domain := d.ID
		if r.root {
			domain = w.root.ID
		}
		_, users[i] = w.account(domain, names[i], r.id)
	}
	for i, r := range roles {
		path := "d"
		if r.root {
			path = ""
		}
		ctx := w.as(path, names[i])
		for j, target := range roles {
			if i == j {
				continue
			}
			may := r.level >= target.level && r.level > 40
			_, err := w.RegisterKeys(ctx, users[j].ID)
			if (err == nil) != may {
				t.Errorf("%s takes the keys of %s: %v", names[i], names[j], err)
			}
			_, err = w.UpdateUser(ctx, iam.UpdateUser{ID: users[j].ID, Password: new("stolen")})
			if (err == nil) != may {
				t.Errorf("%s sets the password of %s: %v", names[i], names[j], err)
			}
			_, _, err = w.CreateAccount(ctx, iam.CreateAccount{
				RoleID: target.id, DomainID: users[i].DomainID,
				User: iam.NewUser{Username: names[i] + "-" + names[j], Password: "x"},
			})
			made := err == nil
			if want := may && (!target.root || r.root); made != want {
				t.Errorf("%s hands out %s: %v", names[i], names[j], err)
			}
		}
	}
	// A domain admin of ROOT sees the root admins and still does not touch them
	// (CVE-2025-47713, CVE-2025-47849).
	w.account(w.root.ID, "rootboss", iam.RoleDomainAdmin)
	boss := w.as("", "rootboss")
	_, err := w.RegisterKeys(boss, users[0].ID)
	w.wantKind(err, fault.Forbidden, "keys of root")
	_, err = w.UpdateUser(boss, iam.UpdateUser{ID: users[0].ID, Password: new("x")})
	w.wantKind(err, fault.Forbidden, "password of root")
	_, err = w.DisableAccount(boss, iam.AccountRef{ID: users[0].AccountID})
	w.wantKind(err, fault.Forbidden, "disable root")
	_, err = w.CreateUser(boss, iam.CreateUser{Account: iam.AccountRef{ID: users[0].AccountID}, User: iam.NewUser{Username: "me2", Password: "x"}})
	w.wantKind(err, fault.Forbidden, "a user in root's account")
	_, err = w.UpdateAccount(boss, iam.UpdateAccount{AccountRef: iam.AccountRef{Name: "rootboss"}, RoleID: new(iam.RoleRootAdmin)})
	w.wantKind(err, fault.Forbidden, "promote oneself")
}

func TestAdminOutsideRootIsRefused(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	rank := store.Admin
	_, _, err := w.CreateAccount(w.admin, iam.CreateAccount{Type: &rank, DomainID: d.ID, User: iam.NewUser{Username: "x", Password: "x"}})
	w.wantKey(err, "error.admin_outside_root", "an admin in a domain")
}

func TestNobodyShutsItselfOut(t *testing.T) {
	w := newWorld(t)
	me, _ := store.From(w.admin)
	other, otherUser := w.account(w.root.ID, "second", iam.RoleRootAdmin)
	for what, err := range map[string]error{
		"disable":        second(w.DisableAccount(w.admin, iam.AccountRef{ID: me.AccountID})),
		"delete":         w.DeleteAccount(w.admin, me.AccountID),
		"delete myself":  w.DeleteUser(w.admin, me.UserID),
		"disable myself": second(w.DisableUser(w.admin, me.UserID)),
	} {
		w.wantKind(err, fault.Forbidden, what)
	}
	second := w.as("", "second")
	_, err := w.DisableAccount(second, iam.AccountRef{ID: me.AccountID})
	w.must(err)
	// The second is the last one now: not even the system takes it away.
	for what, err := range map[string]error{
		"disable the last": errOf(w.DisableAccount(w.sys(), iam.AccountRef{ID: other.ID})),
		"delete the last":  w.DeleteAccount(w.sys(), other.ID),
		"lock its user":    errOf2(w.LockUser(w.sys(), otherUser.ID)),
		"demote the last":  errOf(w.UpdateAccount(w.sys(), iam.UpdateAccount{AccountRef: iam.AccountRef{ID: other.ID}, RoleID: new(iam.RoleReadOnlyAdmin)})),
	} {
		w.wantKey(err, "error.last_admin", what)
	}
}

func errOf(_ iam.Account, err error) error { return err }
func errOf2(_ iam.User, err error) error   { return err }

// TestTwoAdminsLeavingAtOnce: one of them stays.
func TestTwoAdminsLeavingAtOnce(t *testing.T) {
	for range 5 {
		w := newWorld(t)
		second, _ := w.account(w.root.ID, "second", iam.RoleRootAdmin)
		first, _ := store.From(w.admin)
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, id := range []string{first.AccountID, second.ID} {
			wg.Go(func() { _, errs[i] = w.DisableAccount(w.sys(), iam.AccountRef{ID: id}) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatal(errs)
		}
	}
}

func TestDeleteAccountAsksItsHooks(t *testing.T) {
	w := newWorld(t)
	a, u := w.account(w.root.ID, "ann", iam.RoleUser)
	full := true
	w.OnDeleteAccount = append(w.OnDeleteAccount, func(_ context.Context, gone iam.Account) error {
		if full && gone.ID == a.ID {
			return fault.New(fault.InUse, "error.holds.instances", "name", "2 instances")
		}
		return nil
	})
	w.wantKind(w.DeleteAccount(w.admin, a.ID), fault.InUse, "an account with instances")
	if _, err := w.login("", "ann", "pw", ""); err != nil {
		t.Error("a refused deletion left traces:", err)
	}
	full = false
	k, err := w.RegisterKeys(w.admin, u.ID)
	w.must(err)
	w.must(w.DeleteAccount(w.admin, a.ID))
	if _, _, err := w.KeyOwner(t.Context(), k.APIKey, "192.0.2.1"); !fault.Is(err, fault.Unauthenticated) {
		t.Error("the keys of who is gone:", err)
	}
	b, u2 := w.account(w.root.ID, "ann", iam.RoleUser) // the name again, another identity
	if b.ID == a.ID || u2.ID == u.ID {
		t.Error("the same identity")
	}
}

func TestAllowed(t *testing.T) {
	w := newWorld(t)
	actor := func(role string, r store.Rank) store.Actor { return store.Actor{RoleID: role, Rank: r} }
	facts := []struct {
		role    string
		rank    store.Rank
		command string
		want    bool
	}{
		{iam.RoleRootAdmin, store.Admin, "deleteZone", true},
		{iam.RoleReadOnlyAdmin, store.Admin, "listZones", true},
		{iam.RoleReadOnlyAdmin, store.Admin, "deleteZone", false},
		{iam.RoleReadOnlyAdmin, store.Admin, "getUserKeys", false},
		{iam.RoleReadOnlyUser, store.User, "createVolume", false},
		{iam.RoleSupportUser, store.User, "startVirtualMachine", true},
		{iam.RoleSupportUser, store.User, "destroyVirtualMachine", false},
		{iam.RoleUser, store.Admin, "listZones", false}, // role and rank must agree
		{"", store.Admin, "listZones", false},
	}
	for _, f := range facts {
		if got := w.Allowed(w.sys(), actor(f.role, f.rank), f.command, true); got != f.want {
			t.Error(f, got)
		}
	}
	if w.Allowed(w.sys(), actor(iam.RoleRootAdmin, store.Admin), "x", false) {
		t.Error("a command that is not for admins")
	}
	var roles []iam.Role
	w.must(w.DB().In(w.sys()).Order("id").Find(&roles).Error)
	if len(roles) != 8 || !slices.ContainsFunc(roles, func(r iam.Role) bool { return r.Name == "Support Admin" && r.IsDefault }) {
		t.Error(roles)
	}
}
