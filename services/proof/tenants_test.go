package proof_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aerie/services/catalog"
	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/event"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/network"
	"aerie/services/project"
	"aerie/services/proof"
	"aerie/services/signon"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/webhook"
)

// canary is in every name that a tenant's victim gives.
const canary = "canary"

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGKYcxSGlD8lSC4XL8IHWXBeBmVJn6yUPjYtfMLlWTM6 x"

// kit is a tenant with one of everything that tenants have.
type kit struct {
	ctx     context.Context
	account iam.Account
	name    string            // begins every name
	ids     map[string]string // kind → id
}

// tenants are who may not see one another: a user, another of the same domain,
// one of a sibling domain, and that domain's administrator.
type tenants struct {
	*proof.World
	victim, neighbour, stranger kit
	boss                        kit // administers the stranger's domain
	absent                      string
	project                     map[string]string // kind → an id of the victim's project
	ex, restricted              kit               // were, and are with a role that denies all, in the victim's project
	infra                       map[string]string // kind → an id that only administrators have
}

func newTenants(t *testing.T) *tenants {
	w := proof.New(t)
	trust(w)
	x := &tenants{World: w, absent: "ffffffff-ffff-7fff-bfff-ffffffffffff"}
	x.victim = x.kit("alpha", "victim", canary, iam.RoleUser)
	x.neighbour = x.kit("alpha", "amy", "next", iam.RoleUser)
	x.stranger = x.kit("beta", "bob", "own", iam.RoleUser)
	x.boss = x.stranger
	x.boss.ctx = w.Account("beta", "bea", iam.RoleDomainAdmin)
	x.ofDomain()
	x.ofProject()
	keys, err := x.IAM.RegisterKeys(x.victim.ctx, x.victim.ids["user"])
	x.Must(err)
	x.victim.ids["api key"], x.victim.ids["apikey"] = keys.APIKey, keys.ID
	x.victim.ids["guestosmapping"], x.victim.ids["hypervisorcapabilities"] = w.ID(&catalog.Mapping{}, "1 = 1"), w.ID(&catalog.Ability{}, "1 = 1")
	x.infra = map[string]string{
		"host": w.ID(&infra.Host{}, "1 = 1"), "pod": w.ID(&infra.Pod{}, "1 = 1"), "cluster": w.ID(&infra.Cluster{}, "1 = 1"),
		"storagepool": w.ID(&infra.Pool{}, "1 = 1"), "imagestore": w.ID(&infra.ImageStore{}, "1 = 1"),
		"physicalnetwork": w.ID(&infra.PhysicalNetwork{}, "1 = 1"), "traffictype": w.ID(&infra.TrafficType{}, "1 = 1"),
		"vlan": w.ID(&network.PublicRange{}, "1 = 1"),
	}
	w.Call(w.Admin, "importRole", "name", canary+"-role", "type", "User", "ispublic", "false", "rules[0].rule", "list*", "rules[0].permission", "allow")
	w.Call(w.Admin, "registerOauthProvider", "provider", "corp", "description", "Corp", "clientid", "aerie", "secretkey", "s", "issuer", "https://id.example",
		"redirecturi", "https://portal.test/sign-in/oidc")
	x.infra["oauthprovider"] = w.ID(&signon.Provider{}, "name = ?", "corp")
	w.Call(w.Admin, "updateOauthProvider", "id", x.infra["oauthprovider"], "enabled", "false") // all see those that are offered
	x.infra["role"], x.infra["rolepermission"] = w.ID(&iam.Role{}, "is_public = ?", false), w.ID(&iam.Permission{}, "1 = 1")
	w.Finish()
	return x
}

// labels puts one of each label on a tenant's instance.
func (x *tenants) labels(ctx context.Context, name string, ids map[string]string) {
	x.Helper()
	vm := ids["virtualmachine"]
	x.Call(ctx, "createTags", "resourcetype", "UserVm", "resourceids", vm, "tags[0].key", name+"-key", "tags[0].value", name+"-value")
	x.Call(ctx, "uploadResourceIcon", "resourcetype", "UserVm", "resourceids", vm, "base64image", dot)
	ids["annotation"] = x.Call(ctx, "addAnnotation", "entitytype", "VM", "entityid", vm, "annotation", name+"-comment").(label.NoteView).ID
}

