package portal

import (
	"slices"
	"strings"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/services/config/configcmd"
	"aerie/views/components"
)

func settings() area {
	return area{
		entries: []entry{{Group: "nav.settings", Key: "nav.global_settings", Icon: "sliders-horizontal", Path: "/settings", Needs: "listConfigurations"}},
		routes: func(on routes) {
			on.GET("/settings", showSettings)
			on.both("/settings/:name", editSetting)
			on.POST("/settings/:name/reset", resetSetting)
			on.POST("/settings/:name/undo", undoSetting)
		},
	}
}

func settingList(r *Request) listPage[configcmd.View] {
	text := phone(colText(r, "displaytext", func(s configcmd.View) string { return settingText(r, s) }))
	value := colText(r, "value", func(s configcmd.View) string { return s.Value })
	value.Cell = func(s configcmd.View) templ.Component {
		if s.Value == s.Default {
			return components.Code(s.Value)
		}
		return templ.Join(components.Code(s.Value), components.Text(" "), components.Badge{Tone: components.Busy, Icon: "pencil", Label: r.T("pg.settings.changed")})
	}
	return listPage[configcmd.View]{
		ID: "settings", Title: r.T("nav.global_settings"), Text: r.T("pg.settings.text"), Command: "listConfigurations", SearchLabel: r.T("pg.settings.search"),
		RowID: func(s configcmd.View) string { return s.Name }, Name: func(s configcmd.View) string { return s.Name },
		Columns: []column[configcmd.View]{
			colLink(r, "setting", func(s configcmd.View) string { return s.Name }, func(s configcmd.View) string { return r.Path("/settings/", s.Name) + settingQuery(r) }),
			value, text,
			colCode(r, "default", func(s configcmd.View) string { return s.Default }),
			colText(r, "category", func(s configcmd.View) string { return settingCategory(r, s.Category) }),
			colText(r, "takes_effect", func(s configcmd.View) string {
				if s.Dynamic {
					return r.T("pg.settings.at_once")
				}
				return r.T("pg.settings.restart")
			}),
		},
		Filters: []components.Filter{r.filter("category", settingCategories(r))},
		Actions: func(s configcmd.View) components.Menu { return r.menu(settingDeeds(r, s)...) },
		Empty:   r.empty("settings", "sliders-horizontal", nil),
	}
}

// settingText is a setting's description in the reader's language.
func settingText(r *Request, s configcmd.View) string {
	return locales.Or(r.Ctx(), "config."+s.Name, s.Description)
}

func settingCategory(r *Request, name string) string {
	return locales.Or(r.Ctx(), "pg.category."+strings.ToLower(strings.ReplaceAll(name, " ", "_")), name)
}

func settingCategories(r *Request) []components.Option {
	var out []components.Option
	for _, d := range r.Portal.Config.All() {
		if !slices.ContainsFunc(out, func(o components.Option) bool { return o.Value == d.Category }) {
			out = append(out, components.Option{Value: d.Category, Label: settingCategory(r, d.Category)})
		}
	}
	slices.SortFunc(out, func(a, b components.Option) int { return strings.Compare(a.Label, b.Label) })
	return out
}

func settingDeeds(r *Request, s configcmd.View) []deed {
	base, at := r.Path("/settings/", s.Name), settingQuery(r)
	reset := deed{Command: "resetConfiguration", Key: "reset", Icon: "rotate-ccw", Path: base + "/reset" + at, Ask: r.T("pg.settings.reset_title", "name", s.Name), Text: r.T("pg.settings.reset_text", "value", s.Default)}
	if s.Value == s.Default {
		reset.Off = r.T("pg.why.default")
	}
	return []deed{{Command: "updateConfiguration", Key: "edit", Icon: "pencil", Path: base + at, Open: true}, reset}
}

func settingOf(r *Request) (configcmd.View, error) {
	l, err := list[configcmd.View](r, "listConfigurations", settingAt(r, vals("name", r.Param("name"))))
	if err != nil {
		return configcmd.View{}, err
	}
	if len(l.Items) == 0 {
		return configcmd.View{}, r.absent(nil)
	}
	return l.Items[0], nil
}

func editSetting(r *Request) error {
	s, err := settingOf(r)
	if err != nil {
		return err
	}
	way := crumbs(r.T("nav.settings"), "", r.T("nav.global_settings"), r.Path("/settings")+settingQuery(r))
	field := r.in("value", "", s.Value)
	switch {
	case s.Options != "":
		field.Type, field.Options, field.Required = "select", r.words(strings.Split(s.Options, ",")...), true
	case s.Type == "Boolean":
		field.Type, field.Options, field.Required = "select", []components.Option{{Value: "true", Label: r.T("pg.yes")}, {Value: "false", Label: r.T("pg.no")}}, true
	case s.Type == "Number":
		field.Type = "number"
	case s.Type == "Decimal":
		field.Type, field.Step = "number", "any"
	case len(s.Value) > 80:
		field.Type = "textarea"
	}
	if d := r.Portal.Config.Setting(s.Name); d != nil && d.Secret {
		field.Type, field.Value = "password", ""
	}
	field.Mono = true
	field.Help = r.T("pg.settings.default_is", "value", s.Default)
	history := r.history(s.Name)
	aside, err := settingAside(r, s, history)
	if err != nil {
		return err
	}
	f := formPage{
		Title: s.Name, Text: settingText(r, s), Command: "updateConfiguration", Fixed: r.cleared(settingAt(r, vals("name", s.Name)), "value"), Crumbs: way, Resource: "cloudstack_configuration", Aside: aside,
		Heading: components.Heading{Title: s.Name, Text: settingText(r, s), Actions: r.deeds(settingDeeds(r, s)[1])},
		Form:    components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/settings") + settingQuery(r), Action: r.Request().URL.RequestURI(), Fields: []components.Field{field}},
	}
	return r.formOr(f, r.T("pg.saved", "name", s.Name), always(r.Path("/settings")+settingQuery(r)))
}

// settingAside tells what a setting is, and who changed it.
func settingAside(r *Request, s configcmd.View, history thingTab) (templ.Component, error) {
	effect := r.T("pg.settings.at_once")
	if !s.Dynamic {
		effect = r.T("pg.settings.restart")
	}
	about := boxed(r.T("pg.specification"), r.lines("default", components.Code(s.Default), "category", settingCategory(r, s.Category), "type", s.Type, "takes_effect", effect))
	if r.Admin() {
		changes, err := settingHistory(r, s)
		return templ.Join(about, changes), err
	}
	if !r.May("listEvents") {
		return about, nil
	}
	events, err := history.Body()
	return templ.Join(about, events), err
}

func resetSetting(r *Request) error {
	s, err := settingOf(r)
	if err != nil {
		return err
	}
	return r.act(action{Command: "resetConfiguration", Params: settingAt(r, vals("name", s.Name)), Text: r.T("pg.settings.reset_done", "name", s.Name, "value", s.Default), To: r.Path("/settings") + settingQuery(r)})
}
