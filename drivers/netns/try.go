package netns

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// Try tells whether the kernel has what routers are made of: it makes a
// namespace with a bridge, a pair of links and a packet filter, which all end
// with the thread that made them.
func Try() error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here, and the namespace with it
		done <- tryHere()
	}()
	return <-done
}

func tryHere() error {
	ns, err := netns.New()
	if err != nil {
		return fmt.Errorf("network namespaces: %w", err)
	}
	defer ns.Close()
	h, err := netlink.NewHandle()
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer h.Close()
	return errors.Join(
		wrapTry("bridges", h.LinkAdd(&netlink.Bridge{LinkAttrs: named("try0")})),
		wrapTry("veth pairs", h.LinkAdd(&netlink.Veth{LinkAttrs: named("try1"), PeerName: "try2"})),
		tryFilter(),
	)
}

func named(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	return a
}

func tryFilter() error {
	nft, err := findTool("nft")
	if err != nil {
		return nil // another check tells of it
	}
	// A child is in the namespace of the thread that starts it.
	text, err := exec.Command(nft, "add table inet try; add chain inet try nat { type nat hook postrouting priority 100; }").CombinedOutput()
	if err != nil {
		return fmt.Errorf("packet filter: %w: %s", err, text)
	}
	return nil
}

func wrapTry(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
