package portal

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"aerie/services/fault"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	"aerie/views/pages/access"
	"aerie/views/pages/pieces"
)

// orderForm is the form that holds the rules' order.
const orderForm = "rule-order"

func rulesOf(r *Request, id string) ([]iamcmd.PermissionView, error) {
	l, err := list[iamcmd.PermissionView](r, "listRolePermissions", vals("roleid", id))
	return l.Items, err
}

// changeable tells whether the reader may change the role's rules.
func changeable(r *Request, v iamcmd.RoleView) bool {
	return !v.IsDefault && v.ID != r.Who.Account.RoleID && r.May("updateRolePermission")
}

// ruleEditor is the ordered list of rules with what can be done to them.
func ruleEditor(r *Request, v iamcmd.RoleView) (templ.Component, error) {
	rules, err := rulesOf(r, v.ID)
	if err != nil {
		return nil, err
	}
	l := ruleList(r, v, rules)
	parts := []templ.Component{sheet(r.T("pg.t.rules"), bareList(r, l, rules), r.ruleButtons(v)...)}
	if v.IsDefault {
		parts = append([]templ.Component{components.Notice{Text: r.T("pg.roles.default_text")}}, parts...)
	}
	if changeable(r, v) {
		parts = append(parts, access.Order(orderForm, r.Path("/roles/", v.ID, "/rules/order")))
	}
	if r.May("createRolePermission") && changeable(r, v) {
		parts = append(parts, boxed(r.T("pg.a.add_rule"), r.ruleForm(v)))
	}
	return pieces.Stack(parts...), nil
}

func (r *Request) ruleButtons(v iamcmd.RoleView) []components.Button {
	out := []components.Button{{Label: r.T("pg.a.export_rules"), Icon: "download", Href: r.Path("/roles/", v.ID, "/rules?as=csv"), Small: true}}
	if changeable(r, v) && r.May("importRole") {
		out = append(out, components.Button{Label: r.T("pg.a.replace_rules"), Icon: "upload", Href: r.Path("/roles/import?forced=true&id=", v.ID), Small: true})
	}
	return out
}

func ruleList(r *Request, v iamcmd.RoleView, rules []iamcmd.PermissionView) listPage[iamcmd.PermissionView] {
	may := changeable(r, v)
	at := func(p iamcmd.PermissionView) int {
		return slices.IndexFunc(rules, func(x iamcmd.PermissionView) bool { return x.ID == p.ID })
	}
	place := colText(r, "place", func(p iamcmd.PermissionView) string { return strconv.Itoa(at(p) + 1) })
	if may {
		place.Cell = func(p iamcmd.PermissionView) templ.Component {
			return access.Place(orderForm, p.ID, strconv.Itoa(at(p)+1), r.T("pg.roles.drag"))
		}
	}
	l := listPage[iamcmd.PermissionView]{
		ID: "rules", Title: r.T("pg.t.rules"),
		RowID: func(p iamcmd.PermissionView) string { return p.ID }, Name: func(p iamcmd.PermissionView) string { return p.Rule },
		Columns: []column[iamcmd.PermissionView]{
			place,
			colCode(r, "rule", func(p iamcmd.PermissionView) string { return p.Rule }),
			colPill(r, "permission", func(p iamcmd.PermissionView) string { return p.Permission }),
			colText(r, "description", func(p iamcmd.PermissionView) string { return p.Description }),
		},
		Empty: r.empty("rules", "shield", nil),
	}
	if may {
		move := colText(r, "order", func(iamcmd.PermissionView) string { return "" })
		move.Phone = true
		move.Cell = func(p iamcmd.PermissionView) templ.Component { return r.moves(v, p, at(p), len(rules)) }
		l.Columns = append(l.Columns, move)
		l.Actions = func(p iamcmd.PermissionView) components.Menu { return r.menu(ruleDeeds(r, v, p)...) }
	}
	return l
}

// moves are the two buttons that move a rule.
func (r *Request) moves(v iamcmd.RoleView, p iamcmd.PermissionView, at, of int) templ.Component {
	button := func(key, icon string, off bool) templ.Component {
		a := components.Action{
			Label: r.T("pg.a."+key, "name", p.Rule), Icon: icon, Post: r.Path("/roles/", v.ID, "/rules/", p.ID, "/move"),
			Fields: []components.Pair{{Name: "to", Value: key}}, Style: components.Quiet, Small: true, IconOnly: true, Full: true,
		}
		if off {
			a.Disabled = r.T("pg.why.at_end")
		}
		return a
	}
	return pieces.Row(button("move_up", "arrow-up", at == 0), button("move_down", "arrow-down", at == of-1))
}