// dot is a GIF of one pixel.
const dot = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

// kit makes an account and its things.
func (x *tenants) kit(domain, account, name, role string) kit {
	x.Helper()
	k := kit{ctx: x.Account(domain, account, role), name: name}
	actor, _ := store.From(k.ctx)
	k.ids = x.things(k.ctx, actor.AccountID, name)
	k.ids["account"], k.ids["domain"], k.ids["user"] = actor.AccountID, actor.DomainID, actor.UserID
	x.Must(x.DB.In(x.Sys()).Take(&k.account, "id = ?", actor.AccountID).Error)
	x.inProject(&k)
	return k
}

// inProject makes a project of the tenant's, with a role.
func (x *tenants) inProject(k *kit) {
	x.Helper()
	id := x.Call(k.ctx, "createProject", "name", k.name+"-project").(command.Accepted).ID
	k.ctx = x.again(k.ctx)
	x.JSON(k.ctx, "createProjectRole", "projectid", id, "name", k.name+"-role")
	role := x.ID(&project.Role{}, "project_id = ?", id)
	x.JSON(k.ctx, "createProjectRolePermission", "projectid", id, "projectroleid", role, "rule", k.name+"*", "permission", "allow")
	k.ids["project"], k.ids["projectrole"], k.ids["projectrule"] = id, role, x.ID(&iam.ProjectRule{}, "project_id = ?", id)
}

// again is the context of the same user in a new request.
func (x *tenants) again(ctx context.Context) context.Context {
	x.Helper()
	actor, _ := store.From(ctx)
	p, err := x.IAM.Standing(x.Context(), actor.UserID)
	x.Must(err)
	return store.With(x.Context(), p.Actor)
}

// ofProject puts things into the victim's project, and two into it who must not
// see them.
func (x *tenants) ofProject() {
	x.Helper()
	x.ex = x.kit("alpha", "exa", "left", iam.RoleUser)
	x.restricted = x.kit("alpha", "rex", "tied", iam.RoleUser)
	id := x.victim.ids["project"]
	x.JSON(x.victim.ctx, "createProjectRole", "projectid", id, "name", "nothing")
	nothing := x.ID(&project.Role{}, "name = ?", "nothing")
	x.Call(x.victim.ctx, "addAccountToProject", "projectid", id, "account", "exa")
	x.Call(x.victim.ctx, "addAccountToProject", "projectid", id, "account", "rex", "projectroleid", nothing)
	x.Call(x.victim.ctx, "deleteAccountFromProject", "projectid", id, "account", "exa")
	x.ex.ctx, x.restricted.ctx = x.again(x.ex.ctx), x.again(x.restricted.ctx)
	x.project = x.things(x.victim.ctx, id, canary+"p", "projectid", id)
	invitation := project.Invitation{
		Row: store.Row{ID: x.DB.NewID()}, ProjectID: id, DomainID: x.victim.ids["domain"], DomainPath: x.victim.account.DomainPath,
		Email: "x@example.com", Role: iam.ProjectRegular, State: project.Pending, ExpiresAt: x.DB.Now(),
	}
	x.Must(x.DB.Tx(x.Sys(), func(ctx context.Context) error { return x.DB.In(ctx).Create(&invitation).Error }))
	x.victim.ids["projectinvitation"] = invitation.ID
}

// atProject is the same world with the victim's project as the victim.
func (x *tenants) atProject() *tenants {
	y := *x
	y.victim.ids = maps.Clone(x.victim.ids)
	maps.Copy(y.victim.ids, x.project)
	y.victim.name = canary + "p"
	return &y
}

