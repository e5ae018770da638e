package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/network"
	"aerie/views/components"
)

// found is what a hit shows of a thing of any kind.
type found struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayname"`
	State       string `json:"state"`
	IP          string `json:"ipaddress"`
	Zone        string `json:"zonename"`
	Username    string `json:"username"`
	Account     string `json:"account"`
	Project     string `json:"project"`
}

func (f found) label() string {
	for _, s := range []string{f.DisplayName, f.Name, f.Username, f.IP, f.ID} {
		if s != "" {
			return s
		}
	}
	return ""
}

func (f found) note() string {
	if f.IP != "" && f.label() != f.IP {
		return f.IP
	}
	return or(f.Project, or(f.Zone, f.Account))
}

// places are where is searched: the list command and the list's page.
var places = []struct{ command, key, icon, path string }{
	{"listVirtualMachines", "nav.instances", "server", "/instances"},
	{"listVolumes", "nav.volumes", "hard-drive", "/volumes"},
	{"listNetworks", "nav.networks", "network", "/networks"},
	{"listPublicIpAddresses", "nav.addresses", "globe", "/addresses"},
	{"listTemplates", "nav.templates", "image", "/templates"},
	{"listAccounts", "nav.accounts", "users", "/accounts"},
	{"listUsers", "nav.users", "user", "/users"},
	{"listHosts", "nav.hosts", "server-cog", "/hosts"},
	{"listZones", "nav.zones", "map-pin", "/zones"},
}

const hitsEach = 5

// search looks everywhere that the reader's role may. htmx gets the hits
// alone, for the palette.
func search(r *Request) error {
	word := strings.TrimSpace(r.QueryParam("q"))
	hits, err := r.hits(word)
	if err != nil {
		return err
	}
	if r.htmx() {
		if word == "" {
			return r.NoContent(http.StatusNoContent)
		}
		return r.write(http.StatusOK, hits)
	}
	title := r.T("search.title")
	if word != "" {
		title = r.T("search.for", "word", word)
	}
	return r.Show(Page{Title: title, Body: templ.Join(components.Heading{Title: title}, around(components.Panel{Title: r.T("search.found")}, hits))})
}

func (r *Request) hits(word string) (components.Hits, error) {
	var out components.Hits
	if word == "" {
		return out, nil
	}
	for _, p := range places {
		if !r.hasPage(p.path) {
			continue
		}
		v := vals("page", "1", "pagesize", itoa(hitsEach), "keyword", word)
		if p.command == "listTemplates" {
			v.Set("templatefilter", "executable")
		}
		if c := r.Portal.Registry.Get(p.command); c != nil && slices.ContainsFunc(c.Params, ownersParam) {
			v.Set("projectid", "-1") // those of all projects, too
		}
		items, err := r.lookFor(p.command, word, v)
		if err != nil {
			return nil, err
		}
		if p.command == "listVirtualMachines" && len(items) < hitsEach {
			more, err := r.byAddress(word)
			if err != nil {
				return nil, err
			}
			items = append(items, more...)
		}
		group := components.HitGroup{Title: r.T(p.key)}
		for _, f := range items {
			group.Hits = append(group.Hits, components.Hit{Label: f.label(), Href: r.Path(p.path, "/", f.ID), Icon: p.icon, State: f.State, Note: f.note()})
		}
		if len(items) == hitsEach {
			group.More = r.Path(p.path) + "?q=" + url.QueryEscape(word)
		}
		if len(items) > 0 {
			out = append(out, group)
		}
	}
	return out, nil
}

// lookFor asks one list; a whole id asks for that very thing.
func (r *Request) lookFor(command, word string, v url.Values) ([]found, error) {
	if len(word) == 36 && strings.Count(word, "-") == 4 {
		v = vals("id", word, "templatefilter", v.Get("templatefilter"))
	}
	items, err := entries[found](r, command, v)
	return items, ignoreAbsent(err)
}

// byAddress finds instances by the beginning of an IP or MAC address, which
// their list does not search.
func (r *Request) byAddress(word string) ([]found, error) {
	word = strings.ToLower(word)
	if len(word) < 3 || strings.Trim(word, "0123456789abcdef.:") != "" || !strings.ContainsAny(word, ".:") {
		return nil, nil
	}
	var ids []string
	err := r.Portal.DB.In(r.Ctx()).Model(&network.NIC{}).Where("ip LIKE ? OR mac LIKE ?", word+"%", word+"%").
		Where("vm_id <> ''").Order("id DESC").Limit(hitsEach).Pluck("vm_id", &ids).Error
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return entries[found](r, "listVirtualMachines", vals("ids", strings.Join(ids, ","), "projectid", "-1"))
}

// hasPage tells whether the navigation leads to that path.
func (r *Request) hasPage(path string) bool {
	for _, a := range r.Portal.areas {
		for _, e := range a.entries {
			if e.Path == path && (e.Needs == "" || r.May(e.Needs)) {
				return true
			}
		}
	}
	return false
}
