package iam_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// group makes a group of the members, or replaces one.
func (w *directoryWorld) group(name string, members ...string) {
	w.Helper()
	dn := "cn=" + name + "," + slapdBase
	w.slapd.change(w.T, func(c *ldap.Conn) error {
		_ = c.Del(ldap.NewDelRequest(dn, nil))
		add := ldap.NewAddRequest(dn, nil)
		add.Attribute("objectClass", []string{"groupOfNames"})
		add.Attribute("member", members)
		return c.Add(add)
	})
}

const (
	annDN   = "uid=ann,ou=people," + slapdBase
	bobDN   = "uid=bob,ou=people," + slapdBase
	guestDN = "uid=guest,ou=guests," + slapdBase
)

func groupDN(name string) string { return "cn=" + name + "," + slapdBase }

func (w *directoryWorld) linkAccount(account, group string) iam.Account {
	w.Helper()
	_, a, err := w.LinkAccountLDAP(w.admin, iam.LinkAccount{DomainID: w.dept.ID, Account: account, Name: groupDN(group)})
	w.must(err)
	return a
}

func (w *directoryWorld) user(name string) iam.User {
	w.Helper()
	u, err := w.UserByName(w.sys(), w.dept.ID, name)
	w.must(err)
	return u
}

// TestAccountsFollowGroups: who signs in is in the account of the one group that
// it is in.
func TestAccountsFollowGroups(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(nil)
	w.group("core", annDN, groupDN("dev")) // a circle
	w.group("dev", groupDN("core"))
	w.group("ops", guestDN)
	dev, ops := w.linkAccount("developers", "dev"), w.linkAccount("operators", "ops")
	w.must(w.in("ann", "annpw"))
	if u := w.user("ann"); u.AccountID != dev.ID || u.Source != iam.LDAP || u.Email != "ann@example.org" {
		t.Errorf("ann is %+v", u)
	}
	w.wantKey(w.in("bob", "bobpw"), "error.login", "in no group")
	w.wantKey(w.in("ann", "wrong"), "error.login", "a wrong password")
	if w.user("ann").State != iam.Enabled {
		t.Error("a wrong password disables")
	}

	w.group("core", bobDN)
	w.group("ops", annDN)
	l, err := w.login("dept", "ann", "annpw", "192.0.2.1")
	w.must(err)
	if u := w.user("ann"); u.AccountID != ops.ID || l.AccountID != ops.ID {
		t.Errorf("ann has not moved: %+v", u)
	}

	w.group("core", annDN, bobDN)
	w.wantKey(w.in("ann", "annpw"), "error.login", "in two groups")
	if w.user("ann").State != iam.Disabled {
		t.Error("who is in two groups is not disabled")
	}
	if _, err := w.SessionActor(w.Context(), l.Token); err == nil {
		t.Error("the session of somebody who was put out lives")
	}
	w.group("core", bobDN)
	w.wantKey(w.in("ann", "annpw"), "error.login", "disabled stays disabled")
	_, err = w.EnableUser(w.admin, w.user("ann").ID)
	w.must(err)
	w.must(w.in("ann", "annpw"))
}

// TestDirectoryDownDisablesNobody: no answer is not the answer "no".
func TestDirectoryDownDisablesNobody(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(nil)
	w.group("dev", annDN)
	w.linkAccount("developers", "dev")
	w.must(w.in("ann", "annpw"))
	w.only(func(l *iam.LDAPServer) { l.Port = freePort(t) })
	w.wantKey(w.in("ann", "annpw"), "error.login", "down")
	if w.user("ann").State != iam.Enabled {
		t.Error("a directory that is down disables")
	}
	_, err := w.PlanSync(w.admin, w.dept.ID)
	w.wantKey(err, "error.ldap_down", "a plan")
}