// things makes one of everything for an account or a project.
func (x *tenants) things(ctx context.Context, owner, name string, more ...string) map[string]string {
	x.Helper()
	own := func(model any) string { return x.ID(model, "account_id = ?", owner) }
	with := func(params ...string) []string { return append(params, more...) }
	x.JSON(ctx, "createSSHKeyPair", with("name", name+"-key")...)
	x.JSON(ctx, "createNetwork", with("name", name+"-net", "zoneid", x.Zone.ID, "networkofferingid", x.required())...)
	x.JSON(ctx, "registerTemplate", register(site(x, qcow2(nil)), with("name", name+"-image", "zoneid", x.Zone.ID)...)...)
	x.JSON(ctx, "createInstanceGroup", with("name", name+"-group")...)
	x.Call(ctx, "createAffinityGroup", with("name", name+"-affinity", "type", compute.ApartIfCan)...)
	x.JSON(ctx, "registerUserData", with("name", name+"-data", "userdata", "Y2FuYXJ5")...)
	x.JSON(ctx, "createWebhook", with("name", name+"-hook", "payloadurl", "http://example.com/x", "state", webhook.Disabled)...)
	x.JSON(ctx, "executeWebhookDelivery", "webhookid", own(&webhook.Webhook{}))
	x.Deploy(ctx, name+"-vm", with("networkids", own(&network.Network{}), "keypair", name+"-key", "group", name+"-group", "affinitygroupids", own(&compute.AffinityGroup{}))...)
	ids := map[string]string{
		"virtualmachine": own(&compute.VM{}), "network": own(&network.Network{}), "volume": own(&storage.Volume{}),
		"template": own(&image.Template{}), "publicipaddress": own(&network.PublicIP{}), "router": own(&network.Router{}),
		"instancegroup": own(&compute.Group{}), "affinitygroup": own(&compute.AffinityGroup{}), "userdata": own(&compute.UserData{}),
		"webhook": own(&webhook.Webhook{}), "webhookdelivery": own(&webhook.Delivery{}),
		"nic": own(&network.NIC{}), "event": own(&event.Row{}), "job": own(&job.Row{}),
	}
	x.labels(ctx, name, ids)
	return ids
}

func (x *tenants) required() string { return x.ID(&network.Offering{}, "availability = ?", "Required") }

// ofDomain makes what belongs to the victim's domain as a whole.
func (x *tenants) ofDomain() {
	x.Helper()
	domain := x.victim.ids["domain"]
	x.JSON(x.Admin, "createDiskOffering", "name", canary+"-disk", "disksize", "1", "domainid", domain)
	x.JSON(x.Admin, "createServiceOffering", "name", canary+"-size", "cpunumber", "1", "cpuspeed", "100", "memory", "64", "domainid", domain)
	x.Call(x.Admin, "createVPCOffering", "name", canary+"-vpc", "supportedservices", "Dhcp", "domainid", domain)
	x.JSON(x.Admin, "createNetworkOffering", "name", canary+"-offering", "guestiptype", "Isolated", "traffictype", "GUEST", "domainid", domain,
		"supportedservices", "Dhcp,Dns", "enable", "true")
	x.JSON(x.Admin, "createZone", "name", canary+"-zone", "networktype", "Advanced", "dns1", "9.9.9.9", "internaldns1", "9.9.9.9",
		"allocationstate", "Enabled", "domainid", domain)
	x.Must(x.DB.Tx(x.Sys(), func(ctx context.Context) error {
		return x.DB.In(ctx).Create(&iam.LDAPServer{Row: store.Row{ID: x.DB.NewID()}, DomainID: domain, Host: canary + ".test", Port: 636}).Error
	}))
	x.victim.ids["diskoffering"] = x.ID(&storage.Offering{}, "name = ?", canary+"-disk")
	// What the administrator of the other domain may change.
	own := x.stranger.ids["domain"]
	x.JSON(x.boss.ctx, "createDiskOffering", "name", "own-disk", "disksize", "1", "domainid", own)
	x.JSON(x.boss.ctx, "createServiceOffering", "name", "own-size", "cpunumber", "1", "cpuspeed", "100", "memory", "64", "domainid", own)
	x.stranger.ids["diskoffering"] = x.ID(&storage.Offering{}, "name = ?", "own-disk")
	x.stranger.ids["serviceoffering"] = x.ID(&compute.Offering{}, "name = ?", "own-size")
	x.victim.ids["serviceoffering"] = x.ID(&compute.Offering{}, "name = ?", canary+"-size")
	x.victim.ids["vpcoffering"] = x.ID(&network.VPCOffering{}, "name = ?", canary+"-vpc")
	x.victim.ids["networkoffering"] = x.ID(&network.Offering{}, "name = ?", canary+"-offering")
	x.victim.ids["zone"] = x.ID(&infra.Zone{}, "name = ?", canary+"-zone")
	x.victim.ids["ldapconfiguration"] = x.ID(&iam.LDAPServer{}, "1 = 1")
}

