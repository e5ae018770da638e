package sim

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strings"
	"unicode/utf8"

	"aerie/drivers"
)

// metadataAddr is where guests look for their metadata.
var metadataAddr = netip.AddrFrom4([4]byte{169, 254, 169, 254})

// checkRouter refuses a spec that the real router could not have.
func checkRouter(s drivers.RouterSpec) error {
	op := "apply router " + s.ID
	if err := checkID(op, s.ID); err != nil {
		return err
	}
	if err := checkGuest(s.Guest); err != nil {
		return invalid(op, "guest network: %w", err)
	}
	if s.Public != nil {
		if err := checkPublic(*s.Public, s.Guest); err != nil {
			return invalid(op, "public network: %w", err)
		}
	}
	taken := map[string]bool{}
	for _, host := range s.Hosts {
		if err := checkHost(host, s.Guest.Gateway); err != nil {
			return invalid(op, "host %q: %w", host.Name, err)
		}
		for _, key := range []string{host.NIC, host.MAC, host.IP.String()} {
			if taken[key] {
				return invalid(op, "host %q: %s is there twice", host.Name, key)
			}
			taken[key] = true
		}
	}
	return nil
}

func checkGuest(g drivers.RouterGuest) error {
	switch {
	case !isInterface(g.Bridge):
		return fmt.Errorf("bridge %q", g.Bridge)
	case !isSeat(g.Gateway):
		return fmt.Errorf("gateway %v", g.Gateway)
	case !isMTU(g.MTU):
		return fmt.Errorf("MTU %d", g.MTU)
	case g.Domain != "" && !isDomain(g.Domain):
		return fmt.Errorf("domain %q", g.Domain)
	}
	for _, a := range g.Upstream {
		if !a.Is4() || !a.IsGlobalUnicast() || a == g.Gateway.Addr() {
			return fmt.Errorf("resolver %v", a)
		}
	}
	return nil
}

func checkPublic(p drivers.RouterPublic, g drivers.RouterGuest) error {
	switch {
	case !isInterface(p.Bridge) || p.Bridge == g.Bridge:
		return fmt.Errorf("bridge %q", p.Bridge)
	case !isMAC(p.MAC):
		return fmt.Errorf("MAC %q", p.MAC)
	case !isSeat(p.Address) || p.Address.Overlaps(g.Gateway):
		return fmt.Errorf("address %v", p.Address)
	case p.Gateway.IsValid() && (!isHost(p.Address, p.Gateway) || p.Gateway == p.Address.Addr()):
		return fmt.Errorf("gateway %v of %v", p.Gateway, p.Address)
	}
	return nil
}

func checkHost(h drivers.RouterHost, gateway netip.Prefix) error {
	switch {
	case !isUUID(h.NIC):
		return fmt.Errorf("NIC %q", h.NIC)
	case !isMAC(h.MAC):
		return fmt.Errorf("MAC %q", h.MAC)
	case !isHost(gateway, h.IP) || h.IP == gateway.Addr():
		return fmt.Errorf("address %v is no guest's in %v", h.IP, gateway)
	case h.Name != "" && !isLabel(h.Name) || strings.EqualFold(h.Name, "data-server"):
		return fmt.Errorf("name %q", h.Name)
	case !isSecret(h.Password) || !isSecret(h.PasswordID):
		return errors.New("the password has control characters or is too long")
	}
	return checkMetadata(h.Metadata)
}

func isSecret(s string) bool { return len(s) <= 255 && isText(s) }

// checkMetadata wants clean paths that do not lead through another's content.
func checkMetadata(all map[string]string) error {
	for key, content := range all {
		if key == "" || !isSecret(key) || path.Clean("/"+key) != "/"+key || !utf8.ValidString(content) {
			return fmt.Errorf("metadata %q", key)
		}
		for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
			if _, content := all[dir]; content {
				return fmt.Errorf("metadata %q is below content", key)
			}
		}
	}
	return nil
}

// isSeat accepts an IPv4 address that a machine may have in its network.
func isSeat(p netip.Prefix) bool {
	return p.IsValid() && p.Addr().Is4() && p.Bits() >= 8 && p.Bits() <= 30 &&
		p.Addr().IsGlobalUnicast() && !p.Contains(metadataAddr) && isHost(p, p.Addr())
}

// isHost says that an IPv4 address is in the network and neither the network's
// own nor its broadcast address.
func isHost(network netip.Prefix, a netip.Addr) bool {
	return a.Is4() && network.Contains(a) && a != network.Masked().Addr() && a != broadcast(network)
}

func broadcast(network netip.Prefix) netip.Addr {
	b := network.Addr().As4()
	for i := network.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}
