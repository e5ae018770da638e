package portal

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func accounts() area {
	return area{
		entries: []entry{{Group: "nav.identity", Key: "nav.accounts", Icon: "users", Path: "/accounts", Needs: "createAccount", Create: "createAccount"}},
		routes: func(on routes) {
			on.GET("/accounts", managing(func(r *Request) error { return showList(r, accountList(r)) }))
			on.both("/accounts/new", newAccount)
			on.both("/accounts/:id/edit", editAccount)
			on.both("/accounts/:id/limits/edit", accountLimits)
			on.both("/accounts/:id/delete", endAccount)
			on.POST("/accounts/:id/state", accountState)
			on.onDetail("/accounts", managing(accountPage))
		},
		live: map[string]liveRows{"account": rowsOf(accountList)},
	}
}

// managing is for pages of those who look after others' accounts.
func managing(h Handler) Handler {
	return func(r *Request) error {
		if !r.Managing() {
			return r.absent(nil)
		}
		return h(r)
	}
}

func accountList(r *Request) listPage[iamcmd.AccountView] {
	create := r.creating("createAccount", "create_account", r.Path("/accounts/new"))
	return listPage[iamcmd.AccountView]{
		ID: "accounts", Title: r.T("nav.accounts"), Command: "listAccounts", Buttons: create, Kind: "account",
		RowID: func(a iamcmd.AccountView) string { return a.ID }, Name: func(a iamcmd.AccountView) string { return a.Name },
		Columns: []column[iamcmd.AccountView]{
			colName(r, func(a iamcmd.AccountView) string { return a.ID }, func(a iamcmd.AccountView) string { return a.Name }, func(a iamcmd.AccountView) string { return r.Path("/accounts/", a.ID) }),
			colPill(r, "state", func(a iamcmd.AccountView) string { return a.State }),
			colLink(r, "domain", func(a iamcmd.AccountView) string { return a.DomainPath }, func(a iamcmd.AccountView) string { return r.Path("/domains/", a.DomainID) }),
			colText(r, "role", func(a iamcmd.AccountView) string { return a.RoleName }),
			colCount(r, "users", func(a iamcmd.AccountView) int { return len(a.Users) }),
			colText(r, "instances", func(a iamcmd.AccountView) string { return limitText(int64(a.VMTotal), a.VMLimit) }),
			colText(r, "volumes", func(a iamcmd.AccountView) string { return limitText(a.VolumeTotal, a.VolumeLimit) }),
			optional(colText(r, "networks", func(a iamcmd.AccountView) string { return limitText(a.NetworkTotal, a.NetworkLimit) })),
			optional(colText(r, "public_ips", func(a iamcmd.AccountView) string { return limitText(a.IPTotal, a.IPLimit) })),
			colTime(r, "created", func(a iamcmd.AccountView) timeOf { return a.Created }),
		},
		Filters: []components.Filter{
			r.filter("state", r.states("enabled", "disabled", "locked")),
			r.filter("accounttype", []components.Option{{Value: "0", Label: r.T("pg.o.type_0")}, {Value: "2", Label: r.T("pg.o.type_2")}, {Value: "1", Label: r.T("pg.o.type_1")}}),
		},
		Actions: func(a iamcmd.AccountView) components.Menu { return r.menu(accountDeeds(r, a)...) },
		Empty:   r.empty("accounts", "users", create),
	}
}

// limitText is how many there are of how many there may be.
func limitText(n int64, limit string) string {
	if _, err := strconv.ParseInt(limit, 10, 64); err != nil {
		return strconv.FormatInt(n, 10) + " / ∞"
	}
	return strconv.FormatInt(n, 10) + " / " + limit
}

