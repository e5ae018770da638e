package iam_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// catalogue is a small registry.
var catalogue = []iam.Command{
	{Name: "listRoles", Ranks: []store.Rank{store.Admin, store.DomainAdmin}},
	{Name: "createRole", Ranks: []store.Rank{store.Admin}},
	{Name: "deleteZone", Ranks: []store.Rank{store.Admin}},
	{Name: "createAccount", Ranks: []store.Rank{store.Admin, store.DomainAdmin}},
	{Name: "listVolumes", Ranks: []store.Rank{store.Admin, store.DomainAdmin, store.User}},
	{Name: "createVolume", Ranks: []store.Rank{store.Admin, store.DomainAdmin, store.User}},
	{Name: "deleteVolume", Ranks: []store.Rank{store.Admin, store.DomainAdmin, store.User}},
	{Name: "startVirtualMachine", Ranks: []store.Rank{store.Admin, store.DomainAdmin, store.User}},
}

func newRoles(t *testing.T) *world {
	w := newWorld(t)
	w.Commands = func() []iam.Command { return catalogue }
	return w
}

// role makes a role with rules such as "list*" and "!deleteVolume".
func (w *world) role(name, typ string, rules ...string) iam.Role {
	w.Helper()
	r, err := w.ImportRole(w.admin, iam.ImportRole{Name: name, Type: typ, Rules: ruleset(rules...)})
	w.must(err)
	return r
}

func ruleset(rules ...string) (out []iam.NewRule) {
	for _, r := range rules {
		name, denied := strings.CutPrefix(r, "!")
		out = append(out, iam.NewRule{Pattern: name, Allow: !denied})
	}
	return out
}

// allowed are the catalogue's commands that an actor may call, as the registry
// asks.
func (w *world) allowed(s *iam.Service, ctx context.Context) string {
	a, _ := store.From(ctx)
	var out []string
	for _, c := range catalogue {
		if s.Allowed(w.Context(), a, c.Name, slices.Contains(c.Ranks, a.Rank)) {
			out = append(out, c.Name)
		}
	}
	return strings.Join(out, " ")
}

func (w *world) want(got, want, what string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %q, want %q", what, got, want)
	}
}

// With is an actor of a new account that has the role.
func (w *world) with(name string, r iam.Role) context.Context {
	w.Helper()
	w.account(w.root.ID, name, r.ID)
	return w.as("", name)
}

func TestACustomRoleAllowsWhatItsRulesAndItsTypeDo(t *testing.T) {
	w := newRoles(t)
	r := w.role("reader", "User", "!listRoles", "list*", "createRole", "createVolume")
	ann := w.with("ann", r)
	// createRole is not made for users, whatever the rules say.
	w.want(w.allowed(w.Service, ann), "listVolumes createVolume", "a new role")
	_, err := w.CreatePermission(w.admin, r.ID, iam.NewRule{Pattern: "delete*", Allow: true})
	w.must(err)
	w.want(w.allowed(w.Service, ann), "listVolumes createVolume deleteVolume", "with another rule")
	rules, err := w.Permissions(w.admin, r.ID)
	w.must(err)
	_, err = w.SetPermission(w.admin, r.ID, rules[3].ID, false)
	w.must(err)
	w.want(w.allowed(w.Service, ann), "listVolumes deleteVolume", "with one turned round")
	_, err = w.CreatePermission(w.admin, r.ID, iam.NewRule{Pattern: "*", Allow: false})
	w.must(err)
	rules, err = w.Permissions(w.admin, r.ID)
	w.must(err)
	ids := make([]string, len(rules))
	for i, p := range rules {
		ids[len(ids)-1-i] = p.ID
	}
	w.must(w.OrderPermissions(w.admin, r.ID, ids))
	w.want(w.allowed(w.Service, ann), "", "with the denial of all first")
	_, err = w.DeletePermission(w.admin, ids[0])
	w.must(err)
	w.want(w.allowed(w.Service, ann), "listVolumes deleteVolume", "without it")
}

