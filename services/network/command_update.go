package network

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/store"
)

// UpdateRequest changes what may change of a network.
type UpdateRequest struct {
	ID          string  `json:"id" ref:"network" required:"true" doc:"the network"`
	Name        string  `json:"name" doc:"name of the network"`
	DisplayText *string `json:"displaytext" doc:"description"`
	Domain      string  `json:"networkdomain" doc:"DNS domain of the network"`
	DNS1        *string `json:"dns1" doc:"first resolver behind the router"`
	DNS2        *string `json:"dns2" doc:"second resolver behind the router"`
	MTU         int     `json:"privatemtu" range:"68..1500" doc:"largest packet inside the network"`
	PublicMTU   int     `json:"publicmtu" range:"68..1500" doc:"largest packet outside the network"`
	OfferingID  string  `json:"networkofferingid" ref:"networkoffering" doc:"what the network can do"`
	Display     *bool   `json:"displaynetwork" doc:"false hides the network from its users"`
	GuestCIDR   string  `json:"guestvmcidr" doc:"not supported yet"`
	SourceNATIP string  `json:"sourcenatipaddress" doc:"not supported yet"`
}

// work is the state of the sagas of networks.
type work struct {
	Network string
	Cleanup bool
}

func (s *Service) defineUpdate() {
	job.Define(s.jobs, "network.update", job.Do("router", s.refreshed, s.needsRestart))
}

// refreshed tells the router of a network that has one.
func (s *Service) refreshed(ctx context.Context, w *work) error { return s.Refresh(ctx, w.Network) }

// needsRestart says that the network's router lags behind its rows.
func (s *Service) needsRestart(ctx context.Context, w *work) error {
	return s.db.Tx(ctx, func(ctx context.Context) error { return s.restartRequired(ctx, w.Network, true) })
}

func (s *Service) restartRequired(ctx context.Context, id string, required bool) error {
	_, err := gorm.G[Network](s.db.In(ctx)).Where("id = ?", id).Update(ctx, "restart_required", required)
	return err
}

func (s *Service) updateCommand() *command.Command {
	return command.Async(meta("updateNetwork", "NETWORK.UPDATE", "Changes a network and tells its router"), s.update, s.Show)
}

func (s *Service) update(ctx context.Context, r UpdateRequest) (job.Spec, error) {
	n, err := s.visible(ctx, r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	set, err := s.changes(ctx, n, r)
	if err != nil {
		return job.Spec{}, err
	}
	set["generation"] = gorm.Expr("generation + 1")
	if err := s.db.In(ctx).Model(&Network{}).Where("id = ?", n.ID).Updates(set).Error; err != nil {
		return job.Spec{}, err
	}
	return n.job("network.update", work{Network: n.ID}), nil
}

func (n *Network) job(kind string, w work) job.Spec {
	return job.Spec{Kind: kind, Entity: n.Entity(), Object: "Network", ObjectID: n.ID, Owner: n.Owner(), State: w}
}

func (s *Service) changes(ctx context.Context, n Network, r UpdateRequest) (map[string]any, error) {
	for _, p := range []struct{ name, value string }{{"guestvmcidr", r.GuestCIDR}, {"sourcenatipaddress", r.SourceNATIP}} {
		if p.value != "" {
			return nil, fault.Param(p.name, "error.not_yet")
		}
	}
	set := map[string]any{}
	for column, v := range map[string]string{"name": r.Name, "network_domain": r.Domain} {
		if v != "" {
			set[column] = v
		}
	}
	dns := map[string]string{}
	for column, v := range map[string]*string{"display_text": r.DisplayText, "dns1": r.DNS1, "dns2": r.DNS2} {
		if v != nil {
			set[column], dns[column] = *v, *v
		}
	}
	if err := texts(r.Domain, dns["dns1"], dns["dns2"]); err != nil {
		return nil, err
	}
	for column, v := range map[string]int{"mtu": r.MTU, "public_mtu": r.PublicMTU} {
		if v != 0 {
			set[column] = v
		}
	}
	if r.Display != nil {
		set["display"] = *r.Display
	}
	if r.OfferingID == "" || r.OfferingID == n.OfferingID {
		return set, nil
	}
	set["offering_id"] = r.OfferingID
	return set, s.changeOffering(ctx, n, r.OfferingID)
}

// changeOffering gives a network that is in use what its new offering needs.
func (s *Service) changeOffering(ctx context.Context, n Network, offeringID string) error {
	o, err := find[Offering](ctx, s, "networkofferingid", offeringID)
	if err != nil {
		return err
	}
	zone, err := store.Find[infra.Zone](store.System(ctx, "the zone of a network"), s.db, n.ZoneID)
	if err != nil {
		return err
	}
	if err := o.usable(zone); err != nil {
		return err
	}
	if o.GuestType != n.GuestType {
		return fault.Param("networkofferingid", "error.network_offering_type", "name", o.Name, "value", o.GuestType, "want", n.GuestType)
	}
	if n.State == Implemented && o.Has("SourceNat") {
		_, err = s.sourceNAT(store.System(ctx, "the address belongs to the network's owner"), n)
	}
	return err
}

// RestartRequest asks to bring a network's router back to what it shall be.
type RestartRequest struct {
	ID        string `json:"id" ref:"network" required:"true" doc:"the network"`
	Cleanup   bool   `json:"cleanup" doc:"true makes the router anew"`
	LivePatch bool   `json:"livepatch" doc:"accepted for compatibility: a restart without cleanup interrupts nothing"`
	Redundant bool   `json:"makeredundant" doc:"not supported yet"`
}

func (s *Service) defineRestart() {
	job.Define(s.jobs, "network.restart",
		job.Do("clean", s.clean, nil),
		job.Do("router", s.healed, s.needsRestart),
		job.Commit("restarted", func(ctx context.Context, w *work) error { return s.restartRequired(ctx, w.Network, false) }, nil))
}

func (s *Service) restartCommand() *command.Command {
	m := meta("restartNetwork", "NETWORK.RESTART", "Brings a network's router back to what it shall be")
	m.Object = ""
	return command.Async[RestartRequest, command.Success](m, func(ctx context.Context, r RestartRequest) (job.Spec, error) {
		n, err := s.visible(ctx, r.ID)
		if err != nil {
			return job.Spec{}, err
		}
		if r.Redundant {
			return job.Spec{}, fault.Param("makeredundant", "error.not_yet")
		}
		if n.State != Implemented {
			return job.Spec{}, fault.Param("id", "error.network_idle", "name", n.Name, "state", string(n.State))
		}
		return n.job("network.restart", work{Network: n.ID, Cleanup: r.Cleanup}), nil
	}, nil)
}

func (s *Service) healed(ctx context.Context, w *work) error { return s.Heal(ctx, w.Network) }

// clean removes the router from its host but not its row, nor the bridge that
// instances are plugged into: what follows makes it anew.
func (s *Service) clean(ctx context.Context, w *work) error {
	if !w.Cleanup {
		return nil
	}
	defer s.locks.lock(w.Network)()
	r, err := s.routerOf(ctx, w.Network)
	if err != nil {
		return err
	}
	if err := s.removeRouter(ctx, r); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := gorm.G[Router](s.db.In(ctx)).Where("id = ?", r.ID).Select("state", "applied", "hash").Updates(ctx, Router{State: "Starting"})
		if err != nil {
			return fmt.Errorf("router %s: %w", r.Name, err)
		}
		// A newer generation than what the host was told to remove.
		return s.Touch(ctx, w.Network)
	})
}
