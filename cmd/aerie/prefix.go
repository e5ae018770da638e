package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Several installations may share a machine. What one makes there begins with
// its prefix: "ae" and two characters made of the data folder's path, decided
// once and kept in the folder, so that a folder that moves keeps its routers.
// A copy of a folder that runs beside the original must lose the file.

const (
	prefixFile = "prefix"
	spaceDir   = "/run/netns"
)

var wellFormed = regexp.MustCompile(`^ae[a-z0-9]{2}$`)

// prefix begins the names of this installation's namespaces and links.
func (n *node) prefix() (string, error) {
	file := n.path(prefixFile)
	text, err := os.ReadFile(file)
	if p := strings.TrimSpace(string(text)); err == nil && wellFormed.MatchString(p) {
		return p, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	dir, err := filepath.Abs(n.Data)
	if err != nil {
		return "", err
	}
	for i := range 100 {
		if p := hashed(dir, i); !inUse(p) {
			return p, os.WriteFile(file, []byte(p+"\n"), 0o644)
		}
	}
	return "", errors.New("every prefix for names on this machine is in use: remove what old installations left")
}

func hashed(dir string, try int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", dir, try))
	return "ae" + string(digits[int(sum[0])%len(digits)]) + string(digits[int(sum[1])%len(digits)])
}

// inUse tells whether the machine has a namespace or a link of that prefix.
func inUse(prefix string) bool {
	spaces, _ := filepath.Glob(filepath.Join(spaceDir, prefix+"*"))
	links, err := net.Interfaces()
	for _, l := range links {
		if strings.HasPrefix(l.Name, prefix) {
			return true
		}
	}
	return err != nil || len(spaces) > 0
}

// publicBridge is the bridge that carries the local zone's public traffic.
func publicBridge(prefix string) string { return prefix + "pub" }

// RFC 2544 sets 198.18.0.0/15 aside for tests of networks, so that it meets no
// network that is in use. An installation takes a /22 of it: a thousand public
// addresses, and room for a hundred installations.
var publicSpace = netip.MustParsePrefix("198.18.0.0/15")

const publicBits = 22

// publicNet is a part of the public space that no link of this machine has an
// address in; its first try is the prefix's own.
func publicNet(prefix string) (netip.Prefix, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Prefix{}, err
	}
	var taken []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			taken = append(taken, p)
		}
	}
	sum := sha256.Sum256([]byte(prefix))
	const parts = 1 << (publicBits - 15)
	for i := range parts {
		p := part((int(sum[0]) + i) % parts)
		if !overlapsAny(p, taken) {
			return p, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("no /%d of %s is free on this machine", publicBits, publicSpace)
}

func part(i int) netip.Prefix {
	a := publicSpace.Addr().As4()
	n := (uint32(a[0])<<24 | uint32(a[1])<<16) + uint32(i)<<(32-publicBits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), publicBits)
}

func overlapsAny(p netip.Prefix, others []netip.Prefix) bool {
	for _, o := range others {
		if p.Overlaps(o) {
			return true
		}
	}
	return false
}
