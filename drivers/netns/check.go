package netns

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"aerie/drivers"
)

var (
	goodID     = regexp.MustCompile(`\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z`)
	goodLink   = regexp.MustCompile(`\A[A-Za-z][A-Za-z0-9_.-]{0,14}\z`)
	goodLabel  = regexp.MustCompile(`\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\z`)
	goodMAC    = regexp.MustCompile(`\A[0-9a-f]{2}(:[0-9a-f]{2}){5}\z`)
	goodSecret = regexp.MustCompile(`\A[^\x00-\x1f\x7f]{0,255}\z`)
	// plainPath is what dnsmasq.conf takes without quoting.
	plainPath = regexp.MustCompile(`\A/[A-Za-z0-9_./+@:~-]{0,200}\z`)
)

const (
	minMTU, maxMTU = 576, 65535
	defaultMTU     = 1500
	// dataServer is the name that cloud-init's CloudStack source looks up.
	dataServer = "data-server"
)

// metadataAddr is where guests of most clouds look for their metadata.
var metadataAddr = netip.AddrFrom4([4]byte{169, 254, 169, 254})

func checkID(id string) error {
	if !goodID.MatchString(id) {
		return fmt.Errorf("ID %q is no UUID in lower case", id)
	}
	return nil
}

func checkBridge(name string) error {
	if !goodLink.MatchString(name) {
		return fmt.Errorf("%q is no name for a bridge", name)
	}
	return nil
}

func checkMTU(mtu int) error {
	if mtu != 0 && (mtu < minMTU || mtu > maxMTU) {
		return fmt.Errorf("MTU %d is not between %d and %d", mtu, minMTU, maxMTU)
	}
	return nil
}

// checkMAC wants the address of one card, in lower case with colons.
func checkMAC(mac string) error {
	if !goodMAC.MatchString(mac) {
		return fmt.Errorf("%q is no MAC address in lower case", mac)
	}
	if hw, err := net.ParseMAC(mac); err != nil || hw[0]&1 != 0 || mac == "00:00:00:00:00:00" {
		return fmt.Errorf("%s is not the address of one card", mac)
	}
	return nil
}

// checkSeat wants an address that a machine in its network may have.
func checkSeat(p netip.Prefix) error {
	switch {
	case !p.IsValid() || !p.Addr().Is4():
		return fmt.Errorf("%q is no IPv4 address with its network's length", p)
	case p.Bits() < 8 || p.Bits() > 30:
		return fmt.Errorf("%s: networks have a length of 8 to 30", p)
	case !p.Addr().IsGlobalUnicast() || p.Contains(metadataAddr):
		return fmt.Errorf("%s is no address for a network", p)
	case p.Addr() == p.Masked().Addr() || p.Addr() == broadcast(p):
		return fmt.Errorf("%s is the network's own or broadcast address", p)
	}
	return nil
}

// broadcast is the last address of an IPv4 network.
func broadcast(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}

func checkRouter(s drivers.RouterSpec) error {
	if err := checkID(s.ID); err != nil {
		return err
	}
	if err := checkGuest(s.Guest); err != nil {
		return fmt.Errorf("guest network: %w", err)
	}
	if s.Public != nil {
		if err := checkPublic(*s.Public, s.Guest); err != nil {
			return fmt.Errorf("public network: %w", err)
		}
	}
	return checkHosts(s)
}

func checkGuest(g drivers.RouterGuest) error {
	if err := checkBridge(g.Bridge); err != nil {
		return err
	}
	if err := checkSeat(g.Gateway); err != nil {
		return err
	}
	if err := checkMTU(g.MTU); err != nil {
		return err
	}
	if err := checkDomain(g.Domain); err != nil {
		return err
	}
	for _, a := range g.Upstream {
		if !a.Is4() || !a.IsGlobalUnicast() || a == g.Gateway.Addr() {
			return fmt.Errorf("resolver %q is no IPv4 address of a host", a)
		}
	}
	return nil
}

func checkDomain(domain string) error {
	if domain == "" {
		return nil
	}
	if len(domain) > 180 { // leaves room for a host name
		return fmt.Errorf("domain is too long")
	}
	for label := range strings.SplitSeq(domain, ".") {
		if !goodLabel.MatchString(label) {
			return fmt.Errorf("%q is no domain", domain)
		}
	}
	return nil
}

func checkPublic(p drivers.RouterPublic, g drivers.RouterGuest) error {
	if err := checkBridge(p.Bridge); err != nil {
		return err
	}
	if err := checkMAC(p.MAC); err != nil {
		return err
	}
	if err := checkSeat(p.Address); err != nil {
		return err
	}
	switch gw := p.Gateway; {
	case p.Bridge == g.Bridge:
		return fmt.Errorf("%s is the guests' bridge", p.Bridge)
	case p.Address.Overlaps(g.Gateway):
		return fmt.Errorf("%s overlaps the guests' %s", p.Address, g.Gateway)
	case !gw.IsValid():
		return nil // nothing beyond the public network
	case !p.Address.Contains(gw) || gw == p.Address.Addr():
		return fmt.Errorf("gateway %s is not a neighbour of %s", gw, p.Address)
	default:
		return checkSeat(netip.PrefixFrom(gw, p.Address.Bits()))
	}
}

func checkHosts(s drivers.RouterSpec) error {
	seen := map[string]bool{}
	for _, h := range s.Hosts {
		if err := checkHost(h, s.Guest.Gateway); err != nil {
			return fmt.Errorf("host %q: %w", h.Name, err)
		}
		for _, key := range []string{"NIC " + h.NIC, "MAC " + h.MAC, "address " + h.IP.String()} {
			if seen[key] {
				return fmt.Errorf("%s is there twice", key)
			}
			seen[key] = true
		}
	}
	return nil
}

func checkHost(h drivers.RouterHost, gateway netip.Prefix) error {
	if err := checkID(h.NIC); err != nil {
		return fmt.Errorf("NIC: %w", err)
	}
	if err := checkMAC(h.MAC); err != nil {
		return err
	}
	switch {
	case !h.IP.Is4() || !gateway.Contains(h.IP) || h.IP == gateway.Addr():
		return fmt.Errorf("%s is no address of a guest in %s", h.IP, gateway.Masked())
	case h.Name != "" && !goodLabel.MatchString(h.Name):
		return fmt.Errorf("the name is no DNS label")
	case strings.EqualFold(h.Name, dataServer):
		return fmt.Errorf("the name is the router's own")
	case !goodSecret.MatchString(h.Password) || !utf8.ValidString(h.Password):
		return fmt.Errorf("the password has control characters or is too long")
	case !goodSecret.MatchString(h.PasswordID):
		return fmt.Errorf("the password's ID has control characters or is too long")
	}
	if err := checkSeat(netip.PrefixFrom(h.IP, gateway.Bits())); err != nil {
		return err
	}
	return checkMetadata(h.Metadata)
}

// checkMetadata wants clean paths that do not lead through another's content.
func checkMetadata(m map[string]string) error {
	for key, content := range m {
		if !utf8.ValidString(content) {
			return fmt.Errorf("metadata %q is no text", key)
		}
		clean := path.Clean("/"+key) == "/"+key && key != ""
		if !clean || !goodSecret.MatchString(key) || !utf8.ValidString(key) {
			return fmt.Errorf("metadata %q is no path", key)
		}
		for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
			if _, leaf := m[dir]; leaf {
				return fmt.Errorf("metadata %q is below content", key)
			}
		}
	}
	return nil
}
