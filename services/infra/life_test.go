package infra_test

import (
	"strings"
	"testing"
)

// TestAZoneFromNothingToNothing builds a zone, looks at it and takes it apart.
func TestAZoneFromNothingToNothing(t *testing.T) {
	w := newWorld(t)
	zone, pod, cluster, host := w.place()
	h := one(w.call("listHosts", "id", host))
	for field, want := range map[string]any{
		"state": "Up", "resourcestate": "Enabled", "type": "Routing", "name": "h1", "cpunumber": 16.0,
		"cpuallocated": "0%", "cpuwithoverprovisioning": "41600", "memorytotal": float64(64 << 30), "zonename": "z1", "clustername": "c1",
	} {
		if h[field] != want {
			t.Errorf("%s is %v, want %v", field, h[field], want)
		}
	}
	pool := id(w.call("createStoragePool", "zoneid", zone, "clusterid", cluster, "name", "s1", "url", "SharedMountPoint:///pool"))
	local := one(w.call("createStoragePool", "zoneid", zone, "clusterid", cluster, "name", "s2", "url", "file:///local"))
	if local["scope"] != "HOST" || local["type"] != "Filesystem" || local["disksizetotal"].(float64) == 0 {
		t.Errorf("the local pool: %v", local)
	}
	images := id(w.call("addImageStore", "zoneid", zone, "provider", "Local", "url", "file:///images", "name", "i1"))
	physical := id(w.call("createPhysicalNetwork", "zoneid", zone, "name", "n1", "vlan", "100-200"))
	traffic := id(w.call("addTrafficType", "physicalnetworkid", physical, "traffictype", "Public", "kvmnetworklabel", "cloudbr0"))
	if got := one(w.call("updatePhysicalNetwork", "id", physical, "state", "Enabled")); got["state"] != "Enabled" {
		t.Errorf("the physical network: %v", got)
	}
	if got := one(w.call("reconnectHost", "id", host)); got["state"] != "Up" {
		t.Errorf("the reconnected host: %v", got)
	}
	if got := w.call("listCapacity", "zoneid", zone); got["count"] != 6.0 {
		t.Errorf("capacity: %v", got)
	}
	if text := w.refusal("deleteZone", "id", zone); !strings.Contains(text, "z1 still has hosts (1)") {
		t.Error(text)
	}
	if text := w.refusal("deleteHost", "id", host); !strings.Contains(text, "is enabled") {
		t.Error(text)
	}
	if got := one(w.call("updateImageStore", "id", images, "name", "i2", "readonly", "true")); got["name"] != "i2" || got["readonly"] != true {
		t.Errorf("the changed image store: %v", got)
	}
	if got := one(w.call("updateImageStore", "id", images, "readonly", "false")); got["name"] != "i2" || got["readonly"] != false {
		t.Errorf("the image store, changed back: %v", got)
	}
	w.call("updateHost", "id", host, "allocationstate", "Disable")
	for _, step := range [][]string{
		{"deleteHost", host},
		{"deleteStoragePool", pool},
		{"deleteCluster", cluster},
		{"deletePod", pod},
		{"deleteImageStore", images},
		{"updateTrafficType", traffic},
		{"deleteTrafficType", traffic},
		{"deletePhysicalNetwork", physical},
		{"deleteZone", zone},
	} {
		w.call(step[0], "id", step[1])
	}
	for _, list := range []string{"listZones", "listPods", "listClusters", "listHosts", "listStoragePools", "listImageStores", "listPhysicalNetworks"} {
		if got := w.call(list); len(got) != 0 {
			t.Errorf("%s: %v", list, got)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	w := newWorld(t)
	zone, pod, cluster, host := w.place()
	kvm := id(w.call("addCluster", "zoneid", zone, "podid", pod, "clustername", "k", "clustertype", "CloudManaged", "hypervisor", "KVM"))
	zoneOf := []string{"name", "z2", "networktype", "Advanced", "dns1", "9.9.9.9", "internaldns1", "9.9.9.9"}
	podOf := []string{"zoneid", zone, "name", "p2", "gateway", "10.0.0.1", "netmask", "255.255.255.0", "startip", "10.0.0.10", "endip", "10.0.0.20"}
	hostOf := []string{"zoneid", zone, "podid", pod, "clusterid", cluster, "hypervisor", "Simulator", "url", "sim://h2"}
	poolOf := []string{"zoneid", zone, "clusterid", cluster, "name", "s", "url", "SharedMountPoint:///pool"}
	with := func(base []string, change ...string) []string { return append(append([]string{}, base...), change...) }
	for _, c := range []struct {
		fact, command string
		params        []string
		want          string
	}{
		{"a zone's name is its own", "createZone", with(zoneOf, "name", "Z1"), "Z1"},
		{"there are no Basic zones", "createZone", with(zoneOf, "networktype", "Basic"), "Advanced"},
		{"a resolver is an address", "createZone", with(zoneOf, "dns1", "dns.example"), "dns1 needs an IPv4 address"},
		{"a guest network is a prefix", "createZone", with(zoneOf, "guestcidraddress", "10.0.0.0/30"), "guestcidraddress needs an IPv4 network"},
		{"a domain is a DNS name", "createZone", with(zoneOf, "domain", "a_b"), "domain needs a DNS name"},
		{"a pod's addresses are in its network", "createPod", with(podOf, "endip", "10.0.1.20"), "outside of 10.0.0.0/24"},
		{"the last address is not before the first", "createPod", with(podOf, "endip", "10.0.0.9"), "comes before the first"},
		{"the gateway is not among them", "createPod", with(podOf, "gateway", "10.0.0.15"), "must not lie between"},
		{"a netmask has no holes", "createPod", with(podOf, "netmask", "255.0.255.0"), "netmask needs a netmask"},
		{"a host's scheme is known", "addHost", with(hostOf, "url", "esx://h2"), "must begin with one of: sim"},
		{"a host by ssh needs a password", "addHost", with(hostOf, "url", "http://10.0.0.5", "username", "root", "password", ""), "Username and Password need to be provided"},
		{"a machine is one host", "addHost", with(hostOf, "url", "sim://h1"), "already there as the host h1"},
		{"a host fits its cluster", "addHost", with(hostOf, "clusterid", kvm), "run KVM, not Simulator"},
		{"a host is what the request says", "addHost", with(hostOf, "hypervisor", "KVM"), "runs Simulator, not KVM"},
		{"a pool's scheme is known", "createStoragePool", with(poolOf, "url", "nfs://server/export"), "file:///PATH or SharedMountPoint"},
		{"a pool is a clean path", "createStoragePool", with(poolOf, "url", "SharedMountPoint:///a/../b"), "absolute path"},
		{"a file pool is one host's", "createStoragePool", with(poolOf, "url", "file:///a", "scope", "cluster"), "its scope is HOST"},
		{"a pool needs a host", "createStoragePool", with(poolOf, "clusterid", kvm), "is up"},
		{"VLANs end at 4094", "createPhysicalNetwork", []string{"zoneid", zone, "name", "n", "vlan", "100-5000"}, "between 1 and 4094"},
		{"a host with a pod's cluster stays", "deletePod", []string{"id", pod}, "p1 still has hosts"},
		{"an absent zone", "deleteZone", []string{"id", "0197aaaa-0000-7000-8000-000000000000"}, "Invalid parameter id value=0197aaaa"},
	} {
		t.Run(c.fact, func(t *testing.T) {
			w.t = t
			if text := w.refusal(c.command, c.params...); !strings.Contains(text, c.want) {
				t.Errorf("says %q, want %q in it", text, c.want)
			}
		})
	}
	if got := w.call("listHosts"); got["count"] != 1.0 || id(got) != host {
		t.Errorf("hosts: %v", got)
	}
}
