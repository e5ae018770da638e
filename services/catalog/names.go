package catalog

import (
	"context"
	"encoding/json"

	"aerie/services/command"
	"aerie/services/job"
	"aerie/services/store"
)

// NamesView is what a hypervisor calls its guests.
type NamesView struct {
	Hypervisor string      `json:"hypervisor" doc:"the hypervisor"`
	Version    string      `json:"hypervisorversion" doc:"its version"`
	Count      int         `json:"guestoscount" doc:"how many names there are"`
	Names      []GuestName `json:"guestoslist" doc:"the names"`
}

// GuestName is a guest operating system as people and as a hypervisor call it.
type GuestName struct {
	DisplayName string `json:"osdisplayname" doc:"the name that people see"`
	Name        string `json:"osnameforhypervisor" doc:"what the hypervisor calls it"`
}

// NamesRequest asks for the names of guests.
type NamesRequest struct {
	Hypervisor string `json:"hypervisor" required:"true" doc:"the hypervisor"`
	Version    string `json:"hypervisorversion" required:"true" doc:"its version, as listHypervisorCapabilities has it"`
	Keyword    string `json:"keyword" doc:"names that hold this"`
}

func (s *Service) namesCommand() *command.Command {
	return command.Async(command.Meta{
		Name: "getHypervisorGuestOsNames", Object: "hypervisorguestosnames", Event: "GUEST.OS.HYPERVISOR.NAME.FETCH", Roles: command.Admin,
		Doc: "Tells what a hypervisor calls guest operating systems: those of this cloud take any name, so it is what the catalogue says",
	}, s.askNames, s.names)
}

func (s *Service) askNames(ctx context.Context, r NamesRequest) (job.Spec, error) {
	a, err := s.known(ctx, r.Hypervisor, r.Version)
	if err != nil {
		return job.Spec{}, err
	}
	return done("hypervisorguestosnames", a.ID, a.Hypervisor), nil
}

// names reads the mappings of the hypervisor with that id, as far as the request
// of the job whose result it is wants them.
func (s *Service) names(ctx context.Context, id string) (NamesView, error) {
	a, err := store.Find[Ability](ctx, s.db, id)
	if err != nil {
		return NamesView{}, err
	}
	out := NamesView{Hypervisor: a.Hypervisor, Version: a.HypervisorVersion, Names: []GuestName{}}
	q := s.db.In(ctx).Where("hypervisor = ? AND hypervisor_version = ?", a.Hypervisor, a.HypervisorVersion)
	if asked := command.Finishing(ctx); asked != nil {
		var params map[string]string
		_ = json.Unmarshal(asked.Params, &params) // written by package command
		q = command.Paging{Keyword: params["keyword"]}.Search(q, "name")
	}
	var rows []Mapping
	err = q.Order("name, id").Find(&rows).Error
	if err != nil {
		return out, err
	}
	views, err := s.mappingViews(ctx, rows)
	for _, m := range views {
		out.Names = append(out.Names, GuestName{DisplayName: m.DisplayName, Name: m.Name})
	}
	out.Count = len(out.Names)
	return out, err
}
