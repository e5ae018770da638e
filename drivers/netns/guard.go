package netns

import (
	"context"
	"fmt"

	"aerie/drivers"
)

// secludedGroup is the link group of bridges on which the host has no address.
// The host drops what comes from them for itself: a guest could else reach the
// host's services by the bridge's own MAC address.
const secludedGroup = 4450

func (d *Driver) guardTable() string { return "aerie_guard_" + d.prefix }

func guard(table string) string {
	return fmt.Sprintf(`add table inet %[1]s
delete table inet %[1]s
table inet %[1]s {
	chain input {
		type filter hook input priority filter; policy accept;
		iifgroup %[2]d drop
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifgroup %[2]d oifgroup != %[2]d drop
		oifgroup %[2]d iifgroup != %[2]d drop
	}
}
`, table, secludedGroup)
}

// ensureGuard loads the guard's rules unless they are there.
func (d *Driver) ensureGuard(ctx context.Context) error {
	release, err := d.locks.hold(ctx, "guard")
	if err != nil {
		return err
	}
	defer release()
	if has, err := d.host.hasTable(d.guardTable()); err != nil || has {
		return err
	}
	_, err = d.load(ctx, d.host, guard(d.guardTable()))
	return err
}

// dropGuard removes the guard with the last bridge.
func (d *Driver) dropGuard(ctx context.Context) error {
	release, err := d.locks.hold(ctx, "guard")
	if err != nil {
		return err
	}
	defer release()
	if left, err := d.bridges(ctx); err != nil || len(left) > 0 {
		return err
	}
	return d.dropTable(ctx, d.host, d.guardTable())
}

// masqueradeTable is the table of one bridge. The prefix "aerie_" keeps the
// bridge's name from being a word of nft's own.
func masqueradeTable(bridge string) string { return "aerie_" + bridge }

// masquerade lets what is behind a bridge out through the host.
func masquerade(s drivers.BridgeSpec) string {
	return fmt.Sprintf(`add table inet %[1]s
delete table inet %[1]s
table inet %[1]s {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname != %[2]q ip saddr %[3]s masquerade
	}
}
`, masqueradeTable(s.Name), s.Name, s.Address.Masked())
}