// shared are kinds that all tenants see by their nature.
var shared = map[string]bool{"ostype": true, "oscategory": true}

// ofDomains are kinds that belong to a domain as a whole.
var ofDomains = map[string]bool{"domain": true, "serviceoffering": true, "diskoffering": true, "networkoffering": true, "vpcoffering": true, "zone": true}

// kinds are what ids stand for where a parameter's ref does not say it. A
// parameter that names something must be here or have a ref; a command's own
// entry goes before the general one.
var kinds = map[string]string{
	"account": "account name", "domainid": "domain", "projectid": "project", "accountid": "account", "userid": "user", "zoneid": "zone",
	"clusterid": "cluster", "storageid": "storagepool", "nicid": "nic", "jobid": "job", "resourceid": "virtualmachine",
	"associatednetworkid": "network", "storagepolicy": "nothing", "vgpuprofileid": "nothing",
	"createNetworkOffering.serviceofferingid": "nothing", "createVPCOffering.serviceofferingid": "nothing", "vpcid": "vpc", "aclid": "acl", "managementserverid": "server",
	"deleteAffinityGroup.name": "affinity name", "affinitygroupnames": "affinity name",
	"projectroleid": "projectrole", "projectrolepermissionid": "projectrule",
	"updateProjectRole.id": "projectrole", "deleteProjectRole.id": "projectrole", "deleteProjectRolePermission.id": "projectrule",
	"userapikey": "api key", "keypair": "key pair", "keypairs": "key pair",
	"deleteSSHKeyPair.name": "key pair", "listSSHKeyPairs.name": "key pair", "listSSHKeyPairs.id": "key pair id",
	"archiveEvents.ids": "event", "deleteEvents.ids": "event", "archiveAlerts.ids": "alert", "deleteAlerts.ids": "alert",
	// Not these: the kind of a limit, a key that a user gets, and what there is none of.
	"listResourceLimits.id": "nothing", "updateUser.userapikey": "nothing",
	"resourceids": "virtualmachine", "entityid": "virtualmachine", "listRegions.id": "nothing", "addRegion.id": "nothing", "updateRegion.id": "nothing", "removeRegion.id": "nothing",
	"updateAnnotationVisibility.id": "annotation", "removeAnnotation.id": "annotation",
	// What is offered on the sign-in page is for everybody, and a client's id is the provider's.
	"listOauthProvider.id": "nothing", "clientid": "nothing",
}

// names tells whether a parameter names something.
func names(c *command.Command, p command.Param) (kind string, does bool) {
	if p.Ref != "" {
		return p.Ref, true
	}
	if kind := kinds[c.Name+"."+p.Name]; kind != "" {
		return kind, kind != "nothing"
	}
	if kind := kinds[p.Name]; kind != "" {
		return kind, kind != "nothing"
	}
	return "", p.Type == "uuid" || strings.HasSuffix(p.Name, "id") || strings.HasSuffix(p.Name, "ids")
}

// foreign is the victim's thing of that kind; absent is one that nobody has.
func (x *tenants) foreign(kind string) (foreign, absent string, known bool) {
	switch kind {
	case "vpc", "acl", "server", "alert": // there are none yet
		return x.DB.NewID(), x.absent, true
	case "account name":
		return x.victim.account.Name, "nobody", true
	case "affinity name":
		return canary + "-affinity", "none-affinity", true
	case "key pair":
		return x.victim.name + "-key", "none-key", true
	case "key pair id":
		return x.ID(&compute.SSHKey{}, "name = ?", x.victim.name+"-key"), x.absent, true
	case "api key":
		return x.victim.ids[kind], "no-such-key", true
	}
	if id := x.infra[kind]; id != "" {
		return id, x.absent, true
	}
	id, ok := x.victim.ids[kind]
	return id, x.absent, ok
}