func accountDeeds(r *Request, a iamcmd.AccountView) []deed {
	base, own := r.Path("/accounts/", a.ID), ""
	switch {
	case a.ID == r.Who.Account.ID:
		own = r.T("pg.why.own_account")
	case a.IsDefault:
		own = r.T("pg.why.default_account")
	}
	state := func(to string) []components.Pair { return []components.Pair{{Name: "state", Value: to}} }
	out := []deed{
		{Command: "updateAccount", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		{Command: "updateResourceLimit", Key: "limits", Icon: "gauge", Path: base + "/limits/edit", Open: true},
	}
	if a.State == "enabled" {
		out = append(out,
			deed{
				Command: "lockAccount", Key: "lock", Icon: "lock", Path: base + "/state", Fields: state("locked"), Off: own,
				Ask: r.T("pg.accounts.lock_title", "name", a.Name), Text: r.T("pg.accounts.lock_text"),
			},
			deed{
				Command: "disableAccount", Key: "disable", Icon: "power", Path: base + "/state", Fields: state("disabled"), Off: own,
				Ask: r.T("pg.accounts.disable_title", "name", a.Name), Text: r.T("pg.accounts.disable_text"),
			})
	} else {
		out = append(out, deed{Command: "enableAccount", Key: "enable", Icon: "circle-play", Path: base + "/state", Fields: state("enabled")})
	}
	return append(out, deed{Command: "deleteAccount", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true, Off: own})
}

func accountWay(r *Request, a iamcmd.AccountView) components.Crumbs {
	return crumbs(r.T("nav.identity"), "", r.T("nav.accounts"), r.Path("/accounts"), a.Name, r.Path("/accounts/", a.ID))
}

func accountPage(r *Request) error {
	a, err := find[iamcmd.AccountView](r, "listAccounts", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: a.Name, State: a.State, ID: a.ID, Base: r.Path("/accounts/", a.ID), Crumbs: accountWay(r, a)[:2], Deeds: accountDeeds(r, a), Shown: 2, Watch: []string{"account/" + a.ID},
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) {
				return pieces.Stack(
					pieces.Tiles(
						components.Figure{Label: r.T("pg.c.instances"), Value: r.figure(a.VMTotal), Note: accountWork(r, a)},
						components.Figure{Label: r.T("pg.c.volumes"), Value: strconv.FormatInt(a.VolumeTotal, 10)},
						components.Figure{Label: r.T("pg.c.networks"), Value: strconv.FormatInt(a.NetworkTotal, 10)},
						components.Figure{Label: r.T("pg.c.users"), Value: strconv.Itoa(len(a.Users)), Href: r.Path("/accounts/", a.ID, "/users")}),
					halves(boxed(r.T("pg.specification"), r.lines("domain", components.Link{Label: a.DomainPath, Href: r.Path("/domains/", a.DomainID)}, "role", a.RoleName,
						"accounttype", r.T("pg.o.type_"+strconv.Itoa(a.Type)), "networkdomain", a.NetworkDomain, "keyaccess", r.words(a.APIKeyAccess)[0].Label, "created", a.Created)),
						boxed(r.T("pg.t.limits"), pieces.Bars(accountBars(r, a)[:6]...)))), nil
			}},
			{Key: "users", Needs: "createUser", Body: func() (templ.Component, error) {
				l := userList(r)
				l.Empty.Actions = nil
				var add []components.Button
				for _, b := range r.creating("createUser", "create_user", r.Path("/users/new?account=", url.QueryEscape(a.Name), "&domainid=", a.DomainID)) {
					add = append(add, components.Button{Label: b.Label, Icon: "plus", Href: b.Href, Small: true})
				}
				return sheet(r.T("nav.users"), bareList(r, l, a.Users), add...), nil
			}},
			{Key: "limits", Body: func() (templ.Component, error) {
				return boxed(r.T("pg.t.limits"), pieces.Bars(accountBars(r, a)...)), nil
			}},
			r.history(a.ID),
		},
	})
}

// accountWork says how many of the instances run.
func accountWork(r *Request, a iamcmd.AccountView) string {
	if a.Running+a.Stopped == 0 {
		return ""
	}
	return r.T("pg.c.running") + ": " + strconv.Itoa(a.Running) + ", " + r.T("pg.c.stopped") + ": " + strconv.Itoa(a.Stopped)
}

// accountBars are the limits of an account with what is used of them.
func accountBars(r *Request, a iamcmd.AccountView) []components.LimitBar {
	return resourceBars(r, a.Resources)
}

// resourceBars are the limits of an account or a project with what is used of
// them.
func resourceBars(r *Request, a iamcmd.Resources) []components.LimitBar {
	plain := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	unit := func(shift uint) func(float64) string {
		return func(n float64) string { return r.bytes(int64(n * float64(int64(1)<<shift))) }
	}
	var out []components.LimitBar
	for _, l := range []struct {
		key, limit string
		used       float64
		text       func(float64) string
	}{
		{"user_vm", a.VMLimit, float64(a.VMTotal), plain},
		{"cpu", a.CPULimit, float64(a.CPUTotal), plain},
		{"memory", a.MemoryLimit, float64(a.MemoryTotal), unit(20)},
		{"volume", a.VolumeLimit, float64(a.VolumeTotal), plain},
		{"primary_storage", a.PrimaryLimit, float64(a.PrimaryTotal), unit(30)},
		{"network", a.NetworkLimit, float64(a.NetworkTotal), plain},
		{"public_ip", a.IPLimit, float64(a.IPTotal), plain},
		{"template", a.TemplateLimit, float64(a.TemplateTotal), plain},
		{"secondary_storage", a.SecondaryLimit, a.SecondaryTotal, unit(30)},
		{"snapshot", a.SnapshotLimit, float64(a.SnapshotTotal), plain},
	} {
		most, err := strconv.ParseFloat(l.limit, 64)
		if err != nil {
			most = 0 // unlimited
		}
		out = append(out, components.LimitBar{Label: r.T("pg.limit." + l.key), Used: l.used, Total: most, UsedText: l.text(l.used), TotalText: l.text(most)})
	}
	return append(out, taggedBars(r, a.Tagged)...)
}

