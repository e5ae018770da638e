package network_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/network"
	"aerie/services/store"
)

// TestANetworksLife takes a network from its creation through a router to its
// end, after which nothing of it is left.
func TestANetworksLife(t *testing.T) {
	w := newWorld(t)
	made := one(w.call("createNetwork", "name", "web", "zoneid", w.zone, "networkofferingid", w.offering(),
		"gateway", "10.2.0.1", "netmask", "255.255.0.0", "networkdomain", "web.test"))
	net := made["id"].(string)
	for field, want := range map[string]any{
		"state": "Allocated", "cidr": "10.2.0.0/16", "gateway": "10.2.0.1", "netmask": "255.255.0.0",
		"type": "Isolated", "networkdomain": "web.test", "zonename": "z1", "account": "admin", "privatemtu": 1500.0, "canusefordeploy": true,
	} {
		if made[field] != want {
			t.Errorf("%s is %v, want %v", field, made[field], want)
		}
	}
	if services := made["service"].([]any); len(services) != 4 {
		t.Errorf("services: %v", services)
	}
	w.implement(net)
	router := one(w.call("listRouters", "networkid", net))
	for field, want := range map[string]any{"state": "Running", "publicip": "198.18.0.10", "guestipaddress": "10.2.0.1", "hostname": "h1", "gateway": "198.18.0.1"} {
		if router[field] != want {
			t.Errorf("the router's %s is %v, want %v", field, router[field], want)
		}
	}
	address := one(w.call("listPublicIpAddresses", "associatednetworkid", net))
	if address["ipaddress"] != "198.18.0.10" || address["issourcenat"] != true || address["associatednetworkname"] != "web" {
		t.Errorf("the address: %v", address)
	}
	if got := one(w.call("updateNetwork", "id", net, "name", "www", "networkdomain", "www.test")); got["name"] != "www" || got["networkdomain"] != "www.test" {
		t.Errorf("updated: %v", got)
	}
	w.call("restartNetwork", "id", net)
	w.call("restartNetwork", "id", net, "cleanup", "true")
	if got := len(w.routers()); got != 1 {
		t.Errorf("%d routers after the restarts", got)
	}
	w.check(w.net.HealAll(t.Context()))
	if text := w.refusal("deleteZone", "id", w.zone); !strings.Contains(text, "z1 still has") {
		t.Error(text)
	}
	w.call("deleteNetwork", "id", net)
	if got := w.call("listNetworks", "id", net); len(got) != 0 {
		t.Errorf("listed after its end: %v", got)
	}
	if len(w.routers()) != 0 || len(w.call("listPublicIpAddresses")) != 0 || len(w.call("listRouters", "listall", "true")) != 0 {
		t.Error("something is left")
	}
}

// routers are the routers that the simulated host has.
func (w *world) routers() []drivers.RouterState {
	w.t.Helper()
	list, err := w.center.Host("h1").ListRouters(w.t.Context(), drivers.ListRouters{})
	w.check(err)
	return list.Routers
}

func TestANetworkWithCardsStays(t *testing.T) {
	w := newWorld(t)
	net := id(w.call("createNetwork", "name", "a", "zoneid", w.zone, "networkofferingid", w.offering()))
	w.check(w.db.Tx(w.admin, func(ctx context.Context) error {
		n, err := w.net.Get(ctx, net)
		if err != nil {
			return err
		}
		_, err = w.net.AddNIC(ctx, network.NICRequest{ID: w.db.NewID(), VMID: w.db.NewID(), Network: n})
		return err
	}))
	if text := w.refusal("deleteNetwork", "id", net); !strings.Contains(text, "network cards of instances (1)") {
		t.Error(text)
	}
	if w.state(net) != string(network.Allocated) {
		t.Error("it is", w.state(net))
	}
}