func TestSync(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(nil)
	w.group("dev", annDN, bobDN)
	w.group("ops", bobDN, guestDN)
	_, err := w.PlanSync(w.admin, w.dept.ID)
	w.wantKey(err, "error.ldap_unlinked", "before a link")
	dev, ops := w.linkAccount("developers", "dev"), w.linkAccount("operators", "ops")
	_, err = w.CreateUser(w.admin, iam.CreateUser{Account: iam.AccountRef{ID: ops.ID}, User: iam.NewUser{Username: "guest", Password: "pw"}})
	w.must(err)

	want := map[string]string{"ann": iam.SyncCreate, "bob": iam.SyncRefuse, "guest": iam.SyncTaken}
	plan := w.plan(want)
	if w.count(&iam.User{}, "domain_id = ?", w.dept.ID) != 1 {
		t.Error("a plan changes something")
	}
	w.must(w.Sync(w.admin, plan))
	w.must(w.Sync(w.admin, plan)) // twice is once
	if u := w.user("ann"); u.AccountID != dev.ID {
		t.Errorf("ann is %+v", u)
	}
	w.group("dev", bobDN)
	w.group("ops", annDN)
	w.must(w.Sync(w.admin, w.plan(map[string]string{"ann": iam.SyncMove, "bob": iam.SyncCreate, "guest": iam.SyncKeep})))
	if w.user("ann").AccountID != ops.ID || w.user("bob").AccountID != dev.ID {
		t.Error("nobody moved")
	}
	w.group("ops", guestDN)
	w.must(w.Sync(w.admin, w.plan(map[string]string{"ann": iam.SyncDisable, "bob": iam.SyncKeep, "guest": iam.SyncTaken})))
	if w.user("ann").State != iam.Disabled || w.user("bob").State != iam.Enabled || w.user("guest").State != iam.Enabled {
		t.Error("the wrong ones are disabled")
	}
	w.group("ops", "cn=nobody")
	w.group("dev", "cn=nobody")
	plan, err = w.PlanSync(w.admin, w.dept.ID)
	w.must(err)
	w.wantKey(w.Sync(w.admin, plan), "error.ldap_empty", "an empty directory")
	if w.user("bob").State != iam.Enabled {
		t.Error("an empty directory disables")
	}
}

// plan asserts who is to become what; "guest" keeps when it is in no group.
func (w *directoryWorld) plan(want map[string]string) iam.SyncPlan {
	w.Helper()
	plan, err := w.PlanSync(w.admin, w.dept.ID)
	w.must(err)
	got := map[string]string{}
	for _, p := range plan.Placements {
		got[p.Username] = p.Action
	}
	for name, action := range want {
		if action == iam.SyncKeep && got[name] == "" { // a user of Aerie's own
			delete(want, name)
		}
	}
	if !maps.Equal(got, want) {
		w.Errorf("planned %v, want %v", got, want)
	}
	return plan
}

func (w *world) count(model any, where string, args ...any) (n int64) {
	w.Helper()
	w.must(w.DB().In(w.sys()).Model(model).Where(where, args...).Count(&n).Error)
	return n
}

func TestImport(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(nil)
	w.group("dev", annDN, bobDN)
	names := func(q iam.DirectoryQuery) (out []string) {
		people, err := w.DirectoryPeople(w.admin, q)
		w.must(err)
		for _, p := range people {
			out = append(out, p.Username)
		}
		return out
	}
	all := names(iam.DirectoryQuery{DomainID: w.dept.ID})
	if !slices.Equal(all, []string{"ann", "bob", "guest", `odd (x)\*`}) {
		t.Error("all are", all)
	}
	run := func(r iam.ImportLDAP) ([]iam.DirectoryPerson, error) {
		r, err := w.ReadyImport(w.admin, r)
		if err != nil {
			return nil, err
		}
		return w.Import(w.admin, r)
	}
	made, err := run(iam.ImportLDAP{DirectoryQuery: iam.DirectoryQuery{DomainID: w.dept.ID, Group: "dev"}, Account: "team", Rank: new(store.User)})
	w.must(err)
	if len(made) != 2 || w.user("ann").AccountID != w.user("bob").AccountID {
		t.Errorf("made %+v", made)
	}
	if made, err := run(iam.ImportLDAP{DirectoryQuery: iam.DirectoryQuery{DomainID: w.dept.ID, Group: groupDN("dev")}, Account: "team"}); err != nil || len(made) != 0 {
		t.Error("imported twice:", made, err)
	}
	_, err = run(iam.ImportLDAP{DirectoryQuery: iam.DirectoryQuery{DomainID: w.dept.ID, Group: "none"}})
	w.wantKey(err, "error.ldap_group", "no such group")
	if got := names(iam.DirectoryQuery{DomainID: w.dept.ID, Filter: iam.LocalDomain}); !slices.Equal(got, []string{"guest", `odd (x)\*`}) {
		t.Error("who is new:", got)
	}
	if got := names(iam.DirectoryQuery{DomainID: w.dept.ID, Keyword: "GUE"}); !slices.Equal(got, []string{"guest"}) {
		t.Error("searched:", got)
	}
	// Without a domain each unit has one.
	made, err = run(iam.ImportLDAP{DirectoryQuery: iam.DirectoryQuery{Keyword: "guest"}, Rank: new(store.User)})
	w.must(err)
	d, err := w.DomainByPath(w.admin, "guests")
	w.must(err)
	if _, err := w.AccountByName(w.admin, d.ID, "guest"); err != nil || len(made) != 1 {
		t.Error("the unit's domain:", made, err)
	}
	boss := w.boss()
	_, err = w.DirectoryPeople(boss, iam.DirectoryQuery{DomainID: w.dept.ID})
	w.wantKind(err, fault.Forbidden, "a domain admin lists a directory")
	_, err = w.PlanSync(boss, w.dept.ID)
	w.wantKind(err, fault.Forbidden, "a domain admin plans")
}

