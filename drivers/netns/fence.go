package netns

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aerie/drivers"
)

// inner are networks that are not on the internet: the host's own, its
// provider's, those of other installations beside it, and what is no host.
const inner = "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, " +
	"192.0.0.0/24, 192.168.0.0/16, 198.18.0.0/15, 224.0.0.0/4, 240.0.0.0/4"

func fenceTable(bridge string) string { return "aerie_fence_" + bridge }

// fence keeps guests, who come by their routers, off the host and the networks
// that it is in. Only the bridge's own address answers an echo, which tells a
// router that its gateway lives. Bridges have no IPv6, so that nothing is lost
// with it.
func fence(s drivers.BridgeSpec) string {
	lines := []string{fmt.Sprintf("iifname != %q accept", s.Name), established[0]}
	for _, a := range s.Resolvers {
		lines = append(lines, fmt.Sprintf("ip daddr %s meta l4proto { tcp, udp } th dport 53 accept", a))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "add table inet %[1]s\ndelete table inet %[1]s\ntable inet %[1]s {\n", fenceTable(s.Name))
	chain(&b, "input", "type filter hook input priority filter; policy accept;", append(slices.Clip(lines),
		fmt.Sprintf("ip daddr %s icmp type echo-request accept", s.Address.Addr()), "drop"))
	chain(&b, "forward", "type filter hook forward priority filter; policy accept;", append(slices.Clip(lines),
		fmt.Sprintf("oifname %q accept", s.Name), // where the host filters bridged frames, too
		fmt.Sprintf("ip daddr { %s } drop", inner), "meta nfproto ipv6 drop"))
	b.WriteString("}\n")
	return b.String()
}

// ensureFence loads the fence of a bridge, all or nothing: between an old one
// and a new one there is no gap.
func (d *Driver) ensureFence(ctx context.Context, s drivers.BridgeSpec) error {
	_, err := d.load(ctx, d.host, fence(s))
	return err
}

func (d *Driver) dropFence(ctx context.Context, bridge string) error {
	return d.dropTable(ctx, d.host, fenceTable(bridge))
}
