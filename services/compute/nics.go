package compute

import (
	"context"

	"aerie/services/command"
	"aerie/services/network"
)

// ListNICsRequest asks for the cards of an instance.
type ListNICsRequest struct {
	command.Paging
	VMID      string `json:"virtualmachineid" ref:"virtualmachine" required:"true" doc:"the instance"`
	NICID     string `json:"nicid" doc:"one card"`
	NetworkID string `json:"networkid" ref:"network" doc:"cards in the network"`
}

func (s *Service) listNICsCommand() *command.Command {
	m := command.Meta{Name: "listNics", Object: "nic", Roles: command.Everyone, Doc: "Lists the network cards of an instance"}
	return command.New(m, func(ctx context.Context, r ListNICsRequest) (command.List[NICView], error) {
		q := s.db.In(ctx).Model(&network.NIC{}).Where("vm_id = ?", r.VMID)
		if r.NICID != "" {
			q = q.Where("id = ?", r.NICID)
		}
		if r.NetworkID != "" {
			q = q.Where("network_id = ?", r.NetworkID)
		}
		nics, n, err := command.Rows[network.NIC](q, r.Paging, "device, id")
		if err != nil {
			return command.List[NICView]{}, err
		}
		var ids []string
		for _, nic := range nics {
			ids = append(ids, nic.NetworkID)
		}
		nets, err := s.Net.ByID(ctx, ids)
		out := command.List[NICView]{Count: n}
		for _, nic := range nics {
			out.Items = append(out.Items, NICOf(nic, nets[nic.NetworkID]))
		}
		return out, err
	})
}
