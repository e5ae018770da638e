package netns

import (
	"fmt"
	"strings"

	"aerie/drivers"
)

// rules is the whole packet filter of a router, to be loaded at once. What is
// not allowed here is dropped. Names and numbers in it have been checked.
func rules(s drivers.RouterSpec) string {
	var b strings.Builder
	b.WriteString("add table inet aerie\ndelete table inet aerie\ntable inet aerie {\n")
	chain(&b, "input", "type filter hook input priority filter; policy drop;", input(s.Guest))
	chain(&b, "forward", "type filter hook forward priority filter; policy drop;", forward(s))
	if s.Public != nil && s.Public.SourceNAT {
		chain(&b, "postrouting", "type nat hook postrouting priority srcnat; policy accept;", []string{
			fmt.Sprintf("oifname %q ip saddr %s snat ip to %s", publicLink, s.Guest.Gateway.Masked(), s.Public.Address.Addr()),
		})
	}
	b.WriteString("}\n")
	return b.String()
}

func chain(b *strings.Builder, name, head string, lines []string) {
	fmt.Fprintf(b, "\tchain %s {\n\t\t%s\n", name, head)
	for _, line := range lines {
		fmt.Fprintf(b, "\t\t%s\n", line)
	}
	b.WriteString("\t}\n")
}

var established = []string{"ct state established,related accept", "ct state invalid drop"}

// input lets guests reach the router's services and nobody else anything. An
// echo tells a guest that its gateway lives.
func input(g drivers.RouterGuest) []string {
	from := fmt.Sprintf("iifname %q", guestLink)
	guest := fmt.Sprintf("%s ip saddr %s ip daddr { %s, %s }", from, g.Gateway.Masked(), g.Gateway.Addr(), drivers.MetadataAddr)
	lines := append([]string{`iifname "lo" accept`}, established...)
	if !g.NoDHCP {
		lines = append(lines, from+" udp sport 68 udp dport 67 accept") // a guest without an address has none to match
	}
	if !g.NoDNS {
		lines = append(lines, guest+" udp dport 53 accept", guest+" tcp dport 53 accept")
	}
	if !g.NoData {
		lines = append(lines, fmt.Sprintf("%s tcp dport { %d, %d } accept", guest, dataPort, passwordPort))
	}
	return append(lines, guest+" icmp type echo-request accept")
}

// forward lets guests out and nothing in.
func forward(s drivers.RouterSpec) []string {
	lines := established
	if s.Public != nil && s.Guest.EgressAll {
		lines = append(lines[:len(lines):len(lines)], fmt.Sprintf("iifname %q oifname %q ip saddr %s accept",
			guestLink, publicLink, s.Guest.Gateway.Masked()))
	}
	return lines
}
