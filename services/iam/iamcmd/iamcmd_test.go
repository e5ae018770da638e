package iamcmd_test

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aerie/services/command"
	"aerie/services/command/spec"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/services/job"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

const someZone = "0b000000-0000-7000-8000-00000000000a"

type world struct {
	testing.TB
	iam   *iam.Service
	reg   *command.Registry
	jobs  *job.Engine
	admin context.Context
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := storetest.Open(t)
	s := iam.New(db, iam.Options{Argon: iam.Argon{Memory: 64, Time: 1, Threads: 1}})
	if _, err := s.Bootstrap(t.Context(), "secret"); err != nil {
		t.Fatal(err)
	}
	jobs := job.New(db, job.Options{Poll: 10 * time.Millisecond})
	cmds := iamcmd.New(s, jobs)
	reg := &command.Registry{DB: db, Jobs: jobs, Directory: s}
	cmds.Join(reg, jobs)
	cmds.Refs(reg.Ref)
	// Zones are infra's, which is printed below.
	reg.Ref("zone", func(_ context.Context, id string) (bool, error) { return id == someZone, nil })
	reg.Add(cmds.Commands()...)
	reg.Check()
	jobs.Finish, jobs.Notify = reg.Finish, reg.Notify
	w := &world{TB: t, iam: s, reg: reg, jobs: jobs}
	w.admin = w.as("", "admin")
	return w
}

func (w *world) as(domain, name string) context.Context {
	w.Helper()
	sys := store.System(w.Context(), "test")
	d, err := w.iam.DomainByPath(sys, domain)
	if err != nil {
		w.Fatal(err)
	}
	a, err := w.iam.AccountByName(sys, d.ID, name)
	if err != nil {
		w.Fatal(err)
	}
	var u iam.User
	if err := w.iam.DB().In(sys).Where("account_id = ?", a.ID).Order("id").Take(&u).Error; err != nil {
		w.Fatal(err)
	}
	return store.With(w.Context(), store.Actor{UserID: u.ID, Owner: a.Owner(), Rank: a.Type, RoleID: a.RoleID})
}

// call calls a command with name=value words and returns its answer as decoded
// JSON.
func (w *world) call(ctx context.Context, name string, args ...string) (map[string]any, error) {
	w.Helper()
	v := url.Values{}
	for _, a := range args {
		k, val, _ := strings.Cut(a, "=")
		v.Set(k, val)
	}
	c, out, err := w.reg.Call(ctx, name, v)
	if err != nil {
		return nil, err
	}
	actor, _ := store.From(ctx)
	body := map[string]any{}
	if a, ok := out.(command.Accepted); ok {
		return w.await(a.JobID), nil
	}
	if err := json.Unmarshal(c.Body(command.RoleOf(actor.Rank), out), &body); err != nil {
		w.Fatal(err)
	}
	return body, nil
}

