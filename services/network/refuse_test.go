package network_test

import (
	"strings"
	"testing"
)

func TestWhatIsRefused(t *testing.T) {
	w := newWorld(t)
	netOf := []string{"name", "n", "zoneid", w.zone, "networkofferingid", w.offering(), "gateway", "10.1.0.1", "netmask", "255.255.255.0"}
	offeringOf := []string{"name", "o", "guestiptype", "Isolated", "traffictype", "GUEST", "supportedservices", "Dhcp,dns"}
	rangeOf := []string{"zoneid", w.zone, "gateway", "198.18.0.1", "netmask", "255.255.255.0", "startip", "198.18.0.20", "endip", "198.18.0.30"}
	off := id(w.call("createNetworkOffering", "name", "off", "guestiptype", "Isolated", "traffictype", "Guest", "supportedservices", "Dhcp"))
	idle := id(w.call("createNetwork", netOf...))
	with := func(base []string, change ...string) []string { return append(append([]string{}, base...), change...) }
	for _, c := range []struct {
		fact, command string
		params        []string
		want          string
	}{
		{"a gateway is an address", "createNetwork", with(netOf, "gateway", "10.1.0"), "gateway needs an IPv4 address"},
		{"a gateway is no loopback", "createNetwork", with(netOf, "gateway", "127.0.0.1"), "gateway needs an IPv4 address"},
		{"a gateway comes with a netmask", "createNetwork", with(netOf, "netmask", ""), "missing parameter netmask"},
		{"a netmask is not wider than /8", "createNetwork", with(netOf, "netmask", "254.0.0.0"), "between 255.0.0.0"},
		{"a netmask is not narrower than /29", "createNetwork", with(netOf, "netmask", "255.255.255.252"), "between 255.0.0.0"},
		{"a gateway is not the network", "createNetwork", with(netOf, "gateway", "10.1.0.0"), "first or the last address of 10.1.0.0/24"},
		{"a gateway is not the broadcast", "createNetwork", with(netOf, "gateway", "10.1.0.255"), "first or the last address"},
		{"a domain is a DNS name", "createNetwork", with(netOf, "networkdomain", "-x.test"), "networkdomain needs a DNS name"},
		{"a resolver is an address", "createNetwork", with(netOf, "dns1", "x"), "dns1 needs an IPv4 address"},
		{"there are no VPCs yet", "createNetwork", with(netOf, "vpcid", "0197aaaa-0000-7000-8000-000000000000"), "vpcid is not supported yet"},
		{"an offering that is off", "createNetwork", with(netOf, "networkofferingid", off), "off is disabled"},
		{"an MTU is a packet's", "createNetwork", with(netOf, "privatemtu", "9000"), "between 68 and 1500"},
		{"a service that is not there yet", "createNetworkOffering", with(offeringOf, "supportedservices", "Dhcp,Lb"), "service Lb is not supported yet. Supported are Dhcp, Dns, UserData, SourceNat"},
		{"no service at all", "createNetworkOffering", with(offeringOf, "supportedservices", ""), "at least one service"},
		{"no shared networks yet", "createNetworkOffering", with(offeringOf, "guestiptype", "Shared"), "valid are: Isolated"},
		{"one required offering", "createNetworkOffering", with(offeringOf, "availability", "Required"), "Make it Optional first"},
		{"a name that is taken", "createNetworkOffering", with(offeringOf, "name", "OFF"), "OFF"},
		{"another provider", "createNetworkOffering", with(offeringOf, "serviceproviderlist[0].service", "Dhcp", "serviceproviderlist[0].provider", "Netscaler"), "the provider is VirtualRouter"},
		{"Aerie's own offering", "deleteNetworkOffering", []string{"id", w.offering()}, "came with Aerie"},
		{"a range that overlaps", "createVlanIpRange", with(rangeOf, "startip", "198.18.0.12"), "overlap with the range 198.18.0.10 to 198.18.0.12"},
		{"a range with its gateway", "createVlanIpRange", with(rangeOf, "gateway", "198.18.0.25"), "must not lie between"},
		{"a VLAN is a number", "createVlanIpRange", with(rangeOf, "vlan", "vlan://4095"), "between 1 and 4094"},
		{"a range for an account", "createVlanIpRange", with(rangeOf, "account", "x"), "account is not supported yet"},
		{"an idle network has no router", "restartNetwork", []string{"id", idle}, "n is Allocated"},
		{"a physical network in use", "deletePhysicalNetwork", []string{"id", id(w.call("listPhysicalNetworks"))}, "n1 still has networks"},
	} {
		t.Run(c.fact, func(t *testing.T) {
			w.t = t
			if text := w.refusal(c.command, c.params...); !strings.Contains(text, c.want) {
				t.Errorf("says %q, want %q in it", text, c.want)
			}
		})
	}
	made := one(w.call("createNetworkOffering", offeringOf...))
	if services := made["service"].([]any); len(services) != 2 || made["state"] != "Disabled" {
		t.Errorf("the offering: %v", made)
	}
	if got := one(w.call("updateNetworkOffering", "id", made["id"].(string), "state", "Enabled", "zoneid", w.zone)); got["state"] != "Enabled" || got["zone"] != "z1" {
		t.Errorf("updated: %v", got)
	}
	w.call("deleteNetworkOffering", "id", made["id"].(string))
}
