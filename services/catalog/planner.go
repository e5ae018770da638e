package catalog

import (
	"context"
	"strings"

	"aerie/services/command"
)

// PlannerView is a way to choose hosts, as commands return it.
type PlannerView struct {
	Name string `json:"name" doc:"its name"`
}

// Planners are the ways to choose a host that offerings may name, by
// CloudStack's names: package placement takes the first that has room, in
// random order.
var Planners = []string{"FirstFitPlanner"}

func (s *Service) listPlannersCommand() *command.Command {
	return command.New(command.Meta{
		Name: "listDeploymentPlanners", Object: "deploymentPlanner", Roles: command.Admin, Doc: "Lists the ways in which hosts are chosen for instances",
	}, func(_ context.Context, r command.Paging) (out command.List[PlannerView], err error) {
		for _, name := range Planners {
			if strings.Contains(strings.ToLower(name), strings.ToLower(r.Keyword)) {
				out.Items = append(out.Items, PlannerView{Name: name})
			}
		}
		out.Count = len(out.Items)
		from := min(r.Offset(), out.Count)
		to := out.Count
		if n := r.Limit(); n >= 0 {
			to = min(from+n, to)
		}
		out.Items = out.Items[from:to]
		return out, nil
	})
}