// taggedBars are the limits of what carries a tag, as lists have them.
func taggedBars(r *Request, texts []string) (out []components.LimitBar) {
	for _, text := range texts {
		of := map[string]string{}
		for part := range strings.SplitSeq(text, ",") {
			name, value, _ := strings.Cut(part, "=")
			of[name] = value
		}
		most, _ := strconv.ParseFloat(of["limit"], 64) // Unlimited is none
		used, _ := strconv.ParseFloat(of["total"], 64)
		out = append(out, components.LimitBar{
			Label: r.T("pg.limits.tagged", "limit", r.T("limit."+of["resourcetype"]), "tag", of["tag"]),
			Used:  used, Total: most, UsedText: of["total"], TotalText: of["limit"],
		})
	}
	return out
}

// limitField is the name of a limit's box in its form.
func limitField(l iamcmd.LimitView) string {
	if l.Tag == "" {
		return "limit-" + l.Type
	}
	return "limit-" + l.Type + "-" + l.Tag
}

func userFields(r *Request) []components.Field {
	password := needed(r.in("password", "password", ""))
	password.Autocomplete = "new-password"
	name := needed(r.in("username", "", ""))
	name.Autocomplete = "off"
	return []components.Field{name, password, needed(r.in("firstname", "", "")), needed(r.in("lastname", "", "")), needed(r.in("email", "email", "")), r.in("timezone", "", "")}
}

func domainOptions(r *Request) ([]components.Option, error) {
	list, err := some[iamcmd.DomainView](r, "listDomains", vals("listall", "true", "details", "min"))
	var out []components.Option
	for _, d := range list {
		out = append(out, components.Option{Value: d.ID, Label: d.Path})
	}
	return out, err
}

func newAccount(r *Request) error {
	domains, err := domainOptions(r)
	if err != nil {
		return err
	}
	roles, err := r.choices("listRoles", vals("state", "enabled"))
	if err != nil {
		return err
	}
	account := r.in("account", "", "")
	account.Help = r.T("pg.h.newaccount")
	role := r.pick("roleid", "", roles, true)
	for _, o := range roles {
		if o.Label == "User" {
			role.Value = o.Value
		}
	}
	f := formPage{
		Title: r.T("pg.a.create_account"), Text: r.T("pg.accounts.new_text"), Command: "createAccount", Resource: "cloudstack_account", Crumbs: crumbs(r.T("nav.identity"), "", r.T("nav.accounts"), r.Path("/accounts")),
		Rename: map[string]string{"firstname": "first_name", "lastname": "last_name", "domainid": "domain_id", "roleid": "role_id"},
		Form: components.Form{Submit: r.T("pg.a.create_account"), Cancel: r.Path("/accounts"), Sections: []components.Section{
			{Title: r.T("pg.s.account"), Fields: []components.Field{account, r.pick("domainid", r.Who.Domain.ID, domains, true), role, r.in("networkdomain", "", "")}},
			{Title: r.T("pg.s.first_user"), Fields: userFields(r)},
		}},
	}
	return r.formOr(f, r.T("pg.accounts.created"), func(out any) string {
		if a, ok := out.(iamcmd.AccountView); ok {
			return r.Path("/accounts/", a.ID)
		}
		return r.Path("/accounts")
	})
}

