package drivertest

import (
	"net/netip"
	"slices"
	"testing"

	"aerie/drivers"
)

func (s *suite) bridges(t *testing.T, host drivers.Switch) {
	t.Run("apply, list, remove", func(t *testing.T) { s.bridge(t, host) })
	t.Run("hostile requests are invalid", func(t *testing.T) { s.hostileBridges(t, host) })
	t.Run("an ended context ends calls", func(t *testing.T) {
		name := drivers.BridgeName(newID())
		cancelled(t, s, host.ApplyBridge, drivers.BridgeSpec{Name: name})
		cancelled(t, s, host.RemoveBridge, drivers.BridgeRef{Name: name})
		cancelled(t, s, host.ListBridges, drivers.ListBridges{})
		if s.hasBridge(t, host, name) {
			t.Error("a cancelled call has made a bridge")
		}
	})
}

func (s *suite) hasBridge(t *testing.T, host drivers.Switch, name string) bool {
	t.Helper()
	return slices.Contains(do(t, s, host.ListBridges, drivers.ListBridges{}).Names, name)
}

func (s *suite) bridge(t *testing.T, host drivers.Switch) {
	spec := drivers.BridgeSpec{Name: drivers.BridgeName(newID())}
	ref := drivers.BridgeRef{Name: spec.Name}
	t.Cleanup(func() { do(t, s, host.RemoveBridge, ref) })
	for _, change := range []func(){
		func() {},
		func() {},
		func() { spec.MTU = 1400 },
		func() { spec.Address = netip.MustParsePrefix("198.51.100.1/28") },
		func() { spec.Masquerade = true },
		func() { spec = drivers.BridgeSpec{Name: spec.Name} },
	} {
		change()
		do(t, s, host.ApplyBridge, spec)
		if !s.hasBridge(t, host, spec.Name) {
			t.Errorf("applied, but not listed: %+v", spec)
		}
	}
	for range 2 {
		do(t, s, host.RemoveBridge, ref)
		if s.hasBridge(t, host, spec.Name) {
			t.Error("removed, but listed")
		}
	}
}

func (s *suite) hostileBridges(t *testing.T, host drivers.Switch) {
	for _, name := range noBridges {
		refuse(t, s, drivers.Invalid, host.ApplyBridge, drivers.BridgeSpec{Name: name})
		refuse(t, s, drivers.Invalid, host.RemoveBridge, drivers.BridgeRef{Name: name})
	}
	name := drivers.BridgeName(newID())
	for _, mtu := range []int{-1, 1, 1 << 20} {
		refuse(t, s, drivers.Invalid, host.ApplyBridge, drivers.BridgeSpec{Name: name, MTU: mtu})
	}
	if s.hasBridge(t, host, name) {
		t.Error("an invalid bridge is there")
	}
}