func TestIdleNetworksAreShutDown(t *testing.T) {
	w := newWorld(t)
	net := id(w.call("createNetwork", "name", "a", "zoneid", w.zone, "networkofferingid", w.offering()))
	w.implement(net)
	for _, step := range []struct {
		fact string
		busy bool
		wait time.Duration
		want network.State
	}{
		{"something runs", true, time.Hour, network.Implemented},
		{"it is seen idle", false, time.Hour, network.Implemented},
		{"it has not been idle for long", false, 9 * time.Minute, network.Implemented},
		{"something runs again", true, time.Minute, network.Implemented},
		{"it is seen idle anew", false, time.Minute, network.Implemented},
		{"it has been idle for long", false, 11 * time.Minute, network.Allocated},
		{"it is down", false, time.Hour, network.Allocated},
	} {
		w.busy, w.now = step.busy, w.now.Add(step.wait)
		w.check(w.net.CollectIdle(t.Context()))
		for range 3 {
			_, err := w.engine.Once(t.Context())
			w.check(err)
		}
		if got := w.state(net); got != string(step.want) {
			t.Fatalf("%s: %s", step.fact, got)
		}
	}
	if len(w.routers()) != 0 {
		t.Error("the router is still there")
	}
	w.implement(net)
	if got := one(w.call("listPublicIpAddresses", "associatednetworkid", net)); got["ipaddress"] != "198.18.0.10" {
		t.Error("it came back with another address:", got)
	}
}

// TestAClosingNetworkIsNotImplemented: the shutdown's job would take the new
// router down.
func TestAClosingNetworkIsNotImplemented(t *testing.T) {
	w := newWorld(t)
	net := id(w.call("createNetwork", "name", "a", "zoneid", w.zone, "networkofferingid", w.offering()))
	w.implement(net)
	w.check(w.net.CollectIdle(t.Context()))
	w.now = w.now.Add(time.Hour)
	w.check(w.net.CollectIdle(t.Context())) // its job is submitted but not run
	err := w.db.Tx(store.System(t.Context(), "test"), func(ctx context.Context) error {
		n, err := w.net.Get(ctx, net)
		if err != nil {
			return err
		}
		return w.net.Prepare(ctx, &n, infra.Host{})
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("want an error that passes by itself, have %v", err)
	}
}

func TestTenantsSeeTheirOwn(t *testing.T) {
	w := newWorld(t)
	offering := w.offering()
	w.call("createNetwork", "name", "admins", "zoneid", w.zone, "networkofferingid", offering)
	own, err := w.try(w.user, "createNetwork", "name", "users", "zoneid", w.zone, "networkofferingid", offering)
	w.check(err)
	for _, c := range []struct {
		who    context.Context
		params []string
		want   float64
	}{
		{w.user, nil, 1},
		{w.user, []string{"listall", "true"}, 1},
		{w.admin, nil, 1},
		{w.admin, []string{"listall", "true"}, 2},
		{w.admin, []string{"id", id(own)}, 1},
		{w.admin, []string{"listall", "true", "supportedservices", "SourceNat"}, 2},
		{w.admin, []string{"listall", "true", "name", "USERS"}, 1},
	} {
		got, err := w.try(c.who, "listNetworks", c.params...)
		w.check(err)
		if got["count"] != c.want {
			t.Errorf("%v: %v, want %v", c.params, got["count"], c.want)
		}
	}
	if got, err := w.try(w.user, "listNetworkOfferings"); err != nil || got["count"] != 2.0 {
		t.Error(got, err)
	}
}

// TestLimits: a network is counted when it is made and not any more when it is
// gone.
func TestLimits(t *testing.T) {
	w := newWorld(t)
	offering := w.offering()
	create := func() (map[string]any, error) {
		return w.try(w.user, "createNetwork", "name", "n", "zoneid", w.zone, "networkofferingid", offering)
	}
	var last string
	for range int(iam.Networks.Default()) {
		out, err := create()
		w.check(err)
		last = id(out)
	}
	if _, err := create(); !fault.Is(err, fault.Limit) {
		t.Fatalf("one too many: %v", err)
	}
	_, err := w.try(w.user, "deleteNetwork", "id", last)
	w.check(err)
	_, err = create()
	w.check(err)
}