// TestARoleChangesOnEveryServer: what one server changes, another follows
// within a second, and meanwhile nobody asks the database.
func TestARoleChangesOnEveryServer(t *testing.T) {
	w := newRoles(t)
	db := storetest.Connect(t, w.dsn, w.clock.Now)
	other := iam.New(db, iam.Options{Argon: cheap})
	r := w.role("helper", "User", "list*")
	ann := w.with("ann", r)
	w.want(w.allowed(other, ann), "listVolumes", "on the other server")
	before := db.Statements()
	for range 100 {
		w.allowed(other, ann)
	}
	if n := db.Statements() - before; n != 0 {
		t.Errorf("%d queries for checks within a second", n)
	}
	_, err := w.CreatePermission(w.admin, r.ID, iam.NewRule{Pattern: "createVolume", Allow: true})
	w.must(err)
	w.want(w.allowed(w.Service, ann), "listVolumes createVolume", "where it was changed, at once")
	w.clock.Add(time.Second)
	w.want(w.allowed(other, ann), "listVolumes createVolume", "elsewhere, a second later")
	before = db.Statements()
	w.clock.Add(time.Second)
	w.allowed(other, ann)
	if n := db.Statements() - before; n != 2 {
		t.Errorf("%d queries to read the roles anew", n)
	}
}

func TestADisabledRoleDeniesEverything(t *testing.T) {
	w := newRoles(t)
	r := w.role("helper", "User", "*")
	ann := w.with("ann", r)
	_, err := w.DisableRole(w.admin, r.ID)
	w.must(err)
	w.want(w.allowed(w.Service, ann), "", "disabled")
	who, _ := store.From(ann)
	w.wantKey(w.Barred(w.Context(), who), "error.role_disabled", "its accounts")
	_, _, err = w.CreateAccount(w.admin, iam.CreateAccount{RoleID: r.ID, User: iam.NewUser{Username: "bob", Password: "pw"}})
	w.wantKey(err, "error.role_not_given", "a new account")
	w.account(w.root.ID, "cy", iam.RoleUser)
	_, err = w.UpdateAccount(w.admin, iam.UpdateAccount{AccountRef: iam.AccountRef{Name: "cy"}, RoleID: &r.ID})
	w.wantKey(err, "error.role_not_given", "an old account")
	_, err = w.EnableRole(w.admin, r.ID)
	w.must(err)
	w.must(w.Barred(w.Context(), who))
	w.want(w.allowed(w.Service, ann), "listVolumes createVolume deleteVolume startVirtualMachine", "enabled again")
}

func TestARoleInUseStays(t *testing.T) {
	w := newRoles(t)
	r := w.role("helper", "User", "*")
	a, _ := w.account(w.root.ID, "ann", r.ID)
	_, err := w.DeleteRole(w.admin, r.ID)
	w.wantKey(err, "error.role_used", "with an account")
	if args := fmt.Sprint(fault.Of(err).Args); !strings.Contains(args, "n 1") {
		t.Error("the fault does not count the accounts:", args)
	}
	_, err = w.UpdateRole(w.admin, iam.UpdateRole{ID: r.ID, Type: new("Admin")})
	w.wantKey(err, "error.role_type_used", "its type")
	w.must(w.DeleteAccount(w.admin, a.ID))
	_, err = w.UpdateRole(w.admin, iam.UpdateRole{ID: r.ID, Type: new("DomainAdmin"), Name: new("Helpers"), Description: new("they help")})
	w.must(err)
	got, err := w.RoleByID(w.admin, r.ID)
	w.must(err)
	if got.Name != "Helpers" || got.Type != "DomainAdmin" || got.Level != 60 || got.Description != "they help" {
		t.Error(got)
	}
	_, err = w.DeleteRole(w.admin, r.ID)
	w.must(err)
	_, err = w.RoleByID(w.admin, r.ID)
	w.wantKind(err, fault.NotFound, "the deleted role")
	w.role("helpers", "User") // the name is free
	var left int64
	w.must(w.DB().In(w.sys()).Model(&iam.Permission{}).Where("role_id = ?", r.ID).Count(&left).Error)
	if left != 0 {
		t.Error(left, "rules of the deleted role")
	}
}

