package iam_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"aerie/services/iam"
)

// change changes a directory as its administrator does.
func (s slapd) change(t *testing.T, fn func(*ldap.Conn) error) {
	t.Helper()
	conn, err := ldap.DialURL(fmt.Sprintf("ldap://127.0.0.1:%d", s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(slapdAdmin, "adminpw"); err != nil {
		t.Fatal(err)
	}
	if err := fn(conn); err != nil {
		t.Fatal(err)
	}
}

// TestLDAPEntry: a user is one person of one directory, not whoever has the name.
func TestLDAPEntry(t *testing.T) {
	w := newDirectoryWorld(t)
	other := startSlapd(t, newAuthority(t), "127.0.0.1")
	there := func(l *iam.LDAPServer) { l.Port = other.port }
	w.server(nil)
	w.link(iam.OULink, slapdBase)
	w.must(w.in("ann", "annpw"))
	w.only(there)
	w.wantKey(w.in("ann", "annpw"), "error.login", "another directory's ann")
	w.must(w.in("bob", "bobpw")) // who is new is of this one
	w.only(nil)
	w.must(w.in("ann", "annpw"))
	w.wantKey(w.in("bob", "bobpw"), "error.login", "another directory's bob")

	w.slapd.change(t, func(c *ldap.Conn) error {
		return c.ModifyDN(ldap.NewModifyDNRequest("uid=ann,ou=people,"+slapdBase, "uid=ann", true, "ou=guests,"+slapdBase))
	})
	w.must(w.in("ann", "annpw")) // she moved
	w.slapd.change(t, func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest("uid=ann,ou=guests,"+slapdBase, nil)) })
	w.slapd.change(t, func(c *ldap.Conn) error {
		add := ldap.NewAddRequest("uid=ann,ou=people,"+slapdBase, nil)
		for name, v := range map[string]string{"objectClass": "inetOrgPerson", "uid": "ann", "cn": "Ann", "sn": "Cee", "userPassword": "newpw"} {
			add.Attribute(name, []string{v})
		}
		return c.Add(add)
	})
	w.wantKey(w.in("ann", "newpw"), "error.login", "a later ann of the same name")
}

// TestLDAPEntryByDN: a directory that tells no id binds by server and DN.
func TestLDAPEntryByDN(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(nil)
	w.link(iam.OULink, slapdBase)
	w.must(w.in("ann", "annpw"))
	entry := func() (out string) {
		w.must(w.DB().In(w.sys()).Model(&iam.User{}).Where("login_key = ?", "ann").Pluck("directory_entry", &out).Error)
		return out
	}
	id := entry()
	set := func(to string) {
		w.must(w.DB().Tx(w.sys(), func(ctx context.Context) error {
			return w.DB().In(ctx).Model(&iam.User{}).Where("login_key = ?", "ann").Update("directory_entry", to).Error
		}))
	}
	servers, err := w.LDAPServers(w.admin, iam.LDAPRef{})
	w.must(err)
	set(iam.EntryByDN(servers[0].ID, "UID=ann, ou=People,"+slapdBase))
	w.must(w.in("ann", "annpw"))
	if entry() != id {
		t.Error("the id that the directory tells by now is not kept")
	}
	set("") // made by hand, before the first login
	w.must(w.in("ann", "annpw"))
	if entry() != id {
		t.Error("the first login does not bind")
	}
	set(iam.EntryByDN("another", "uid=ann,ou=people,"+slapdBase))
	w.wantKey(w.in("ann", "annpw"), "error.login", "the same DN of another server")
}
