package drivers

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// DataServer is the name that cloud-init's CloudStack source looks up; the
// router itself has it.
const DataServer = "data-server"

// MetadataAddr is where guests of most clouds look for their metadata.
var MetadataAddr = netip.AddrFrom4([4]byte{169, 254, 169, 254})

var formLabel = regexp.MustCompile(`\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\z`)

// Check refuses a router that no host can have.
func (s RouterSpec) Check() error { return invalid("apply router", s.ID, s.check()) }

func (s RouterSpec) check() error {
	switch {
	case !IsUUID(s.ID):
		return errors.New("the ID is no UUID in lower case")
	case s.Generation < 0:
		return fmt.Errorf("generation %d", s.Generation)
	}
	if err := s.Guest.check(); err != nil {
		return fmt.Errorf("guest network: %w", err)
	}
	if s.Public != nil {
		if err := s.Public.check(s.Guest); err != nil {
			return fmt.Errorf("public network: %w", err)
		}
	}
	seen := once{}
	for _, h := range s.Hosts {
		if err := errors.Join(h.check(s.Guest.Gateway), seen.add(h.NIC, h.MAC, h.IP.String())); err != nil {
			return fmt.Errorf("host %q: %w", h.Name, err)
		}
	}
	return nil
}

// Check refuses what names no router.
func (r RouterRef) Check() error {
	if r.Generation < 0 {
		return Errorf(Invalid, "remove router", "generation %d", r.Generation)
	}
	return CheckID("remove router", r.ID)
}

func (g RouterGuest) check() error {
	if !IsLink(g.Bridge) {
		return fmt.Errorf("%q is no name of a bridge", g.Bridge)
	}
	if err := errors.Join(checkSeat(g.Gateway), checkMTU(g.MTU), checkDomain(g.Domain)); err != nil {
		return err
	}
	for _, a := range g.Upstream {
		if !a.Is4() || !a.IsGlobalUnicast() || a == g.Gateway.Addr() {
			return fmt.Errorf("resolver %q is no IPv4 address of another host", a)
		}
	}
	return nil
}

func checkDomain(domain string) error {
	if domain == "" {
		return nil
	}
	if len(domain) > 180 { // leaves room for a host name
		return errors.New("the domain is too long")
	}
	for label := range strings.SplitSeq(domain, ".") {
		if !formLabel.MatchString(label) {
			return fmt.Errorf("%q is no domain", domain)
		}
	}
	return nil
}

func (p RouterPublic) check(g RouterGuest) error {
	if err := checkSeat(p.Address); err != nil {
		return err
	}
	switch {
	case !IsLink(p.Bridge):
		return fmt.Errorf("%q is no name of a bridge", p.Bridge)
	case !IsMAC(p.MAC):
		return fmt.Errorf("%q is not the MAC address of one card, in lower case with colons", p.MAC)
	case p.Bridge == g.Bridge:
		return fmt.Errorf("%s is the guests' bridge", p.Bridge)
	case p.Address.Overlaps(g.Gateway):
		return fmt.Errorf("%s overlaps the guests' %s", p.Address, g.Gateway)
	case p.Gateway.IsValid() && (!isHost(p.Address, p.Gateway) || p.Gateway == p.Address.Addr()):
		return fmt.Errorf("gateway %s is not a neighbour of %s", p.Gateway, p.Address)
	}
	return nil
}

func (h RouterHost) check(gateway netip.Prefix) error {
	switch {
	case !IsUUID(h.NIC):
		return fmt.Errorf("NIC %q is no UUID in lower case", h.NIC)
	case !IsMAC(h.MAC):
		return fmt.Errorf("%q is not the MAC address of one card, in lower case with colons", h.MAC)
	case !isHost(gateway, h.IP) || h.IP == gateway.Addr():
		return fmt.Errorf("%s is no address of a guest in %s", h.IP, gateway.Masked())
	case h.Name != "" && !formLabel.MatchString(h.Name):
		return errors.New("the name is no DNS label")
	case strings.EqualFold(h.Name, DataServer):
		return errors.New("the name is the router's own")
	case !IsLine(h.Password):
		return errors.New("the password has control characters or is too long")
	case !IsLine(h.PasswordID):
		return errors.New("the password's ID has control characters or is too long")
	}
	return checkMetadata(h.Metadata)
}

// IsLine accepts what fits on one line of a file.
func IsLine(s string) bool { return len(s) <= 255 && isText(s) }

// checkMetadata wants clean paths that do not lead through another's content.
func checkMetadata(all map[string]string) error {
	for key, content := range all {
		if !utf8.ValidString(content) {
			return fmt.Errorf("metadata %q is no text", key)
		}
		if key == "" || path.Clean("/"+key) != "/"+key || !IsLine(key) {
			return fmt.Errorf("metadata %q is no path", key)
		}
		for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
			if _, leaf := all[dir]; leaf {
				return fmt.Errorf("metadata %q is below content", key)
			}
		}
	}
	return nil
}

// checkSeat wants an IPv4 address that a machine may have in its network.
func checkSeat(p netip.Prefix) error {
	switch {
	case !p.IsValid() || !p.Addr().Is4():
		return fmt.Errorf("%q is no IPv4 address with its network's length", p)
	case p.Bits() < 8 || p.Bits() > 30:
		return fmt.Errorf("%s: networks have a length of 8 to 30", p)
	case !p.Addr().IsGlobalUnicast() || p.Contains(MetadataAddr):
		return fmt.Errorf("%s is no address for a network", p)
	case !isHost(p, p.Addr()):
		return fmt.Errorf("%s is the network's own or broadcast address", p)
	}
	return nil
}

// isHost says that an IPv4 address is in the network and neither the network's
// own nor its broadcast address.
func isHost(network netip.Prefix, a netip.Addr) bool {
	return a.Is4() && network.Contains(a) && a != network.Masked().Addr() && a != broadcast(network)
}

func broadcast(network netip.Prefix) netip.Addr {
	b := network.Addr().As4()
	for bit := network.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}
