package configcmd

import (
	"context"
	"slices"
	"strings"

	"aerie/services/command"
)

// Group is a group of settings as commands return it.
type Group struct {
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Precedence  int64      `json:"precedence"`
	Subgroups   []Subgroup `json:"subgroup"`
}

// Subgroup is a group inside a group.
type Subgroup struct {
	Name       string `json:"name"`
	Precedence int64  `json:"precedence"`
}

type groupsRequest struct {
	command.Paging
	Group string `json:"group" doc:"name of the group"`
}

func (s *Service) groups() *command.Command {
	m := meta("listConfigurationGroups", "", "Lists the groups of settings")
	m.Object = "configurationgroup"
	return command.New(m, func(_ context.Context, r groupsRequest) (out command.List[Group], err error) {
		var all []Group
		for _, name := range s.categories() {
			if r.Group != "" && !strings.EqualFold(r.Group, name) || !strings.Contains(strings.ToLower(name), strings.ToLower(r.Keyword)) {
				continue
			}
			all = append(all, Group{Name: name, Precedence: int64(len(all) + 1), Subgroups: []Subgroup{{subgroup, 1}}})
		}
		out.Count, out.Items = len(all), all
		if limit := r.Limit(); limit >= 0 {
			from := min(r.Offset(), len(all))
			out.Items = all[from:min(from+limit, len(all))]
		}
		return out, nil
	})
}

func (s *Service) categories() (names []string) {
	for _, d := range s.Config.All() {
		names = append(names, d.Category)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
