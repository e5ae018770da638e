package portal

import (
	"net/url"
	"time"

	"github.com/a-h/templ"

	"aerie/services/config"
	"aerie/services/config/configcmd"
	"aerie/services/fault"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
)

// scopeParams are the parameters that name what a setting is shown and set for.
var scopeParams = []string{"domainid", "accountid", "zoneid", "clusterid", "storageid"}

// settingAt adds what the address names to a command's parameters.
func settingAt(r *Request, v url.Values) url.Values {
	for _, name := range scopeParams {
		if id := r.QueryParam(name); id != "" {
			v.Set(name, id)
		}
	}
	return v
}

// settingQuery is the end of addresses about the same thing's settings.
func settingQuery(r *Request) string {
	if v := settingAt(r, url.Values{}); len(v) > 0 {
		return "?" + v.Encode()
	}
	return ""
}

// showSettings is the list, of everything or of the thing that is picked.
func showSettings(r *Request) error {
	l := settingList(r)
	filters, err := scopeFilters(r)
	if err != nil {
		return err
	}
	l.Filters = append(l.Filters, filters...)
	if settingQuery(r) != "" {
		l.Text = r.T("pg.settings.scoped")
	}
	return showList(r, l)
}

// scopeFilters pick a thing whose settings are shown.
func scopeFilters(r *Request) (out []components.Filter, err error) {
	domains, err := domainOptions(r)
	if err != nil {
		return nil, err
	}
	accounts, err := some[iamcmd.AccountView](r, "listAccounts", vals("listall", "true", "details", "min", "page", "1", "pagesize", "200"))
	if err != nil {
		return nil, err
	}
	var owners []components.Option
	for _, a := range accounts {
		owners = append(owners, components.Option{Value: a.ID, Label: a.Name, Group: a.DomainPath})
	}
	out = append(out, r.filter("domainid", domains), r.filter("accountid", owners))
	if !r.Admin() {
		return out, nil
	}
	for _, f := range []struct{ name, list string }{{"zoneid", "listZones"}, {"clusterid", "listClusters"}, {"storageid", "listStoragePools"}} {
		options, err := r.choices(f.list, nil)
		if err != nil {
			return nil, err
		}
		if len(options) > 0 {
			out = append(out, r.filter(f.name, options))
		}
	}
	return out, nil
}

// historyMost is how many changes of a setting its page shows.
const historyMost = 50

// settingHistory is who changed a setting from what to what, and where, with a
// way back.
func settingHistory(r *Request, s configcmd.View) (templ.Component, error) {
	changes, err := r.Portal.Config.Changes(r.Ctx(), s.Name, historyMost)
	if err != nil || len(changes) == 0 {
		return components.Text(""), err
	}
	var users []string
	for _, c := range changes {
		users = append(users, c.UserID)
	}
	who, err := r.Portal.IAM.Usernames(r.Ctx(), users)
	if err != nil {
		return nil, err
	}
	last := map[config.Target]string{}
	for _, c := range changes {
		if last[c.Target()] == "" {
			last[c.Target()] = c.ID
		}
	}
	text := func(v *string) string {
		if v == nil {
			return r.T("pg.settings.unset")
		}
		return *v
	}
	l := listPage[config.Change]{
		ID: "changes", Title: r.T("pg.settings.history"), RowID: func(c config.Change) string { return c.ID },
		Name: func(c config.Change) string { return text(c.Now) },
		Columns: []column[config.Change]{
			{Key: "when", Label: r.T("col.when"), Text: func(c config.Change) string { return c.CreatedAt.UTC().Format(time.RFC3339) }, Cell: func(c config.Change) templ.Component { return components.Time(c.CreatedAt) }},
			{Key: "actor", Label: r.T("col.actor"), Text: func(c config.Change) string { return who[c.UserID] }},
			{Key: "from", Label: r.T("pg.c.from"), Text: func(c config.Change) string { return text(c.Was) }},
			{Key: "to", Label: r.T("pg.c.to"), Text: func(c config.Change) string { return text(c.Now) }},
			{Key: "scope", Label: r.T("pg.c.scope"), Text: func(c config.Change) string { return r.T("pg.scope." + string(c.Scope)) }},
		},
		Actions: func(c config.Change) components.Menu {
			d := deed{
				Command: "updateConfiguration", Key: "undo", Icon: "undo-2", Path: r.Path("/settings/", s.Name, "/undo"),
				Ask: r.T("pg.settings.undo_title"), Text: r.T("pg.settings.undo_text", "value", text(c.Was)), Fields: []components.Pair{{Name: "id", Value: c.ID}},
			}
			switch {
			case last[c.Target()] != c.ID:
				d.Off = r.T("pg.why.changed_since")
			case c.Was != nil && *c.Was == config.Hidden || c.Now != nil && *c.Now == config.Hidden:
				d.Off = r.T("pg.why.secret")
			}
			return r.menu(d)
		},
	}
	return sheet(l.Title, bareList(r, l, changes)), nil
}

// undoSetting brings back what the newest change of a setting somewhere
// replaced; the command is the one of any other change, and so is its event.
func undoSetting(r *Request) error {
	if !r.Admin() || !r.May("updateConfiguration") {
		return r.absent(nil)
	}
	changes, err := r.Portal.Config.Changes(r.Ctx(), r.Param("name"), 200)
	if err != nil {
		return err
	}
	id := r.FormValue("id")
	newer := map[config.Target]bool{}
	for _, c := range changes {
		if c.ID != id {
			newer[c.Target()] = true
			continue
		}
		if newer[c.Target()] {
			return r.refuse(fault.New(fault.Conflict, "error.setting_changed", "name", c.Name))
		}
		to := r.Path("/settings/", c.Name)
		name, v := "updateConfiguration", vals("name", c.Name)
		if c.Was == nil {
			name = "resetConfiguration"
		} else {
			v.Set("value", *c.Was)
		}
		if param := paramOf(c.Scope, name); param != "" {
			v.Set(param, c.ScopeID)
			to += "?" + url.Values{param: {c.ScopeID}}.Encode()
		}
		return r.act(action{Command: name, Params: v, Text: r.T("pg.settings.undone", "name", c.Name), To: to})
	}
	return r.absent(nil)
}

func paramOf(s config.Scope, name string) string {
	if s == config.ImageStore && name == "resetConfiguration" {
		return "imagestoreid"
	}
	return map[config.Scope]string{
		config.Account: "accountid", config.Domain: "domainid", config.Pool: "storageid", config.Cluster: "clusterid", config.Zone: "zoneid", config.ImageStore: "imagestoreuuid",
	}[s]
}
