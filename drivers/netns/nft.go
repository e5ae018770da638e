package netns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// load replaces tables in the namespace, all or nothing, and returns the
// generation of the namespace's rules.
func (d *Driver) load(ctx context.Context, ns space, text string) (generation uint32, err error) {
	if err := ns.run(ctx, text, d.tools.nft, "-f", "-"); err != nil {
		return 0, err
	}
	return ns.generation()
}

// generation counts the changes of the namespace's rules, whoever made them:
// as long as it is the same, the rules are what was loaded.
func (s space) generation() (n uint32, err error) {
	err = s.do(func() error {
		answers, err := askNFT(unix.NFT_MSG_GETGEN, unix.NFPROTO_UNSPEC)
		if err != nil {
			return fmt.Errorf("nftables generation: %w", err)
		}
		for _, a := range answers {
			attrs, err := nl.ParseRouteAttr(a[nl.SizeofNfgenmsg:])
			if err != nil {
				return err
			}
			for _, attr := range attrs {
				if attr.Attr.Type&nl.NLA_TYPE_MASK == unix.NFTA_GEN_ID && len(attr.Value) >= 4 {
					n = binary.BigEndian.Uint32(attr.Value)
				}
			}
		}
		return nil
	})
	return n, err
}

// hasTable tells whether the namespace has this table of the family inet.
func (s space) hasTable(name string) (has bool, err error) {
	err = s.do(func() error {
		_, err := askNFT(unix.NFT_MSG_GETTABLE, unix.NFPROTO_INET,
			nl.NewRtAttr(unix.NFTA_TABLE_NAME, nl.ZeroTerminated(name)))
		if errors.Is(err, syscall.ENOENT) {
			return nil
		}
		has = err == nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("nftables table %s: %w", name, err)
	}
	return has, nil
}

// askNFT asks the kernel in the thread's own namespace.
func askNFT(message int, family uint8, attrs ...*nl.RtAttr) ([][]byte, error) {
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|message, 0)
	req.AddData(&nl.Nfgenmsg{NfgenFamily: family})
	for _, a := range attrs {
		req.AddData(a)
	}
	return req.Execute(unix.NETLINK_NETFILTER, 0)
}

// dropTable removes a table of the family inet if it is there.
func (d *Driver) dropTable(ctx context.Context, ns space, name string) error {
	if has, err := ns.hasTable(name); err != nil || !has {
		return err
	}
	return ns.run(ctx, fmt.Sprintf("add table inet %[1]s\ndelete table inet %[1]s\n", name), d.tools.nft, "-f", "-")
}
