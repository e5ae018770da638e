package compute

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"aerie/drivers"
	"aerie/services/network"
	"aerie/services/store"
)

// served is a card of a network with what its router tells the guest.
type served struct {
	ID, MAC, IP          string
	IsDefault            bool
	VMID                 string `gorm:"column:vm_id"`
	Name, InstanceName   string
	Password             store.Secret
	PasswordID           string
	UserData, PublicKeys string
	UserDataParams       *string

	OfferingName, ZoneName string
}

// guests tells a network's router whom it serves, with their metadata: one
// query of these columns alone, for this is read at every start.
func (s *Service) guests(ctx context.Context, networkID string) ([]drivers.RouterHost, error) {
	var cards []served
	err := s.db.In(ctx).Model(&network.NIC{}).Where("nics.network_id = ? AND nics.ip <> ''", networkID).
		Joins("JOIN vms ON vms.id = nics.vm_id AND vms.removed_at IS NULL").
		Joins("LEFT JOIN service_offerings ON service_offerings.id = vms.offering_id").
		Joins("LEFT JOIN zones ON zones.id = vms.zone_id").
		Select("nics.id", "nics.mac", "nics.ip", "nics.is_default", "vms.id AS vm_id", "vms.name", "vms.instance_name", "vms.password",
			"vms.password_id", "vms.user_data", "vms.public_keys", "vms.user_data_params", "service_offerings.name AS offering_name", "zones.name AS zone_name").
		Order("nics.id").Find(&cards).Error
	if err != nil {
		return nil, err
	}
	var out []drivers.RouterHost
	for i := range cards {
		h, err := s.guest(&cards[i])
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func (s *Service) guest(c *served) (drivers.RouterHost, error) {
	ip, err := netip.ParseAddr(c.IP)
	if err != nil {
		return drivers.RouterHost{}, fmt.Errorf("nic %s: %w", c.ID, err)
	}
	password, err := s.db.Reveal(c.Password)
	if err != nil {
		return drivers.RouterHost{}, fmt.Errorf("password of %s: %w", c.InstanceName, err)
	}
	data, err := base64.StdEncoding.DecodeString(c.UserData)
	if err != nil {
		return drivers.RouterHost{}, fmt.Errorf("user data of %s: %w", c.InstanceName, err)
	}
	meta, err := c.values()
	if err != nil {
		return drivers.RouterHost{}, fmt.Errorf("user data of %s: %w", c.InstanceName, err)
	}
	for name, value := range map[string]string{
		"instance-id": c.VMID, "vm-id": c.VMID, "local-hostname": c.Name, "public-hostname": c.Name,
		"local-ipv4": c.IP, "availability-zone": c.ZoneName, "service-offering": c.OfferingName,
		"public-keys": strings.TrimSpace(c.PublicKeys), "mac": c.MAC,
	} {
		meta[name] = value
	}
	return drivers.RouterHost{
		NIC: c.ID, MAC: c.MAC, IP: ip, Name: c.Name, Default: c.IsDefault,
		UserData: data, Password: password, PasswordID: c.PasswordID,
		Metadata: meta,
	}, nil
}

// values are the values of the user data's variables, which guests find beside
// the rest of their metadata.
func (c *served) values() (map[string]string, error) {
	out := map[string]string{}
	if c.UserDataParams == nil || *c.UserDataParams == "" {
		return out, nil
	}
	return out, json.Unmarshal([]byte(*c.UserDataParams), &out)
}