// await runs the jobs until one is done and returns its result.
func (w *world) await(id string) map[string]any {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	done := make(chan error, 1)
	go func() { done <- w.jobs.Run(ctx) }()
	defer func() { stop(); <-done }()
	sys := store.System(w.Context(), "test")
	for range 1000 {
		row, err := store.Find[job.Row](sys, w.iam.DB(), id)
		if err != nil {
			w.Fatal(err)
		}
		if !row.Status.Live() {
			body := map[string]any{"status": string(row.Status), "key": row.ErrorKey}
			_ = json.Unmarshal(row.Result, &body)
			return body
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.Fatal("the job does not end")
	return nil
}

func (w *world) ok(ctx context.Context, name string, args ...string) map[string]any {
	w.Helper()
	out, err := w.call(ctx, name, args...)
	if err != nil {
		w.Fatalf("%s %v: %v", name, args, err)
	}
	return out
}

// field digs a text out of an answer.
func field(body map[string]any, path ...string) string {
	var at any = body
	for _, p := range path {
		switch v := at.(type) {
		case map[string]any:
			at = v[p]
		case []any:
			at = v[0].(map[string]any)[p]
		}
	}
	s, _ := at.(string)
	return s
}

func TestCommandsAreCloudStacks(t *testing.T) {
	w := newWorld(t)
	for _, p := range spec.Compare(w.reg, meant) {
		t.Error(p)
	}
}

func TestLifeOfATenant(t *testing.T) {
	w := newWorld(t)
	d := field(w.ok(w.admin, "createDomain", "name=dept", "networkdomain=dept.example"), "domain", "id")
	sub := w.ok(w.admin, "createDomain", "name=team", "parentdomainid="+d)
	if field(sub, "domain", "path") != "ROOT/dept/team" || field(sub, "domain", "parentdomainname") != "dept" || field(sub, "domain", "vmlimit") != "40" {
		t.Error(sub)
	}
	made := w.ok(w.admin, "createAccount", "username=ann", "password=pw", "firstname=Ann", "lastname=Bee", "email=a@example.org",
		"accounttype=0", "domainid="+d, "roleid=4", "accountdetails[0].key=team", "accountdetails[0].value=blue")
	a := field(made, "account", "id")
	if field(made, "account", "vmlimit") != "20" || field(made, "account", "user", "username") != "ann" || field(made, "account", "accountdetails", "team") != "blue" ||
		field(made, "account", "rolename") != "User" || field(made, "account", "domainpath") != "ROOT/dept" {
		t.Error(made)
	}
	u := field(made, "account", "user", "id")
	keys := w.ok(w.admin, "registerUserKeys", "id="+u)
	if field(keys, "userkeys", "secretkey") == "" {
		t.Error(keys)
	}
	if got := w.ok(w.admin, "getUserKeys", "id="+u); field(got, "userkeys", "secretkey") != "" || field(got, "userkeys", "apikey") == "" {
		t.Error("the admin reads", got)
	}
	if got := w.ok(w.as("dept", "ann"), "getUserKeys", "id="+u); field(got, "userkeys", "secretkey") != "" || field(got, "userkeys", "apikey") != field(keys, "userkeys", "apikey") {
		t.Error("ann reads", got)
	}
	if got := w.ok(w.admin, "getUser", "userapikey="+field(keys, "userkeys", "apikey")); field(got, "user", "id") != u {
		t.Error(got)
	}
	w.ok(w.admin, "createUser", "account=ann", "domainid="+d, "username=ann2", "password=pw", "firstname=A", "lastname=B", "email=x")
	if got := w.ok(w.admin, "listUsers", "listall=true", "account=ann", "domainid="+d); got["count"] != 2.0 {
		t.Error(got)
	}
	l := w.ok(w.admin, "updateResourceLimit", "account=ann", "domainid="+d, "resourcetype=0", "max=3")
	if field(l, "resourcelimit", "resourcetype") != "0" || l["resourcelimit"].(map[string]any)["max"] != 3.0 {
		t.Error(l)
	}
	if got := w.ok(w.as("dept", "ann"), "listResourceLimits", "resourcetype=0"); got["count"] != 1.0 || got["resourcelimit"].([]any)[0].(map[string]any)["max"] != 3.0 {
		t.Error(got)
	}
	if got := w.ok(w.admin, "updateResourceCount", "domainid="+d, "account=ann"); got["count"] != 17.0 {
		t.Error(got)
	}
	if got := w.ok(w.admin, "disableAccount", "lock=false", "id="+a); field(got, "account", "state") != "disabled" || got["status"] != "succeeded" {
		t.Error(got)
	}
	if got := w.ok(w.admin, "enableAccount", "id="+a); field(got, "account", "state") != "enabled" {
		t.Error(got)
	}
	if got := w.ok(w.admin, "disableUser", "id="+u); field(got, "user", "state") != "disabled" {
		t.Error(got)
	}
	w.ok(w.admin, "deleteUser", "id="+u)
	if got := w.ok(w.admin, "deleteDomain", "id="+d); got["status"] != "failed" || got["key"] != "error.domain_used" {
		t.Error("a full domain:", got)
	}
	if got := w.ok(w.admin, "deleteAccount", "id="+a); got["success"] != true {
		t.Error(got)
	}
	if got := w.ok(w.admin, "deleteDomain", "id="+d, "cleanup=true"); got["success"] != true {
		t.Error(got)
	}
	if got := w.ok(w.admin, "listDomains", "id="+d); len(got) != 0 {
		t.Error("removed and still listed:", got)
	}
	if _, err := w.call(w.admin, "listDomains", "id="+w.iam.DB().NewID()); !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		t.Error("an id that never was:", err)
	}
}

func TestScopesOfLists(t *testing.T) {
	w := newWorld(t)
	domain := map[string]string{}
	domain["d1"] = field(w.ok(w.admin, "createDomain", "name=d1"), "domain", "id")
	domain["d2"] = field(w.ok(w.admin, "createDomain", "name=d2"), "domain", "id")
	domain["sub"] = field(w.ok(w.admin, "createDomain", "name=sub", "parentdomainid="+domain["d1"]), "domain", "id")
	for _, a := range []struct{ name, domain, kind string }{{"boss", "d1", "2"}, {"ann", "d1", "0"}, {"kid", "sub", "0"}, {"bob", "d2", "0"}} {
		w.ok(w.admin, "createAccount", "username="+a.name, "password=x", "firstname=x", "lastname=x", "email=x", "accounttype="+a.kind, "domainid="+domain[a.domain])
	}
	boss, ann := w.as("d1", "boss"), w.as("d1", "ann")
	for _, f := range []struct {
		who        context.Context
		call, want string
	}{
		{w.admin, "listAccounts", "admin"},
		{w.admin, "listAccounts listall=true", "admin ann bob boss kid"},
		{w.admin, "listAccounts listall=true name=BOB", "bob"},
		{w.admin, "listAccounts domainid=d1", "ann boss"},
		{w.admin, "listAccounts domainid=d1 isrecursive=true", "ann boss kid"},
		{w.admin, "listAccounts listall=true keyword=b", "bob boss"},
		{w.admin, "listAccounts listall=true accounttype=2", "boss"},
		{w.admin, "listAccounts listall=true page=2 pagesize=2 details=min", "any"},
		{boss, "listAccounts", "boss"},
		{boss, "listAccounts listall=true", "ann boss kid"},
		{boss, "listAccounts name=ann", "ann"},
		{boss, "listAccounts domainid=d2", "error"},
		{ann, "listAccounts listall=true", "ann"},
		{ann, "listAccounts domainid=sub", "error"},
		{boss, "listUsers", "boss"},
		{boss, "listUsers listall=true", "ann boss kid"},
		{boss, "listUsers account=bob domainid=d2", "error"},
		{ann, "listUsers listall=true", "ann"},
		{w.admin, "listDomains", "ROOT d1 d2 sub"},
		{w.admin, "listDomains name=SUB", "sub"},
		{w.admin, "listDomains level=1", "d1 d2"},
		{boss, "listDomains", "d1"},
		{boss, "listDomains listall=true", "d1 sub"},
		{boss, "listDomains id=d2", "error"},
		{ann, "listDomains listall=true", "d1"},
		{w.admin, "listDomainChildren", "d1 d2"},
		{w.admin, "listDomainChildren isrecursive=true", "d1 d2 sub"},
		{boss, "listDomainChildren", "sub"},
		{boss, "listDomainChildren id=d2", "error"},
		{ann, "listDomainChildren", "error"},
		{w.admin, "listRoles", "Domain Admin Read-Only Admin Read-Only User Resource Admin Root Admin Support Admin Support User User"},
		{boss, "listRoles", "Domain Admin Read-Only User Support User User"},
		{ann, "listRoles", "error"},
	} {
		words := strings.Fields(f.call)
		for i, word := range words {
			if k, v, ok := strings.Cut(word, "="); ok && strings.HasSuffix(k, "id") {
				words[i] = k + "=" + domain[v]
			}
		}
		got, err := w.call(f.who, words[0], words[1:]...)
		if err != nil {
			if f.want != "error" {
				t.Errorf("%s: %v", f.call, err)
			}
			continue
		}
		if names := namesIn(got); names != f.want && f.want != "any" {
			t.Errorf("%s: %s, want %s", f.call, names, f.want)
		}
	}
}

func namesIn(body map[string]any) string {
	var names []string
	for _, list := range body {
		rows, _ := list.([]any)
		for _, r := range rows {
			row := r.(map[string]any)
			name, _ := row["username"].(string)
			if name == "" {
				name, _ = row["name"].(string)
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestListsAskOnce: however many accounts, the number of queries stays.
func TestListsAskOnce(t *testing.T) {
	w := newWorld(t)
	count := func() int64 {
		before := w.iam.DB().Statements()
		w.ok(w.admin, "listAccounts", "listall=true")
		w.ok(w.admin, "listUsers", "listall=true")
		w.ok(w.admin, "listDomains", "listall=true")
		return w.iam.DB().Statements() - before
	}
	few := count()
	for _, n := range strings.Split("abcdefghij", "") {
		d := field(w.ok(w.admin, "createDomain", "name="+n), "domain", "id")
		w.ok(w.admin, "createAccount", "username="+n, "password=x", "firstname=x", "lastname=x", "email=x", "accounttype=0", "domainid="+d)
	}
	if many := count(); many != few {
		t.Errorf("%d statements for one account, %d for eleven", few, many)
	}
}

func TestDirectories(t *testing.T) {
	w := newWorld(t)
	l := w.ok(w.admin, "addLdapConfiguration", "hostname=ldap.example.org", "port=389", "binddn=cn=x", "bindpassword=hunter2")
	if field(l, "LdapConfiguration", "hostname") != "ldap.example.org" {
		t.Error(l)
	}
	if b, _ := json.Marshal(w.ok(w.admin, "listLdapConfigurations")); strings.Contains(string(b), "hunter2") {
		t.Error("the password shows")
	}
	d := field(w.ok(w.admin, "createDomain", "name=d"), "domain", "id")
	link := w.ok(w.admin, "linkDomainToLdap", "domainid="+d, "type=OU", "ldapdomain=ou=people,dc=x", "accounttype=0", "admin=ann")
	if field(link, "LinkDomainToLdap", "accountid") == "" {
		t.Error(link)
	}
	w.ok(w.admin, "deleteLdapConfiguration", "hostname=ldap.example.org")
	if got := w.ok(w.admin, "listLdapConfigurations"); len(got) != 0 {
		t.Error(got)
	}
}
