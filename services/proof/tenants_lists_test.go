package proof_test

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"

	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/event"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

// TestListsShowNothingForeign: however a tenant asks, no list shows what is
// another's, and a user's never what only administrators see.
func TestListsShowNothingForeign(t *testing.T) {
	t.Parallel()
	x := newTenants(t)
	secrets := x.secrets()
	for name, k := range map[string]kit{"stranger": x.stranger, "neighbour": x.neighbour, "boss": x.boss, exMember: x.ex, restricted: x.restricted} {
		actor, _ := store.From(k.ctx)
		role := command.RoleOf(actor.Rank)
		hidden := maps.Clone(secrets)
		if name == restricted { // the project it is in
			delete(hidden, x.victim.ids["project"])
		}
		if name == "neighbour" || name == exMember || name == restricted { // what is its domain's is its own, too
			for kind := range ofDomains {
				delete(hidden, x.victim.ids[kind])
			}
		} else {
			hidden[canary] = "a name"
		}
		for _, c := range x.Registry.All() {
			if c.Event != "" || c.Roles&role == 0 {
				continue
			}
			for _, filter := range x.filters(c, k) {
				body, _ := x.ask(k, c, filter)
				for secret, what := range hidden {
					if strings.Contains(body, secret) && !asked(filter, secret) {
						t.Errorf("%s as %s with %v shows %s %s:\n%s", c.Name, name, filter, what, secret, body)
					}
				}
			}
		}
	}
}

// asked tells whether the question itself holds the text.
func asked(v url.Values, text string) bool { return strings.Contains(fmt.Sprint(v), text) }

// secrets are the ids of all that the victim has, and what only administrators
// know, with what it is.
func (x *tenants) secrets() map[string]string {
	x.Helper()
	out := map[string]string{"sim://": "a host's address", "sim-1": "a host", "sim-2": "a host", x.Images: "a folder", "/pool": "a folder"}
	for kind, id := range x.infra {
		out[id] = kind
	}
	for kind, id := range x.victim.ids {
		out[id] = kind
	}
	for kind, id := range x.project {
		out[id] = "project's " + kind
	}
	for _, model := range []any{
		&compute.VM{}, &compute.SSHKey{}, &compute.Group{}, &compute.AffinityGroup{}, &compute.UserData{}, &network.Network{}, &network.NIC{}, &network.PublicIP{}, &network.Router{},
		&storage.Volume{}, &image.Template{}, &event.Row{}, &job.Row{}, &iam.User{},
	} {
		var ids []string
		x.Must(x.DB.In(x.Sys()).Model(model).Where("account_id IN ?", []string{x.victim.account.ID, x.victim.ids["project"]}).Pluck("id", &ids).Error)
		for _, id := range ids {
			out[id] = fmt.Sprintf("%T", model)
		}
	}
	return out
}

// filters are the ways to ask a command that reads.
func (x *tenants) filters(c *command.Command, k kit) (all []url.Values) {
	bases := []url.Values{x.fill(c, k)}
	if _, ok := c.Param("templatefilter"); ok {
		bases = nil
		for _, f := range []string{"featured", "self", "selfexecutable", "sharedexecutable", "executable", "community", "shared", "all"} {
			bases = append(bases, url.Values{"templatefilter": {f}})
		}
	}
	domain := x.victim.ids["domain"]
	for _, base := range bases {
		for _, more := range []map[string]string{
			{},
			{"listall": "true"},
			{"listall": "true", "isrecursive": "true"},
			{"account": x.victim.account.Name, "domainid": domain},
			{"domainid": domain, "isrecursive": "true"},
			{"projectid": "-1"},
			{"projectid": x.victim.ids["project"]},
			{"projectid": "-1", "listall": "true"},
			{"keyword": canary},
			{"keyword": "a", "listall": "true"},
			{"name": canary + "-vm", "listall": "true"},
			{"showremoved": "true", "listall": "true"},
			{"details": "all", "listall": "true"},
			{"archived": "true", "listall": "true"},
			{"pagesize": "-1", "listall": "true"},
			{"domainid": k.ids["domain"], "isrecursive": "true"},
		} {
			v := maps.Clone(base)
			for name, value := range more {
				if _, ok := c.Param(name); ok {
					v.Set(name, value)
				}
			}
			all = append(all, v)
		}
	}
	return all
}

// TestRolesSeeTheirFields: of what a user owns it sees no field that is for
// administrators, in lists and in the results of jobs.
func TestRolesSeeTheirFields(t *testing.T) {
	t.Parallel()
	x := newTenants(t)
	for name, k := range map[string]kit{"user": x.stranger, "domain administrator": x.boss} {
		actor, _ := store.From(k.ctx)
		role := command.RoleOf(actor.Rank)
		for _, c := range x.Registry.All() {
			if c.Event != "" || c.Roles&role == 0 {
				continue
			}
			v := x.fill(c, k)
			v.Set("listall", "true")
			body, failed := x.ask(k, c, v)
			if failed {
				continue
			}
			if again := string(c.Strip(role, []byte(body))); len(again) != len(body) {
				t.Errorf("%s shows a %s too much:\n%s\nthan\n%s", c.Name, name, body, again)
			}
		}
	}
}