func TestDefaultRolesStay(t *testing.T) {
	w := newRoles(t)
	for _, id := range []string{iam.RoleRootAdmin, iam.RoleUser, iam.RoleReadOnlyUser} {
		rules, err := w.Permissions(w.admin, id)
		w.must(err)
		if len(rules) == 0 {
			t.Fatal("no rules of", id)
		}
		for what, err := range map[string]error{
			"rename":  second(w.UpdateRole(w.admin, iam.UpdateRole{ID: id, Name: new("x")})),
			"delete":  second(w.DeleteRole(w.admin, id)),
			"disable": second(w.DisableRole(w.admin, id)),
			"add":     second(w.CreatePermission(w.admin, id, iam.NewRule{Pattern: "x", Allow: true})),
			"take":    second(w.DeletePermission(w.admin, rules[0].ID)),
			"turn":    second(w.SetPermission(w.admin, id, rules[0].ID, false)),
			"order":   w.OrderPermissions(w.admin, id, nil),
		} {
			w.wantKey(err, "error.role_default", what)
		}
	}
	_, err := w.ImportRole(w.admin, iam.ImportRole{Name: "root admin", Type: "Admin", Forced: true})
	w.wantKey(err, "error.role_default", "an import over it")
}

func TestADefaultRolesRulesSayWhatItMay(t *testing.T) {
	w := newRoles(t)
	for _, r := range []struct {
		id   string
		rank store.Rank
	}{
		{iam.RoleRootAdmin, store.Admin},
		{iam.RoleSupportAdmin, store.Admin},
		{iam.RoleReadOnlyAdmin, store.Admin},
		{iam.RoleResourceAdmin, store.DomainAdmin},
		{iam.RoleDomainAdmin, store.DomainAdmin},
		{iam.RoleUser, store.User},
		{iam.RoleSupportUser, store.User},
		{iam.RoleReadOnlyUser, store.User},
	} {
		list, err := w.Permissions(w.admin, r.id)
		w.must(err)
		var rules iam.Rules
		for _, p := range list {
			rules = append(rules, iam.Rule{Pattern: p.Pattern, Allow: p.Allow})
		}
		for _, c := range catalogue {
			open := slices.Contains(c.Ranks, r.rank)
			if got := w.Allowed(w.Context(), store.Actor{RoleID: r.id, Rank: r.rank}, c.Name, open); got != (open && rules.Allow(c.Name)) {
				t.Error(r.id, c.Name, got)
			}
		}
	}
}

func TestRulesAreChecked(t *testing.T) {
	w := newRoles(t)
	r := w.role("helper", "User", "list*", "createVolume")
	other := w.role("other", "User", "list*")
	rules, err := w.Permissions(w.admin, r.ID)
	w.must(err)
	foreign, err := w.Permissions(w.admin, other.ID)
	w.must(err)
	for what, f := range map[string]struct {
		err error
		key string
	}{
		"no pattern":      {second(w.CreatePermission(w.admin, r.ID, iam.NewRule{Pattern: "list?"})), "error.rule_pattern"},
		"a second one":    {second(w.CreatePermission(w.admin, r.ID, iam.NewRule{Pattern: "LIST*"})), "error.rule_twice"},
		"twice in import": {second(w.ImportRole(w.admin, iam.ImportRole{Name: "x", Type: "User", Rules: ruleset("a", "!A")})), "error.rule_twice"},
		"half an order":   {w.OrderPermissions(w.admin, r.ID, []string{rules[0].ID}), "error.rule_order"},
		"one twice":       {w.OrderPermissions(w.admin, r.ID, []string{rules[0].ID, rules[0].ID}), "error.rule_order"},
		"another's rule":  {w.OrderPermissions(w.admin, r.ID, []string{rules[0].ID, foreign[0].ID}), "error.rule_order"},
		"turn another's":  {second(w.SetPermission(w.admin, r.ID, foreign[0].ID, false)), "error.no_entity"},
		"no type":         {second(w.CreateRole(w.admin, iam.NewRole{Name: "x"})), "error.role_kind"},
		"a taken name":    {second(w.CreateRole(w.admin, iam.NewRole{Name: "HELPER", Type: "User"})), "error.name_taken"},
		"import unforced": {second(w.ImportRole(w.admin, iam.ImportRole{Name: "helper", Type: "User"})), "error.name_taken"},
		"no name":         {second(w.CreateRole(w.admin, iam.NewRole{Name: " ", Type: "User"})), "error.name_empty"},
		"copy as another": {second(w.CreateRole(w.admin, iam.NewRole{Name: "x", Type: "Admin", From: r.ID})), "error.role_copy_type"},
	} {
		w.wantKey(f.err, f.key, what)
	}
}

