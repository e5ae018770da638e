package portal

import (
	"strings"

	"github.com/a-h/templ"

	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	"aerie/views/pages/access"
	"aerie/views/pages/pieces"
)

// simulated shows what a role's accounts have: the navigation and the commands.
// The reader's own rights stay what they are.
func simulated(r *Request, v iamcmd.RoleView) (templ.Component, error) {
	has, err := r.Portal.IAM.Simulate(r.Ctx(), v.ID)
	if err != nil {
		return nil, err
	}
	var yes, no []iam.Verdict
	may := map[string]bool{}
	for _, x := range has {
		may[x.Command] = x.Allowed
		if x.Allowed {
			yes = append(yes, x)
		} else {
			no = append(no, x)
		}
	}
	return pieces.Stack(
		components.Notice{Text: r.T("pg.roles.simulate_text", "name", v.Name)},
		pieces.Tiles(
			components.Figure{Label: r.T("pg.roles.allowed"), Value: itoa(len(yes)), Note: r.T("pg.roles.of", "n", len(has))},
			components.Figure{Label: r.T("pg.roles.denied"), Value: itoa(len(no)), Note: r.T("pg.roles.of", "n", len(has))}),
		halves(
			boxed(r.T("pg.roles.navigation"), access.Navigation(r.seenBy(func(name string) bool { return may[name] }))),
			sheet(r.T("pg.roles.allowed"), bareList(r, verdicts(r, "allowed"), yes))),
		sheet(r.T("pg.roles.denied"), bareList(r, verdicts(r, "denied"), no))), nil
}

// seenBy is the navigation of whoever may call those commands, in words.
func (r *Request) seenBy(may func(string) bool) []access.Group {
	var out []access.Group
	for _, g := range r.navOf(may) {
		shown := access.Group{}
		if g.Key != "" {
			shown.Title = r.T(g.Key)
		}
		for _, i := range g.Items {
			shown.Entries = append(shown.Entries, access.Entry{Icon: i.Icon, Label: r.T(i.Key)})
		}
		out = append(out, shown)
	}
	create := access.Group{Title: r.T("layout.create")}
	for _, i := range r.createOf(may) {
		create.Entries = append(create.Entries, access.Entry{Icon: i.Icon, Label: i.Label})
	}
	if len(create.Entries) > 0 {
		out = append(out, create)
	}
	return out
}

func verdicts(r *Request, id string) listPage[iam.Verdict] {
	return listPage[iam.Verdict]{
		ID: id, Title: r.T("pg.roles." + id), RowID: func(x iam.Verdict) string { return x.Command },
		Columns: []column[iam.Verdict]{
			colCode(r, "command", func(x iam.Verdict) string { return x.Command }),
			colText(r, "because", func(x iam.Verdict) string { return r.because(x) }),
		},
		Empty: components.Empty{Icon: "shield", Title: r.T("pg.roles.nothing")},
	}
}

// because says what decided.
func (r *Request) because(x iam.Verdict) string {
	if x.Why == iam.ByRule {
		return r.T("pg.roles.by_rule", "rule", x.Rule)
	}
	return r.T("pg.roles.by_" + x.Why)
}

// difference is a command that one of two roles has.
type difference struct {
	Command     string
	Here, There bool
}

// compared shows the commands in which two roles differ.
func compared(r *Request, v iamcmd.RoleView) (templ.Component, error) {
	others, err := r.choices("listRoles", nil)
	if err != nil {
		return nil, err
	}
	with := strings.TrimSpace(r.QueryParam("with"))
	pick := r.pick("with", with, others, true)
	pick.Label = r.T("pg.roles.with")
	parts := []templ.Component{boxed(r.T("pg.roles.compare_title"), access.Choose(pick, r.T("pg.a.compare")))}
	if with == "" {
		return pieces.Stack(parts...), nil
	}
	other, err := find[iamcmd.RoleView](r, "listRoles", with)
	if err != nil {
		return nil, err
	}
	diff, err := r.differences(v.ID, other.ID)
	if err != nil {
		return nil, err
	}
	return pieces.Stack(append(parts, sheet(r.T("pg.roles.differences", "n", len(diff)), bareList(r, differenceList(r, v, other), diff)))...), nil
}

func (r *Request) differences(here, there string) (out []difference, err error) {
	a, err := r.Portal.IAM.Simulate(r.Ctx(), here)
	if err != nil {
		return nil, err
	}
	b, err := r.Portal.IAM.Simulate(r.Ctx(), there)
	if err != nil {
		return nil, err
	}
	for i, x := range a { // both go through the same commands
		if x.Allowed != b[i].Allowed {
			out = append(out, difference{x.Command, x.Allowed, b[i].Allowed})
		}
	}
	return out, nil
}

func differenceList(r *Request, v, other iamcmd.RoleView) listPage[difference] {
	may := func(is bool) string {
		if is {
			return "allow"
		}
		return "deny"
	}
	here := colPill(r, "permission", func(d difference) string { return may(d.Here) })
	there := colPill(r, "other", func(d difference) string { return may(d.There) })
	here.Label, there.Label = v.Name, other.Name
	return listPage[difference]{
		ID: "differences", Title: r.T("pg.t.compare"), RowID: func(d difference) string { return d.Command },
		Columns: []column[difference]{colCode(r, "command", func(d difference) string { return d.Command }), here, there},
		Empty:   components.Empty{Icon: "scale", Title: r.T("pg.roles.same")},
	}
}