// needed are parameters that a command cannot do without though its contract
// does not say so.
var needed = map[string]bool{
	"deployVirtualMachine.templateid": true, "addAnnotation.entitytype": true, "addAnnotation.entityid": true, "addAnnotation.annotation": true,
	"listAnnotations.entitytype": true,
}

// fill gives the parameters that a command cannot do without.
func (x *tenants) fill(c *command.Command, k kit) url.Values {
	v := url.Values{}
	for _, p := range c.Params {
		if !p.Required && !needed[c.Name+"."+p.Name] {
			continue
		}
		kind, named := names(c, p)
		switch value := cmp.Or(plain[c.Name+"."+p.Name], plain[p.Name]); {
		case p.Type == "map":
			v.Set(p.Name+"[0].key", "fresh")
			v.Set(p.Name+"[0].value", "fresh")
		case kind == "zone":
			v.Set(p.Name, x.Zone.ID)
		case kind == "networkoffering":
			v.Set(p.Name, x.required())
		case kind == "serviceoffering" && k.ids[kind] == "":
			v.Set(p.Name, x.Small())
		case c.Name == "deployVirtualMachine" && kind == "template":
			v.Set(p.Name, x.Tiny())
		case c.Name+"."+p.Name == "createAffinityGroup.type":
			v.Set(p.Name, compute.Apart)
		case kind == "account name":
			v.Set(p.Name, k.account.Name)
		case kind == "key pair":
			v.Set(p.Name, k.name+"-key")
		case named && k.ids[kind] != "":
			v.Set(p.Name, k.ids[kind])
		case value != "":
			v.Set(p.Name, value)
		default:
			v.Set(p.Name, "fresh")
		}
	}
	return v
}

// plain are required values that name nothing.
var plain = map[string]string{
	"password": "Test-password-9", "email": "a@example.com", "lock": "false", "resourcetype": "0", "templatefilter": "self",
	"url": "http://example.com/x", "format": "QCOW2", "hypervisor": "Simulator", "publickey": publicKey, "type": "OU", "accounttype": "0",
	"rule": "list*", "permission": "allow", "payloadurl": "http://example.com/y",
	"createTags.resourcetype": "UserVm", "deleteTags.resourcetype": "UserVm", "addResourceDetail.resourcetype": "UserVm",
	"removeResourceDetail.resourcetype": "UserVm", "listResourceDetails.resourcetype": "UserVm", "listDetailOptions.resourcetype": "UserVm",
	"uploadResourceIcon.resourcetype": "UserVm", "deleteResourceIcon.resourcetype": "UserVm", "listResourceIcon.resourcetype": "UserVm",
	"base64image": dot, "addAnnotation.entitytype": "VM", "addAnnotation.annotation": "fresh", "listAnnotations.entitytype": "VM",
}

// ask calls a command as an actor and returns all a client would see of it.
func (x *tenants) ask(k kit, c *command.Command, v url.Values) (text string, failed bool) {
	actor, _ := store.From(k.ctx)
	role := command.RoleOf(actor.Rank)
	_, out, err := x.Registry.Call(k.ctx, c.Name, v)
	if err != nil {
		f := command.Explain(err, c.Name, role)
		return fmt.Sprintf("%d %d %s", f.Code, f.CSCode, f.Text), true
	}
	return string(c.Body(role, out)), false
}

// TestTenants: for every command and every parameter that names something, what
// is another tenant's answers like what is not there, and nothing changes.
func TestTenants(t *testing.T) {
	t.Parallel()
	x := newTenants(t)
	asked := 0
	for name, k := range map[string]kit{"stranger": x.stranger, "neighbour": x.neighbour, "boss": x.boss, exMember: x.ex, restricted: x.restricted} {
		x := x
		if name == exMember || name == restricted {
			x = x.atProject()
		}
		actor, _ := store.From(k.ctx)
		role := command.RoleOf(actor.Rank)
		before := x.dump()
		for _, c := range x.Registry.All() {
			for _, p := range c.Params {
				if p.View == 0 || p.View&role != 0 {
					asked += x.probe(t, name, k, c, p)
				}
			}
			if after := x.dump(); !maps.Equal(before, after) {
				t.Errorf("%s changed something as %s: %v", c.Name, name, differing(before, after))
				before = after
			}
		}
	}
	t.Logf("%d pairs of questions", asked)
}

