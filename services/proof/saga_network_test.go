package proof_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aerie/services/network"
	"aerie/services/proof"
)

// fresh is a network of the administrator without a router.
func fresh(w *proof.World) string {
	w.JSON(w.Admin, "createNetwork", "name", "fresh", "zoneid", w.Zone.ID,
		"networkofferingid", w.ID(&network.Offering{}, "availability = ?", "Required"))
	return w.ID(&network.Network{}, "name = ?", "fresh")
}

// up is a fresh network that an instance brought up.
func up(w *proof.World) (net, vm string) {
	net = fresh(w)
	return net, w.Deploy(w.Admin, "web", "networkids", net)
}

func drop(w *proof.World, net, vm string) func() {
	return func() {
		w.Gone(w.Admin, vm)
		w.Finish()
		if w.Count(&network.Network{}, "id = ?", net) > 0 {
			w.Call(w.Admin, "deleteNetwork", "id", net)
		}
	}
}

// in says what is wrong with a network that shall be in that state.
func in(w *proof.World, id string, want network.State) error {
	if n := w.Count(&network.Network{}, "id = ? AND state = ?", id, want); n != 1 {
		return fmt.Errorf("it is not %s", want)
	}
	routers := int64(0)
	if want == network.Implemented {
		routers = 1
	}
	if n := w.Count(&network.Router{}, "network_id = ?", id); n != routers {
		return fmt.Errorf("%d routers", n)
	}
	return nil
}

func networkDelete(w *proof.World) proof.Case {
	net, vm := up(w)
	w.Gone(w.Admin, vm)
	return proof.Case{
		Forward: true, Submit: w.Command("deleteNetwork", "id", net), After: drop(w, net, vm),
		Whole: func() error {
			if w.Count(&network.Network{}, "id = ?", net)+w.Count(&network.PublicIP{}, "network_id = ?", net)+w.Count(&network.Router{}, "network_id = ?", net) > 0 {
				return errors.New("rows are left")
			}
			return nil
		},
	}
}

func networkRestart(w *proof.World) proof.Case {
	net, vm := up(w)
	ask := func() error { return in(w, net, network.Implemented) }
	return proof.Case{Submit: w.Command("restartNetwork", "id", net, "cleanup", "true"), Whole: ask, Empty: ask, After: drop(w, net, vm)}
}

func networkUpdate(w *proof.World) proof.Case {
	net, vm := up(w)
	ask := func() error { return in(w, net, network.Implemented) }
	return proof.Case{Submit: w.Command("updateNetwork", "id", net, "networkdomain", "new.internal"), Whole: ask, Empty: ask, After: drop(w, net, vm)}
}

func networkShutdown(w *proof.World) proof.Case {
	net, vm := up(w)
	w.Gone(w.Admin, vm)
	w.Must(w.Net.CollectIdle(w.Context()))
	return proof.Case{
		After: drop(w, net, vm),
		Submit: func(ctx context.Context) error {
			// Long enough idle, and without the default network, which others share.
			long := w.DB.Now().Add(-time.Hour)
			if err := w.DB.In(ctx).Model(&network.Network{}).Where("id = ?", net).Update("idle_since", long).Error; err != nil {
				return err
			}
			return w.Net.CollectIdle(ctx)
		},
		Forward: true, Whole: func() error { return in(w, net, network.Allocated) },
	}
}