func ruleDeeds(r *Request, v iamcmd.RoleView, p iamcmd.PermissionView) []deed {
	base := r.Path("/roles/", v.ID, "/rules/", p.ID)
	turn := deed{Command: "updateRolePermission", Key: "deny_rule", Icon: "circle-x", Path: base + "/turn", Fields: []components.Pair{{Name: "permission", Value: "deny"}}}
	if p.Permission == "deny" {
		turn = deed{Command: "updateRolePermission", Key: "allow_rule", Icon: "circle-check", Path: base + "/turn", Fields: []components.Pair{{Name: "permission", Value: "allow"}}}
	}
	return []deed{turn, {
		Command: "deleteRolePermission", Key: "delete", Icon: "trash-2", Path: base + "/delete", Danger: true,
		Ask: r.T("pg.rules.delete_title", "name", p.Rule), Text: r.T("pg.rules.delete_text"),
	}}
}

// ruleForm adds a rule.
func (r *Request) ruleForm(v iamcmd.RoleView) templ.Component {
	f := formPage{Command: "createRolePermission", Form: components.Form{
		Action: r.Path("/roles/", v.ID, "/rules/new"), Submit: r.T("pg.a.add_rule"), Icon: "plus", Fields: r.ruleFields(),
	}}
	r.fill(&f, nil)
	return f.Form
}

func (r *Request) ruleFields() []components.Field {
	rule := needed(r.in("rule", "combobox", ""))
	rule.Mono, rule.Autocomplete, rule.Pattern = true, "off", "[a-zA-Z0-9*]+"
	for _, c := range r.Portal.Registry.All() {
		rule.Options = append(rule.Options, components.Option{Value: c.Name})
	}
	return []components.Field{
		rule, r.pick("permission", "allow", r.words("allow", "deny"), true), r.in("description", "", ""),
		r.pick("place", "last", r.words("last", "first"), true),
	}
}

func addRule(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	to := r.Path("/roles/", v.ID, "/rules")
	f := formPage{Title: r.T("pg.a.add_rule"), Command: "createRolePermission", Crumbs: roleWay(r, v), NoCall: true, Fixed: vals("roleid", v.ID), Form: components.Form{
		Submit: r.T("pg.a.add_rule"), Cancel: to, Fields: r.ruleFields(),
	}}
	if !r.May(f.Command) {
		return r.absent(nil)
	}
	sent, err := r.values(f)
	if err != nil {
		return err
	}
	out, err := r.Call(f.Command, sent)
	if err != nil {
		return r.showForm(f, err)
	}
	if p, ok := out.(iamcmd.PermissionView); ok && r.FormValue("place") == "first" {
		if err := r.reorder(v, p.ID, func(int, int) int { return 0 }); err != nil {
			return r.refuse(err)
		}
	}
	return r.goneTo(r.T("pg.saved", "name", v.Name), to)
}

// reorder puts one rule where to says, of its place and of how many.
func (r *Request) reorder(v iamcmd.RoleView, rule string, to func(at, of int) int) error {
	rules, err := rulesOf(r, v.ID)
	if err != nil {
		return err
	}
	var ids []string
	for _, p := range rules {
		ids = append(ids, p.ID)
	}
	at := slices.Index(ids, rule)
	if at < 0 {
		return r.absent(nil)
	}
	ids = slices.Delete(ids, at, at+1)
	ids = slices.Insert(ids, min(max(to(at, len(ids)), 0), len(ids)), rule)
	_, err = r.Call("updateRolePermission", vals("roleid", v.ID, "ruleorder", strings.Join(ids, ",")))
	return err
}

// ruleDone ends a change of rules: the page with them is shown again.
func (r *Request) ruleDone(v iamcmd.RoleView, err error) error {
	if err != nil {
		return r.refuse(err)
	}
	return r.goneTo(r.T("pg.saved", "name", v.Name), r.Path("/roles/", v.ID, "/rules"))
}

func moveRule(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	step := 1
	if r.FormValue("to") == "move_up" {
		step = -1
	}
	return r.ruleDone(v, r.reorder(v, r.Param("rule"), func(at, _ int) int { return at + step }))
}

func orderRules(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	_, err = r.Call("updateRolePermission", vals("roleid", v.ID, "ruleorder", strings.Join(r.sent()["id"], ",")))
	return r.ruleDone(v, err)
}

func turnRule(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	_, err = r.Call("updateRolePermission", vals("roleid", v.ID, "ruleid", r.Param("rule"), "permission", r.FormValue("permission")))
	return r.ruleDone(v, err)
}

func dropRule(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	_, err = r.Call("deleteRolePermission", vals("id", r.Param("rule")))
	return r.ruleDone(v, err)
}

// csvHead is the first line of a file of rules, as CloudStack has it.
var csvHead = []string{"rule", "permission", "description"}

