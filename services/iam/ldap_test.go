package iam_test

import (
	"net"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

type directoryWorld struct {
	*world
	slapd
	dept iam.Domain
}

func newDirectoryWorld(t *testing.T) *directoryWorld {
	t.Helper()
	s := startSlapd(t, newAuthority(t), "127.0.0.1")
	w := newWorld(t)
	return &directoryWorld{w, s, w.domain(w.admin, "", "dept")}
}

// server is a directory that works; change alters it.
func (w *directoryWorld) server(change func(*iam.LDAPServer)) {
	w.Helper()
	l := iam.LDAPServer{Host: "127.0.0.1", Port: w.port, BaseDN: slapdBase, BindDN: "cn=search," + slapdBase}
	if change != nil {
		change(&l)
	}
	_, err := w.AddLDAP(w.admin, l, "searchpw")
	w.must(err)
}

// only makes one server the domain's directory.
func (w *directoryWorld) only(change func(*iam.LDAPServer)) {
	w.Helper()
	list, err := w.LDAPServers(w.admin, iam.LDAPRef{})
	w.must(err)
	for _, l := range list {
		_, err := w.DeleteLDAP(w.admin, iam.LDAPRef{ID: l.ID})
		w.must(err)
	}
	w.server(change)
}

func (w *directoryWorld) link(kind, dn string) {
	w.Helper()
	_, err := w.LinkLDAP(w.admin, iam.LDAPLink{DomainID: w.dept.ID, Type: kind, Name: dn, AccountType: store.User})
	w.must(err)
}

func (w *directoryWorld) in(name, password string) error {
	w.clock.Add(2 * time.Hour) // no delay of an earlier try
	_, err := w.login("dept", name, password, "192.0.2.1")
	return err
}

func TestLDAPLogin(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(nil)
	w.wantKey(w.in("ann", "annpw"), "error.login", "before the domain is linked")
	w.link(iam.OULink, "ou=People,"+slapdBase)
	w.must(w.in("ann", "annpw"))
	a, err := w.AccountByName(w.admin, w.dept.ID, "ann")
	w.must(err)
	var u iam.User
	w.must(w.DB().In(w.admin).Where("account_id = ?", a.ID).Take(&u).Error)
	if u.Source != iam.LDAP || u.Email != "ann@example.org" || u.FirstName != "Ann" || u.LastName != "Bee" || u.Password != "" || a.Type != store.User {
		t.Errorf("imported as %+v", u)
	}
	w.must(w.in("ANN", "annpw"))
	if again, err := w.AccountByName(w.admin, w.dept.ID, "ann"); err != nil || again.ID != a.ID {
		t.Error("imported twice", err)
	}
	for what, try := range map[string][2]string{
		"wrong password":  {"ann", "x"},
		"empty password":  {"ann", ""},
		"empty, newcomer": {"bob", ""},
		"nobody":          {"zed", "x"},
		"another unit":    {"guest", "guestpw"},
		"a star":          {"*", "annpw"},
		"a prefix":        {"an*", "annpw"},
		"an injection":    {"ann)(uid=*", "annpw"},
		"an or":           {"x)(|(uid=ann", "annpw"},
		"a NUL":           {"ann\x00", "annpw"},
		"a backslash":     {`\61nn`, "annpw"},
		"spaces":          {"a nn", "annpw"},
	} {
		w.wantKey(w.in(try[0], try[1]), "error.login", what)
	}
	w.must(w.in(`odd (x)\*`, "oddpw")) // metacharacters are a name's own
	_, err = w.UpdateUser(w.admin, iam.UpdateUser{ID: u.ID, Password: new("local")})
	w.wantKey(err, "error.ldap_user", "a local password")
	w.must(errOf2(w.DisableUser(w.admin, u.ID)))
	w.wantKey(w.in("ann", "annpw"), "error.login", "disabled here")
}

func TestLDAPGroups(t *testing.T) {
	w := newDirectoryWorld(t)
	w.server(nil)
	w.link(iam.GroupLink, "cn=Cloud, "+slapdBase)
	w.must(w.in("ann", "annpw")) // through cn=inner, and cn=cloud holds itself
	w.wantKey(w.in("bob", "bobpw"), "error.login", "not in the group")
	w.link(iam.OULink, "ou=people,"+slapdBase)
	w.must(w.in("bob", "bobpw"))
	w.only(func(l *iam.LDAPServer) { l.GroupDN = "cn=inner," + slapdBase })
	w.must(w.in("ann", "annpw"))
	w.wantKey(w.in("bob", "bobpw"), "error.login", "not in the directory's group")
	if list, _ := w.AccountByName(w.admin, w.dept.ID, "bob"); list.State != iam.Enabled {
		t.Error("leaving the group disabled the account")
	}
	w.only(func(l *iam.LDAPServer) { l.UserFilter = "(!(uid=ann))" })
	w.wantKey(w.in("ann", "annpw"), "error.login", "filtered")
}

func TestLDAPTransport(t *testing.T) {
	w := newDirectoryWorld(t)
	w.link(iam.OULink, "ou=people,"+slapdBase)
	w.server(nil)
	w.must(w.in("ann", "annpw"))
	stranger := newAuthority(t)
	works := map[string]func(*iam.LDAPServer){
		"starttls": func(l *iam.LDAPServer) { l.Security, l.CAPEM = iam.StartTLS, w.ca },
		"ldaps":    func(l *iam.LDAPServer) { l.Security, l.CAPEM, l.Port = iam.LDAPS, w.ca, w.tlsPort },
	}
	for what, change := range works {
		w.only(change)
		if err := w.in("ann", "annpw"); err != nil {
			t.Error(what, err)
		}
		w.wantKey(w.in("ann", "x"), "error.login", what)
	}
	fails := map[string]func(*iam.LDAPServer){
		"starttls, foreign CA":   func(l *iam.LDAPServer) { l.Security, l.CAPEM = iam.StartTLS, stranger.pem },
		"starttls, system's CAs": func(l *iam.LDAPServer) { l.Security = iam.StartTLS },
		"ldaps, foreign CA":      func(l *iam.LDAPServer) { l.Security, l.CAPEM, l.Port = iam.LDAPS, stranger.pem, w.tlsPort },
		"ldaps, other name":      func(l *iam.LDAPServer) { l.Security, l.CAPEM, l.Port, l.Host = iam.LDAPS, w.ca, w.tlsPort, "localhost" },
		"ldaps on a plain port":  func(l *iam.LDAPServer) { l.Security, l.CAPEM = iam.LDAPS, w.ca },
		"nobody listens":         func(l *iam.LDAPServer) { l.Port = freePort(t) },
		"search user is wrong":   func(l *iam.LDAPServer) { l.BindDN = "cn=nobody," + slapdBase },
		"no such base":           func(l *iam.LDAPServer) { l.BaseDN = "dc=example,dc=com" },
	}
	for what, change := range fails {
		w.only(change)
		w.wantKey(w.in("ann", "annpw"), "error.login", what)
		// Nobody is disabled or made to wait by a server that does not answer.
		for range 8 {
			_, err := w.login("dept", "ann", "annpw", "192.0.2.1")
			w.wantKey(err, "error.login", what)
		}
		w.only(nil)
		if _, err := w.login("dept", "ann", "annpw", "192.0.2.1"); err != nil {
			t.Error("after", what, err)
		}
	}
}

func TestLDAPServersInTurn(t *testing.T) {
	w := newDirectoryWorld(t)
	w.link(iam.OULink, "ou=people,"+slapdBase)
	hole := blackHole(t)
	w.server(func(l *iam.LDAPServer) { l.Port = freePort(t) })
	w.server(func(l *iam.LDAPServer) { l.Port = hole })
	w.server(nil)
	start := time.Now()
	w.must(w.in("ann", "annpw"))
	if took := time.Since(start); took > 4*time.Second {
		t.Error("the third server was asked after", took)
	}
	w.wantKey(w.in("ann", "wrong"), "error.login", "a wrong password")
	w.only(func(l *iam.LDAPServer) { l.Port = hole })
	start = time.Now()
	w.wantKey(w.in("ann", "annpw"), "error.login", "silence")
	if took := time.Since(start); took > 6*time.Second {
		t.Error("silence took", took)
	}
	// A domain's own servers win over those for all.
	w.only(func(l *iam.LDAPServer) { l.Port = freePort(t) })
	w.server(func(l *iam.LDAPServer) { l.DomainID = w.dept.ID })
	w.must(w.in("ann", "annpw"))
	// Native users need no directory.
	_, _, err := w.CreateAccount(w.admin, iam.CreateAccount{DomainID: w.dept.ID, RoleID: iam.RoleUser, User: iam.NewUser{Username: "local", Password: "pw"}})
	w.must(err)
	w.must(w.in("local", "pw"))
	w.wantKey(w.in("local", "annpw"), "error.login", "a native user at the directory")
}

// blackHole accepts connections and says nothing.
func blackHole(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func TestWhoMayConfigureDirectories(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	w.account(d.ID, "boss", iam.RoleDomainAdmin)
	boss := w.as("d", "boss")
	_, err := w.AddLDAP(boss, iam.LDAPServer{Host: "127.0.0.1", DomainID: d.ID}, "")
	w.wantKind(err, fault.Forbidden, "a domain admin adds a server")
	_, err = w.LinkLDAP(boss, iam.LDAPLink{DomainID: d.ID, Type: iam.OULink, Name: "ou=x"})
	w.wantKind(err, fault.Forbidden, "a domain admin links")
	l, err := w.AddLDAP(w.admin, iam.LDAPServer{Host: "ldap.example.org", BindDN: "cn=x"}, "hunter2")
	w.must(err)
	if l.Port != 389 || string(l.BindPassword) == "hunter2" {
		t.Error(l)
	}
	if list, err := w.LDAPServers(boss, iam.LDAPRef{}); err != nil || len(list) != 0 {
		t.Error("a domain admin sees", list, err)
	}
	for param, l := range map[string]iam.LDAPServer{
		"hostname":          {Host: "ldap://x"},
		"port":              {Host: "x", Port: 70000},
		"cacertificate":     {Host: "x", CAPEM: []byte("nonsense")},
		"basedn":            {Host: "x", BaseDN: "nonsense"},
		"usernameattribute": {Host: "x", AttrUsername: "uid=*)(x"},
		"userfilter":        {Host: "x", UserFilter: "(uid=*"},
	} {
		_, err := w.AddLDAP(w.admin, l, "")
		if f := fault.Of(err); len(f.Order) != 1 || f.Order[0] != param {
			t.Errorf("%s: %v", param, err)
		}
	}
}
