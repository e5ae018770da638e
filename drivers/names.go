package drivers

import (
	"net/netip"
	"strings"
	"time"
)

// BridgeName is the bridge of a guest network on every host: "ab" and the last
// twelve hex digits of the network's UUID, which fits Linux's 15 characters
// (IFNAMSIZ). In a UUIDv7 these digits are random.
func BridgeName(networkID string) string { return "ab" + tail(networkID, 12) }

// Serial is the serial number by which a guest knows the disk: the last twenty
// hex digits of its UUID, for virtio takes no more. In a UUIDv7 these are
// random; its head is the same for all disks of one millisecond.
func (d VMDisk) Serial() string { return tail(d.ID, 20) }

func tail(id string, n int) string {
	hex := strings.ReplaceAll(id, "-", "")
	return hex[max(0, len(hex)-n):]
}

// RouterMemory is how long a host at least remembers a router's removal.
const RouterMemory = time.Hour

// Overtaken tells whether the router has changed since the sender of the
// removal knew it.
func (r RouterRef) Overtaken(has int64) bool { return r.Generation != 0 && r.Generation < has }

// Addresses is whom the router serves: the address by NIC, never nil.
func (s RouterSpec) Addresses() map[string]netip.Addr {
	all := make(map[string]netip.Addr, len(s.Hosts))
	for _, h := range s.Hosts {
		all[h.NIC] = h.IP
	}
	return all
}