func TestCopyAndForcedImport(t *testing.T) {
	w := newRoles(t)
	from, err := w.CreateRole(w.admin, iam.NewRole{Name: "users", From: iam.RoleUser})
	w.must(err)
	ann := w.with("ann", from)
	w.want(w.allowed(w.Service, ann), "listVolumes createVolume deleteVolume startVirtualMachine", "a copy of User")
	got, err := w.ImportRole(w.admin, iam.ImportRole{Name: "USERS", Rules: ruleset("listVolumes"), Public: new(false), Forced: true})
	w.must(err)
	if got.ID != from.ID || got.IsPublic || got.Name != "USERS" || got.Description == "" {
		t.Error(got)
	}
	w.want(w.allowed(w.Service, ann), "listVolumes", "after the import")
}

func TestPrivateRolesAreRootsAlone(t *testing.T) {
	w := newRoles(t)
	d := w.domain(w.admin, "", "d")
	hidden, err := w.CreateRole(w.admin, iam.NewRole{Name: "hidden", Type: "User", Private: true})
	w.must(err)
	own, err := w.CreateRole(w.admin, iam.NewRole{Name: "own", From: iam.RoleDomainAdmin, Private: true})
	w.must(err)
	w.account(d.ID, "boss", own.ID)
	boss := w.as("d", "boss")
	_, err = w.RoleByID(boss, hidden.ID)
	w.wantKind(err, fault.NotFound, "a private role")
	if _, err := w.RoleByID(boss, own.ID); err != nil {
		t.Error("one's own private role:", err)
	}
	_, _, err = w.CreateAccount(boss, iam.CreateAccount{DomainID: d.ID, RoleID: hidden.ID, User: iam.NewUser{Username: "x", Password: "x"}})
	w.wantKind(err, fault.NotFound, "giving a private role")
	_, _, err = w.CreateAccount(boss, iam.CreateAccount{DomainID: d.ID, RoleID: iam.RoleUser, User: iam.NewUser{Username: "x", Password: "x"}})
	w.must(err)
	if rules, err := w.Permissions(boss, own.ID); err != nil || len(rules) != 0 {
		t.Error("rules for others than root:", rules, err)
	}
	_, err = w.CreateRole(boss, iam.NewRole{Name: "x", Type: "User"})
	w.wantKind(err, fault.Forbidden, "a role of a domain admin")
}

// TestNobodyGrantsMoreThanItsOwn: an actor with random rights does random
// things to roles and accounts. Whatever it succeeds in, no role that it made,
// changed or gave allows a command that its own does not.
func TestNobodyGrantsMoreThanItsOwn(t *testing.T) {
	const seed = 20260701
	for round := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, round))
		w := newRoles(t)
		own := w.role("own", "Admin", randomRules(rnd)...)
		me := w.with("me", own)
		x := &grants{world: w, rnd: rnd, me: me, mine: map[string]bool{}}
		for _, name := range []string{"a", "b", "c"} {
			x.roles = append(x.roles, w.role(name, []string{"Admin", "DomainAdmin", "User"}[rnd.IntN(3)], randomRules(rnd)...).ID)
		}
		given, user := w.account(w.root.ID, "given", iam.RoleReadOnlyAdmin)
		x.account, x.user = given.ID, user.ID
		for range 60 {
			x.step()
		}
		x.check(own.ID)
	}
}

type grants struct {
	*world
	rnd           *rand.Rand
	me            context.Context
	roles         []string
	mine          map[string]bool // what succeeded for me
	account, user string
}

var patterns = []string{"*", "list*", "*Volume", "create*", "delete*", "listRoles", "createVolume", "deleteZone", "start*", "*Role*", "createAccount"}

func randomRules(rnd *rand.Rand) (out []string) {
	for _, i := range rnd.Perm(len(patterns))[:rnd.IntN(6)] {
		p := patterns[i]
		if rnd.IntN(3) == 0 {
			p = "!" + p
		}
		out = append(out, p)
	}
	return out
}

func (x *grants) pick() string { return x.roles[x.rnd.IntN(len(x.roles))] }

