// Package configcmd holds the commands about settings.
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
type Service struct {
	Config *config.Service
	// Domain finds the path of a domain that the caller sees, Account the owner
	// that an account is.
	Domain  func(ctx context.Context, id string) (path string, err error)
	Account func(ctx context.Context, id string) (store.Owner, error)
}

// Commands are the commands about settings.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{s.list(), s.groups(), s.update(), s.reset()}
}

// View is a setting as commands return it.
type View struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	DisplayText string `json:"displaytext"`
	Value       string `json:"value"`
	Default     string `json:"defaultvalue"`
	Description string `json:"description"`
	Category    string `json:"category"`
	Group       string `json:"group"`
	Subgroup    string `json:"subgroup"`
	Component   string `json:"component"`
	Parent      string `json:"parent"`
	Type        string `json:"type"`
	Options     string `json:"options"`
	Scope       string `json:"scope"`
	Dynamic     bool   `json:"isdynamic"`
}

// subgroup is the one that every group has.
const subgroup = "Others"

func (s *Service) view(ctx context.Context, d *config.Setting, p config.Place) (View, error) {
	f, err := s.Config.Find(ctx, d.Name, p)
	return s.show(ctx, d, f.Value), err
}

func (s *Service) show(ctx context.Context, d *config.Setting, value string) View {
	if d.Secret && value != "" {
		value = config.Hidden
	}
	return View{
		ID: s.number(d), Name: d.Name, DisplayText: title(d.Name), Value: value, Default: d.Default, Description: locales.Or(ctx, "config."+d.Name, ""),
		Category: d.Category, Group: d.Category, Subgroup: subgroup, Component: "aerie", Type: string(d.Kind), Options: strings.Join(d.Choices, ","),
		Scope: scopes(d), Dynamic: d.Dynamic,
	}
}

// number is a setting's place in the order of names, from 1.
func (s *Service) number(d *config.Setting) int64 { return int64(slices.Index(s.Config.All(), d)) + 1 }

// scopes are named from the widest on: Global,Zone,Cluster.
func scopes(d *config.Setting) string {
	names := []string{config.Global.Title()}
	for _, scope := range d.Scopes {
		names = append(names, scope.Title())
	}
	return strings.Join(names, ",")
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

func meta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "configuration", Event: event, Roles: command.Admins, Doc: doc}
}

// ListRequest asks for settings.
type ListRequest struct {
	command.Paging
	Of
	ImageStoreID string `json:"imagestoreuuid" ref:"imagestore" doc:"the settings of an image store"`
	Name         string `json:"name" doc:"name of the setting, as a whole"`
	Category     string `json:"category" doc:"the category"`
	Group        string `json:"group" doc:"the group"`
	Subgroup     string `json:"subgroup" doc:"the group inside the group"`
	Parent       string `json:"parent" doc:"the setting that those asked for belong to; none does"`
}

func (s *Service) list() *command.Command {
	return command.New(meta("listConfigurations", "", "Lists the settings"), s.List)
}

// List returns a page of settings in the order of their names; those of a zone,
// cluster, pool, image store, domain or account with what is in force there.
func (s *Service) List(ctx context.Context, r ListRequest) (out command.List[View], err error) {
	at, err := s.at(ctx, r.Of, "imagestoreuuid", r.ImageStoreID)
	if err != nil {
		return out, err
	}
	all := slices.DeleteFunc(s.Config.All(), func(d *config.Setting) bool { return !r.matches(d) || !at.has(d) })
	page := all
	if limit := r.Limit(); limit >= 0 {
		from := min(r.Offset(), len(all))
		page = all[from:min(from+limit, len(all))]
	}
	out.Count = len(all)
	for _, d := range page {
		v, err := s.view(ctx, d, at.place)
		if err != nil {
			return command.List[View]{}, err
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

func (r ListRequest) matches(d *config.Setting) bool {
	same := func(want, have string) bool { return want == "" || strings.EqualFold(want, have) }
	return same(r.Name, d.Name) && same(r.Category, d.Category) && same(r.Group, d.Category) && same(r.Subgroup, subgroup) && r.Parent == "" &&
		strings.Contains(strings.ToLower(d.Name), strings.ToLower(r.Keyword))
}

// UpdateRequest changes a setting.
type UpdateRequest struct {
	Of
	ImageStoreID string `json:"imagestoreuuid" ref:"imagestore" doc:"only for this image store"`
	Name         string `json:"name" required:"true" doc:"name of the setting"`
	Value        string `json:"value" max:"4096" secret:"true" doc:"the new value; without it what is set further out holds, at last the default"`
}

func (s *Service) update() *command.Command {
	return command.New(meta("updateConfiguration", "CONFIGURATION.VALUE.EDIT", "Changes a setting"),
		func(ctx context.Context, r UpdateRequest) (View, error) {
			at, err := s.at(ctx, r.Of, "imagestoreuuid", r.ImageStoreID)
			if err != nil {
				return View{}, err
			}
			return s.set(ctx, at, r.Name, r.Value)
		})
}

// ResetRequest brings a setting's default back.
type ResetRequest struct {
	Of
	ImageStoreID string `json:"imagestoreid" ref:"imagestore" doc:"only for this image store"`
	Name         string `json:"name" required:"true" doc:"name of the setting"`
}

func (s *Service) reset() *command.Command {
	return command.New(meta("resetConfiguration", "CONFIGURATION.VALUE.EDIT", "Takes a setting back: what is set further out holds, at last the default"),
		func(ctx context.Context, r ResetRequest) (View, error) {
			at, err := s.at(ctx, r.Of, "imagestoreid", r.ImageStoreID)
			if err != nil {
				return View{}, err
			}
			return s.set(ctx, at, r.Name, "")
		})
}

func (s *Service) set(ctx context.Context, at spot, name, value string) (View, error) {
	d, err := s.find(name)
	if err != nil {
		return View{}, err
	}
	if !at.has(d) {
		return View{}, fault.Param("name", "error.setting_scope", "name", d.Name, "scope", at.target.Scope.Title())
	}
	old, err := s.Config.SetAt(ctx, d.Name, at.target, value)
	if err != nil {
		return View{}, err
	}
	command.About(ctx, event.Resource{Kind: "configuration", ID: d.Name, Name: d.Name}, store.Owner{})
	// The cache still has the old text: the transaction is not committed yet.
	if value = strings.TrimSpace(value); value == "" {
		if value, err = s.further(ctx, d, at); err != nil {
			return View{}, err
		}
	}
	v := s.show(ctx, d, value)
	was, is := map[string]string{"value": old}, map[string]string{"value": v.Value}
	if d.Secret {
		was["value"] = config.Hidden
	}
	if at.target != config.Everywhere {
		is[string(at.target.Scope)] = at.target.ID
	}
	command.Changed(ctx, was, is)
	return v, nil
}

// further is what holds at a spot once nothing is set there.
func (s *Service) further(ctx context.Context, d *config.Setting, at spot) (string, error) {
	if at.target == config.Everywhere {
		return d.Default, nil
	}
	f, err := s.Config.Find(ctx, d.Name, at.place)
	if err != nil || f.Target != at.target {
		return f.Value, err
	}
	f, err = s.Config.Find(ctx, d.Name, at.outer())
	return f.Value, err
}