func editAccount(r *Request) error {
	a, err := find[iamcmd.AccountView](r, "listAccounts", r.Param("id"))
	if err != nil {
		return err
	}
	fields := []components.Field{needed(r.in("newname", "", a.Name)), r.in("networkdomain", "", a.NetworkDomain)}
	if r.Admin() {
		fields = append(fields, r.pick("apikeyaccess", a.APIKeyAccess, r.words("enabled", "disabled", "inherit"), true))
	}
	if a.ID != r.Who.Account.ID { // nobody changes its own role
		roles, err := r.choices("listRoles", vals("state", "enabled", "type", a.RoleType))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(roles, func(o components.Option) bool { return o.Value == a.RoleID }) {
			fields = append(fields, r.pick("roleid", a.RoleID, roles, true))
		}
	}
	f := formPage{
		Title: r.T("pg.edit", "name", a.Name), Command: "updateAccount", Crumbs: accountWay(r, a), Fixed: r.cleared(vals("id", a.ID), "networkdomain"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/accounts/", a.ID), Fields: fields},
	}
	return r.formOr(f, r.T("pg.saved", "name", a.Name), always(r.Path("/accounts/", a.ID)))
}

func accountState(r *Request) error {
	a, err := find[iamcmd.AccountView](r, "listAccounts", r.Param("id"))
	if err != nil {
		return err
	}
	x := action{Params: vals("account", a.Name, "domainid", a.DomainID), Kind: "account", ID: a.ID, Text: r.T("pg.saved", "name", a.Name), To: r.Path("/accounts/", a.ID)}
	switch r.FormValue("state") {
	case "enabled":
		x.Command = "enableAccount"
	case "locked":
		x.Command = "lockAccount"
	default:
		x.Command, x.Params = "disableAccount", vals("id", a.ID, "lock", "false")
	}
	return r.act(x)
}

func endAccount(r *Request) error {
	a, err := find[iamcmd.AccountView](r, "listAccounts", r.Param("id"))
	if err != nil {
		return err
	}
	held, err := r.Portal.IAM.Holdings(r.Ctx(), a.ID)
	if err != nil {
		return err
	}
	return r.end(ending{
		Command: "deleteAccount", Params: vals("id", a.ID), Kind: "accounts", Name: a.Name, Typed: true, List: r.Path("/accounts"), Crumbs: accountWay(r, a),
		Impact: append([]string{r.T("pg.accounts.impact_users", "n", len(a.Users))}, r.holdings(held)...),
	})
}

// holdings are lines for what would go with an account or a domain.
func (r *Request) holdings(all []iam.Holding) (lines []string) {
	for _, h := range all {
		if h.N > 0 {
			lines = append(lines, r.T("pg.holds."+h.What, "n", h.N))
		}
		if h.Kept > 0 {
			lines = append(lines, r.T("pg.holds.protected", "n", h.Kept))
		}
	}
	return lines
}

func accountLimits(r *Request) error {
	a, err := find[iamcmd.AccountView](r, "listAccounts", r.Param("id"))
	if err != nil {
		return err
	}
	return r.limitsForm(vals("account", a.Name, "domainid", a.DomainID), a.Name, r.Path("/accounts/", a.ID, "/limits"), accountWay(r, a))
}

// limitsForm edits all limits of an account or a domain. Each that changed is
// a call of its own; what fails comes back at its field.
func (r *Request) limitsForm(of url.Values, name, to string, way components.Crumbs) error {
	if !r.May("updateResourceLimit") {
		return r.absent(nil)
	}
	limits, err := some[iamcmd.LimitView](r, "listResourceLimits", of)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.limits.title", "name", name), Text: r.T("pg.limits.text"), Command: "updateResourceLimit", Crumbs: way, NoCall: true,
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: to},
	}
	failed := fault.New(fault.Invalid, "error.query")
	for _, l := range limits {
		field := components.Field{Name: limitField(l), Type: "number", Label: r.T("limit." + l.TypeName), Value: strconv.FormatInt(l.Max, 10), Least: "-1", Required: true}
		if l.Tag != "" {
			field.Label = r.T("pg.limits.tagged", "limit", field.Label, "tag", l.Tag)
		}
		if r.posted() {
			if given := r.FormValue(field.Name); given != field.Value {
				v := vals("resourcetype", l.Type, "max", given, "tag", l.Tag)
				for k, values := range of {
					v[k] = values
				}
				if _, err := r.Call("updateResourceLimit", v); err != nil {
					failed.Mark(field.Name, fault.Of(err))
				}
			}
		}
		f.Form.Fields = append(f.Form.Fields, field)
	}
	switch {
	case !r.posted():
		return r.showForm(f, nil)
	case len(failed.Order) > 0:
		return r.showForm(f, failed)
	}
	return r.goneTo(r.T("pg.saved", "name", name), to)
}

// goneTo leaves for another page with a message.
func (r *Request) goneTo(text, to string) error {
	r.flash(flash{Tone: components.OK, Text: text})
	return r.goTo(to)
}