func (x *grants) step() {
	id := x.pick()
	rules, err := x.Permissions(x.sys(), id)
	x.must(err)
	one := func() string { return rules[x.rnd.IntN(len(rules))].ID }
	switch n := x.rnd.IntN(8); {
	case n == 0:
		r, err := x.CreateRole(x.me, iam.NewRole{Name: x.DB().NewID(), From: id})
		x.note(r.ID, err)
	case n == 1:
		r, err := x.ImportRole(x.me, iam.ImportRole{Name: x.DB().NewID(), Type: []string{"Admin", "User"}[x.rnd.IntN(2)], Rules: ruleset(randomRules(x.rnd)...)})
		x.note(r.ID, err)
	case n == 2:
		_, err := x.CreatePermission(x.me, id, iam.NewRule{Pattern: patterns[x.rnd.IntN(len(patterns))], Allow: x.rnd.IntN(3) > 0})
		x.note(id, err)
	case n == 3 && len(rules) > 0:
		_, err := x.DeletePermission(x.me, one())
		x.note(id, err)
	case n == 4 && len(rules) > 0:
		_, err := x.SetPermission(x.me, id, one(), x.rnd.IntN(2) == 0)
		x.note(id, err)
	case n == 5 && len(rules) > 0:
		var ids []string
		for _, i := range x.rnd.Perm(len(rules)) {
			ids = append(ids, rules[i].ID)
		}
		x.note(id, x.OrderPermissions(x.me, id, ids))
	case n == 6:
		_, err := x.UpdateAccount(x.me, iam.UpdateAccount{AccountRef: iam.AccountRef{ID: x.account}, RoleID: &id})
		x.note(id, err)
	default:
		_, _, err := x.CreateAccount(x.me, iam.CreateAccount{RoleID: id, User: iam.NewUser{Username: x.DB().NewID(), Password: "pw"}})
		x.note(id, err)
	}
}

func (x *grants) note(id string, err error) {
	if err != nil {
		return
	}
	x.mine[id] = true
	if !slices.Contains(x.roles, id) {
		x.roles = append(x.roles, id)
	}
}

// check compares by Simulate, which asks each rule anew.
func (x *grants) check(own string) {
	x.Helper()
	may := x.set(own)
	for id := range x.mine {
		for c := range x.set(id) {
			if !may[c] {
				x.Errorf("a role that was made, changed or given allows %s, and the giver's does not", c)
			}
		}
	}
}

func (x *grants) set(id string) map[string]bool {
	x.Helper()
	list, err := x.Simulate(x.sys(), id)
	x.must(err)
	out := map[string]bool{}
	for _, v := range list {
		if v.Allowed {
			out[v.Command] = true
		}
	}
	return out
}

// TestWhoMayMoreIsNotTouched: keys and passwords of an account whose role may
// more would be a way to it.
func TestWhoMayMoreIsNotTouched(t *testing.T) {
	w := newRoles(t)
	little := w.with("little", w.role("little", "Admin", "list*", "createAccount"))
	_, more := w.account(w.root.ID, "more", w.role("more", "Admin", "list*", "createVolume").ID)
	_, less := w.account(w.root.ID, "less", w.role("less", "User", "list*").ID)
	admin, _ := store.From(w.admin)
	for what, id := range map[string]string{"of a sibling that may more": more.ID, "of root": admin.UserID} {
		_, err := w.RegisterKeys(little, id)
		w.wantKind(err, fault.Forbidden, "keys "+what)
		_, err = w.UpdateUser(little, iam.UpdateUser{ID: id, Password: new("stolen")})
		w.wantKind(err, fault.Forbidden, "password "+what)
	}
	_, err := w.RegisterKeys(little, less.ID)
	w.must(err)
	me, _ := store.From(little)
	_, err = w.CreatePermission(little, me.RoleID, iam.NewRule{Pattern: "*", Allow: true})
	w.wantKey(err, "error.role_own", "one's own role")
	_, err = w.DisableRole(little, me.RoleID)
	w.wantKey(err, "error.role_own", "to disable one's own role")
}

// TestARoleIsGivenOrDeleted: of the two at once, one happens.
func TestARoleIsGivenOrDeleted(t *testing.T) {
	w := newRoles(t)
	for i := range 8 {
		r := w.role(fmt.Sprint("r", i), "User", "list*")
		var given, deleted error
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _, given = w.CreateAccount(w.admin, iam.CreateAccount{RoleID: r.ID, User: iam.NewUser{Username: fmt.Sprint("u", i), Password: "pw"}})
		})
		wg.Go(func() { _, deleted = w.DeleteRole(w.admin, r.ID) })
		wg.Wait()
		if (given == nil) == (deleted == nil) {
			t.Errorf("given: %v, deleted: %v", given, deleted)
		}
	}
}