func exportRules(r *Request, v iamcmd.RoleView) error {
	rules, err := rulesOf(r, v.ID)
	if err != nil {
		return err
	}
	h := r.Response().Header()
	h.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	h.Set(echo.HeaderContentDisposition, `attachment; filename="`+fileName(v.Name)+`.csv"`)
	r.Response().WriteHeader(http.StatusOK)
	out := csv.NewWriter(r.Response())
	if err := out.Write(csvHead); err != nil {
		return err
	}
	for _, p := range rules {
		if err := out.Write([]string{harmless(p.Rule), p.Permission, harmless(p.Description)}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// fileName is a name that every system takes for a file.
func fileName(name string) string {
	safe := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
			return c
		}
		return '-'
	}, name)
	return "role-" + safe
}

// readRules reads a file of rules: rule, permission and perhaps description on
// each line, under a heading or without one.
func readRules(text string) ([][3]string, error) {
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	in.FieldsPerRecord, in.TrimLeadingSpace = -1, true
	lines, err := in.ReadAll()
	if err != nil {
		return nil, fault.Param("csv", "error.csv_broken").Because(err)
	}
	at := []int{0, 1, 2}
	if len(lines) > 0 {
		if head := headOf(lines[0]); head != nil {
			at, lines = head, lines[1:]
		}
	}
	var out [][3]string
	for i, line := range lines {
		var rule [3]string
		for j, from := range at {
			if from >= 0 && from < len(line) {
				rule[j] = plainCell(strings.TrimSpace(line[from]))
			}
		}
		if rule[0] == "" || !slices.Contains([]string{"allow", "deny"}, strings.ToLower(rule[1])) {
			return nil, fault.Param("csv", "error.csv_line", "line", i+1, "rule", strings.Join(line, ","))
		}
		out = append(out, rule)
	}
	if len(out) == 0 {
		return nil, fault.Param("csv", "error.csv_empty")
	}
	return out, nil
}

// headOf finds the columns by their heading; nil when the line is none.
func headOf(line []string) []int {
	var at []int
	for _, name := range csvHead {
		at = append(at, slices.IndexFunc(line, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), name) }))
	}
	if at[0] < 0 || at[1] < 0 {
		return nil
	}
	return at
}

// plainCell takes back what harmless did to a cell.
func plainCell(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && harmless(rest) == s {
		return rest
	}
	return s
}

// importRole makes a role of a file of rules, or replaces one's rules.
func importRole(r *Request) error {
	if !r.May("importRole") {
		return r.absent(nil)
	}
	v := iamcmd.RoleView{IsPublic: true}
	to := r.Path("/roles")
	if id := r.QueryParam("id"); id != "" {
		var err error
		if v, err = find[iamcmd.RoleView](r, "listRoles", id); err != nil {
			return err
		}
		to = r.Path("/roles/", v.ID, "/rules")
	}
	text := needed(r.in("csv", "textarea", ""))
	text.Rows, text.Mono, text.Placeholder = 12, true, "rule,permission,description\nlist*,allow,\n*,deny,"
	f := formPage{
		Title: r.T("pg.a.import_role"), Text: r.T("pg.roles.import_text"), Command: "importRole", NoCall: true, Crumbs: crumbs(r.T("nav.identity"), "", r.T("nav.roles"), r.Path("/roles")),
		Aside: access.File("f-csv", r.T("pg.roles.file"), r.T("pg.roles.file_help")),
		Form: components.Form{
			Action: r.Request().URL.RequestURI(), Submit: r.T("pg.a.import_role"), Cancel: to,
			Fields: append(r.roleFields(v), r.tick("forced", v.ID != ""), text),
		},
	}
	if !r.posted() {
		return r.showForm(f, nil)
	}
	return r.takeRules(f)
}

func (r *Request) takeRules(f formPage) error {
	sent, err := r.values(f)
	if err != nil {
		return err
	}
	rules, err := readRules(sent.Get("csv"))
	if err != nil {
		return r.showForm(f, err)
	}
	sent.Del("csv")
	for i, rule := range rules {
		for j, name := range csvHead {
			if rule[j] != "" {
				sent.Set("rules["+strconv.Itoa(i)+"]."+name, rule[j])
			}
		}
	}
	out, err := r.Call(f.Command, sent)
	if err != nil {
		return r.showForm(f, atField(err, "rules", "csv"))
	}
	r.flash(flash{Tone: components.OK, Text: r.T("pg.created")})
	return r.goTo(toRole(r)(out))
}

// atField moves complaints about a parameter to the field that it came from.
func atField(err error, param, field string) error {
	f := fault.Of(err)
	for _, name := range f.Order {
		if strings.HasPrefix(name, param) {
			f.Mark(field, f.Fields[name])
			f.Order = slices.DeleteFunc(f.Order, func(s string) bool { return s == name })
			return f
		}
	}
	return err
}
