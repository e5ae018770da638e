// Package configcmd holds the commands about global settings.
package configcmd

import (
	"context"
	"slices"
	"strings"

	"aerie/locales"
	"aerie/services/command"
	"aerie/services/config"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/store"
)

// Service has the commands.
type Service struct{ Config *config.Service }

// Commands are the commands about settings.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{s.list(), s.update(), s.reset()}
}

// View is a setting as commands return it.
type View struct {
	Name        string `json:"name"`
	DisplayText string `json:"displaytext"`
	Value       string `json:"value"`
	Default     string `json:"defaultvalue"`
	Description string `json:"description"`
	Category    string `json:"category"`
	Group       string `json:"group"`
	Subgroup    string `json:"subgroup"`
	Component   string `json:"component"`
	Type        string `json:"type"`
	Options     string `json:"options"`
	Scope       string `json:"scope"`
	Dynamic     bool   `json:"isdynamic"`
}

func (s *Service) view(ctx context.Context, d *config.Setting) (View, error) {
	value, err := s.Config.Get(ctx, d.Name)
	return View{
		Name: d.Name, DisplayText: title(d.Name), Value: d.Shown(value), Default: d.Default, Description: locales.Or(ctx, "config."+d.Name, ""),
		Category: d.Category, Group: d.Category, Subgroup: "Others", Component: "aerie", Type: string(d.Kind), Options: strings.Join(d.Choices, ","),
		Scope: "Global", Dynamic: d.Dynamic,
	}, err
}

// title writes a setting's name as CloudStack does: Network gc wait.
func title(name string) string {
	words := strings.ReplaceAll(name, ".", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// find finds a setting by its name in any case.
func (s *Service) find(name string) (*config.Setting, error) {
	for _, d := range s.Config.All() {
		if strings.EqualFold(d.Name, name) {
			return d, nil
		}
	}
	return nil, fault.Param("name", "error.no_setting", "value", name)
}

// Of is embedded by requests that could name one thing whose setting is meant.
// Aerie's settings are all global.
type Of struct {
	ZoneID    string `json:"zoneid" type:"uuid" doc:"not supported yet: settings are global"`
	ClusterID string `json:"clusterid" type:"uuid" doc:"not supported yet: settings are global"`
	PoolID    string `json:"storageid" type:"uuid" doc:"not supported yet: settings are global"`
	AccountID string `json:"accountid" type:"uuid" doc:"not supported yet: settings are global"`
	DomainID  string `json:"domainid" type:"uuid" doc:"not supported yet: settings are global"`
}

func (o Of) narrow() (param string, yes bool) {
	for _, p := range []struct{ name, value string }{
		{"zoneid", o.ZoneID},
		{"clusterid", o.ClusterID},
		{"storageid", o.PoolID},
		{"accountid", o.AccountID},
		{"domainid", o.DomainID},
	} {
		if p.value != "" && p.value != "-1" {
			return p.name, true
		}
	}
	return "", false
}

func (o Of) global() error {
	if param, yes := o.narrow(); yes {
		return fault.Param(param, "error.setting_global")
	}
	return nil
}

// ListRequest asks for settings.
type ListRequest struct {
	command.Paging
	Of
	Name     string `json:"name" doc:"name of the setting, as a whole"`
	Category string `json:"category" doc:"the category"`
	Group    string `json:"group" doc:"the group"`
	Subgroup string `json:"subgroup" doc:"the group inside the group"`
	Parent   string `json:"parent" doc:"accepted for compatibility"`
}

func meta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "configuration", Event: event, Roles: command.Admin, Doc: doc}
}

func (s *Service) list() *command.Command {
	return command.New(meta("listConfigurations", "", "Lists the global settings"), s.List)
}

// List returns a page of settings in the order of their names.
func (s *Service) List(ctx context.Context, r ListRequest) (command.List[View], error) {
	if _, yes := r.narrow(); yes {
		return command.List[View]{}, nil
	}
	all := slices.DeleteFunc(s.Config.All(), func(d *config.Setting) bool { return !r.matches(d) })
	page := all
	if limit := r.Limit(); limit >= 0 {
		from := min(r.Offset(), len(all))
		page = all[from:min(from+limit, len(all))]
	}
	out := command.List[View]{Count: len(all)}
	for _, d := range page {
		v, err := s.view(ctx, d)
		if err != nil {
			return command.List[View]{}, err
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

func (r ListRequest) matches(d *config.Setting) bool {
	same := func(want, have string) bool { return want == "" || strings.EqualFold(want, have) }
	return same(r.Name, d.Name) && same(r.Category, d.Category) && same(r.Group, d.Category) && same(r.Subgroup, "Others") &&
		strings.Contains(strings.ToLower(d.Name), strings.ToLower(r.Keyword))
}

// UpdateRequest changes a setting.
type UpdateRequest struct {
	Of
	Name  string `json:"name" required:"true" doc:"name of the setting"`
	Value string `json:"value" max:"4096" doc:"the new value; the default without it"`
}

func (s *Service) update() *command.Command {
	return command.New(meta("updateConfiguration", "CONFIGURATION.VALUE.EDIT", "Changes a global setting"),
		func(ctx context.Context, r UpdateRequest) (View, error) { return s.set(ctx, r.Of, r.Name, r.Value) })
}

// ResetRequest brings a setting's default back.
type ResetRequest struct {
	Of
	Name string `json:"name" required:"true" doc:"name of the setting"`
}

func (s *Service) reset() *command.Command {
	return command.New(meta("resetConfiguration", "CONFIGURATION.VALUE.EDIT", "Brings the default of a global setting back"),
		func(ctx context.Context, r ResetRequest) (View, error) { return s.set(ctx, r.Of, r.Name, "") })
}

func (s *Service) set(ctx context.Context, of Of, name, value string) (View, error) {
	if err := of.global(); err != nil {
		return View{}, err
	}
	d, err := s.find(name)
	if err != nil {
		return View{}, err
	}
	old, err := s.Config.Set(ctx, d.Name, value)
	if err != nil {
		return View{}, err
	}
	command.About(ctx, event.Resource{Kind: "configuration", ID: d.Name, Name: d.Name}, store.Owner{})
	// The cache still has the old text: the transaction is not committed yet.
	v, err := s.view(ctx, d)
	if v.Value = d.Shown(strings.TrimSpace(value)); v.Value == "" {
		v.Value = d.Default
	}
	command.Changed(ctx, map[string]string{"value": old}, map[string]string{"value": v.Value})
	return v, err
}