// Who is after the victim's project.
const (
	exMember   = "ex-member"
	restricted = "restricted member"
)

// known tells what an attacker of the victim's domain, or its project, may know.
func known(who, kind string, c *command.Command) bool {
	if who == "stranger" || who == "boss" {
		return false
	}
	if ofDomains[kind] { // they are its own, too
		return true
	}
	switch kind {
	case "account name": // members are brought in by the names of the domain's accounts
		return c.Name == "addAccountToProject"
	case "project", "projectrole", "projectrule": // it is a member, who is told that its role forbids it
		return who == restricted
	}
	return false
}

func differing(a, b map[string]string) (tables []string) {
	for name := range a {
		if a[name] != b[name] {
			tables = append(tables, name)
		}
	}
	return tables
}

// probe asks with what is foreign and with what is absent.
func (x *tenants) probe(t *testing.T, who string, k kit, c *command.Command, p command.Param) (asked int) {
	for _, f := range p.Fields { // of a list of objects
		if f.Ref == "" {
			continue
		}
		asked++
		x.compare(t, who, k, c, f.Ref, func(v url.Values, id string) { v.Set(p.Name+"[0]."+f.Name, id) })
	}
	kind, named := names(c, p)
	if !named || shared[kind] {
		return asked
	}
	if known(who, kind, c) {
		return asked
	}
	asked++
	x.compare(t, who, k, c, kind, func(v url.Values, id string) {
		v.Set(p.Name, id)
		if p.Name == "account" && v.Get("domainid") == "" {
			v.Set("domainid", x.victim.ids["domain"])
		}
	})
	if own := k.ids[kind]; own != "" && p.Type == "list" {
		asked++
		x.compare(t, who, k, c, kind, func(v url.Values, id string) { v.Set(p.Name, own+","+id) })
	}
	return asked
}

func (x *tenants) compare(t *testing.T, who string, k kit, c *command.Command, kind string, set func(v url.Values, id string)) {
	t.Helper()
	foreign, absent, known := x.foreign(kind)
	if !known {
		t.Errorf("%s: nobody knows what a foreign %q is", c.Name, kind)
		return
	}
	one, other := x.fill(c, k), x.fill(c, k)
	set(one, foreign)
	set(other, absent)
	a, _ := x.ask(k, c, one)
	b, failed := x.ask(k, c, other)
	if strings.ReplaceAll(a, foreign, "ID") != strings.ReplaceAll(b, absent, "ID") {
		t.Errorf("%s as %s tells what is foreign from what is absent:\n%v\n\t%s\n%v\n\t%s", c.Name, who, one, a, other, b)
	}
	if c.Event != "" && (!failed || !x.about(b, absent)) {
		t.Errorf("%s as %s does not stumble over an absent %s: %v\n\t%s", c.Name, who, kind, other, b)
	}
}

// about tells whether a refusal is for what was asked: the thing, its domain, or
// the command or parameter as a whole.
func (x *tenants) about(text, absent string) bool {
	return slices.ContainsFunc([]string{absent, x.victim.ids["domain"], "not there", "not supported", "not available"},
		func(s string) bool { return strings.Contains(text, s) })
}

// dump is a digest of every table but that of events.
func (x *tenants) dump() map[string]string {
	x.Helper()
	tables, err := x.DB.In(x.Sys()).Migrator().GetTables()
	x.Must(err)
	out := map[string]string{}
	for _, table := range tables {
		if table == "events" || strings.HasPrefix(table, "sqlite_") {
			continue
		}
		rows, err := x.DB.In(x.Sys()).Table(table).Rows()
		x.Must(err)
		lines, err := lines(rows)
		x.Must(err)
		slices.Sort(lines)
		sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
		out[table] = hex.EncodeToString(sum[:])
	}
	return out
}

func lines(rows *sql.Rows) (out []string, err error) {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	cells, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		var b strings.Builder
		for _, cell := range cells {
			fmt.Fprintf(&b, "%q ", cell)
		}
		out = append(out, b.String())
	}
	return out, rows.Err()
}