func (w *directoryWorld) boss() context.Context {
	w.account(w.dept.ID, "boss", iam.RoleDomainAdmin)
	return w.as("dept", "boss")
}

// TestFiltersAreEscaped: what users type never becomes part of a filter.
func TestFiltersAreEscaped(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(nil)
	w.group("dev", annDN)
	for _, name := range []string{
		"dev)(cn=*", "*", "d*", "(dev)", `de\76`, "dev\x00", "dev)(|(uid=*", ")(&", `\`, "dev,", "cn=*", "|", "!(cn=dev)", "dev)(member=*)(cn=dev",
	} {
		people, err := w.DirectoryPeople(w.admin, iam.DirectoryQuery{DomainID: w.dept.ID, Group: name})
		if len(people) > 0 {
			t.Errorf("%q finds %+v", name, people)
		}
		if err != nil && fault.Is(err, fault.Internal) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestDirectoryIsChanged(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(func(l *iam.LDAPServer) { l.DomainID = w.dept.ID })
	list, err := w.LDAPServers(w.admin, iam.LDAPRef{})
	w.must(err)
	l := list[0]
	if n, err := w.TestLDAP(w.admin, l.ID); err != nil || n != 4 {
		t.Error("the directory shows", n, err)
	}
	l.UserFilter = "(uid=ann)"
	_, err = w.UpdateLDAP(w.admin, l, nil)
	w.must(err)
	if n, err := w.TestLDAP(w.admin, l.ID); err != nil || n != 1 {
		t.Error("after the change it shows", n, err)
	}
	l.Host = "elsewhere.example"
	_, err = w.UpdateLDAP(w.admin, l, nil)
	w.wantKey(err, "error.ldap_password_again", "the password is sent elsewhere")
	_, err = w.UpdateLDAP(w.boss(), list[0], new("x"))
	w.wantKind(err, fault.Forbidden, "a domain admin changes a directory")
}

func TestLegacyDirectory(t *testing.T) {
	w := newDirectoryWorld(t)
	legacy := iam.LegacyLDAP{Host: "127.0.0.1", Port: w.port, BaseDN: slapdBase, BindDN: "cn=search," + slapdBase, BindPassword: new("searchpw"), Query: "(&(uid=%u)(sn=Bee))"}
	_, err := w.SetLegacyLDAP(w.admin, legacy)
	w.must(err)
	w.link(iam.OULink, slapdBase)
	w.must(w.in("ann", "annpw"))
	w.wantKey(w.in("guest", "guestpw"), "error.login", "not in the filter")
	legacy.Query, legacy.BindPassword = "(uid=%u)", nil
	l, err := w.SetLegacyLDAP(w.admin, legacy)
	w.must(err)
	if l.LegacyQuery() != "(uid=%u)" {
		t.Error(l.LegacyQuery())
	}
	w.must(w.in("guest", "guestpw"))
	for _, bad := range []string{"", "(uid=x)", "(uid=%u)(cn=%n)", "%u", "(|(uid=%u)(mail=%u))"} {
		legacy.Query = bad
		_, err := w.SetLegacyLDAP(w.admin, legacy)
		w.wantKey(err, "error.ldap_query", bad)
	}
	w.server(nil)
	_, err = w.Legacy(w.admin)
	w.wantKey(err, "error.ldap_several", "which?")
}

func TestNesting(t *testing.T) {
	w := newDirectoryWorld(t)
	w.group("inside", annDN)
	w.group("outside", groupDN("inside"))
	for nesting, in := range map[string]bool{iam.NestingNone: false, iam.NestingSearch: true, iam.NestingMemberOf: true} {
		w.only(func(l *iam.LDAPServer) { l.Nesting, l.GroupDN = nesting, groupDN("outside") })
		w.link(iam.OULink, slapdBase)
		if err := w.in("ann", "annpw"); (err == nil) != in {
			t.Error(nesting, err)
		}
	}
	w.only(func(l *iam.LDAPServer) { l.Nesting = iam.NestingSearch })
	people, err := w.DirectoryPeople(w.admin, iam.DirectoryQuery{DomainID: w.dept.ID, Group: "outside"})
	w.must(err)
	if len(people) != 1 {
		t.Error("search opens", people)
	}
	_, err = w.AddLDAP(w.admin, iam.LDAPServer{Host: "x", Nesting: "guess"}, "")
	w.wantKey(err, "error.ldap_nesting", "an unknown way")
}
