package compute

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/infra"
	"aerie/services/network"
	"aerie/services/store"
)

// guests tells a network's router whom it serves, with their metadata: three
// queries however many there are.
func (s *Service) guests(ctx context.Context, networkID string) ([]drivers.RouterHost, error) {
	nics, err := gorm.G[network.NIC](s.db.In(ctx)).Where("network_id = ?", networkID).Order("id").Find(ctx)
	if err != nil || len(nics) == 0 {
		return nil, err
	}
	ids := make([]string, len(nics))
	for i, nic := range nics {
		ids[i] = nic.VMID
	}
	// These columns alone: there are many rows, and this is read for every start.
	vms, err := gorm.G[VM](s.db.In(ctx)).Where("id IN ?", ids).
		Select("id", "name", "instance_name", "zone_id", "offering_id", "password", "password_id", "user_data", "public_keys").Find(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[string]*VM{}
	for i := range vms {
		byID[vms[i].ID] = &vms[i]
	}
	more, err := s.metadataOf(ctx, vms)
	if err != nil {
		return nil, err
	}
	var out []drivers.RouterHost
	for _, nic := range nics {
		vm := byID[nic.VMID]
		if vm == nil || nic.IP == "" {
			continue
		}
		h, err := s.guest(nic, vm, more)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// names are what metadata tells besides the instance's own row.
type names struct{ offerings, zones map[string]string }

func (s *Service) metadataOf(ctx context.Context, vms []VM) (n names, err error) {
	var offerings, zones []string
	for _, vm := range vms {
		offerings, zones = append(offerings, vm.OfferingID), append(zones, vm.ZoneID)
	}
	if n.offerings, err = store.Names[Offering](ctx, s.db, offerings); err != nil {
		return n, err
	}
	n.zones, err = store.Names[infra.Zone](ctx, s.db, zones)
	return n, err
}

func (s *Service) guest(nic network.NIC, vm *VM, more names) (drivers.RouterHost, error) {
	ip, err := netip.ParseAddr(nic.IP)
	if err != nil {
		return drivers.RouterHost{}, fmt.Errorf("nic %s: %w", nic.ID, err)
	}
	password, err := s.db.Reveal(vm.Password)
	if err != nil {
		return drivers.RouterHost{}, fmt.Errorf("password of %s: %w", vm.InstanceName, err)
	}
	data, err := base64.StdEncoding.DecodeString(vm.UserData)
	if err != nil {
		return drivers.RouterHost{}, fmt.Errorf("user data of %s: %w", vm.InstanceName, err)
	}
	return drivers.RouterHost{NIC: nic.ID, MAC: nic.MAC, IP: ip, Name: vm.Name, Default: nic.IsDefault,
		UserData: data, Password: password, PasswordID: vm.PasswordID,
		Metadata: map[string]string{
			"instance-id": vm.ID, "vm-id": vm.ID, "local-hostname": vm.Name, "public-hostname": vm.Name,
			"local-ipv4": nic.IP, "availability-zone": more.zones[vm.ZoneID], "service-offering": more.offerings[vm.OfferingID],
			"public-keys": strings.TrimSpace(vm.PublicKeys), "mac": nic.MAC,
		}}, nil
}
