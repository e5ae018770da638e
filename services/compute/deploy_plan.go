package compute

import (
	"context"
	"crypto/rand"
	"io"
	"math/big"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

// planSize takes the size from the offering, or from the details of a custom
// one within its bounds.
func (s *Service) planSize(_ context.Context, p *plan) error {
	o := &p.offering
	if o.State != "Active" {
		return fault.Param("serviceofferingid", "error.offering_inactive", "name", o.Name)
	}
	if !o.Customized {
		return nil
	}
	for _, d := range []struct {
		name      string
		into      *int
		low, high int
	}{{"cpuNumber", &o.CPUs, o.MinCPUs, o.MaxCPUs}, {"memory", &o.MemoryMiB, o.MinMemory, o.MaxMemory}, {"cpuSpeed", &o.MHz, minMHz, maxMHz}} {
		if err := readDetail(p.Details, d.name, d.into, d.low, d.high); err != nil {
			return err
		}
	}
	return nil
}

// planRoot finds what the root disk is made of, where it is not the size that
// says it.
func (s *Service) planRoot(ctx context.Context, p *plan) error {
	id, param := p.offering.DiskOfferingID, "serviceofferingid"
	if p.RootDiskID != "" && p.RootDiskID != id {
		if p.offering.DiskOfferingStrict {
			return fault.Param("overridediskofferingid", "error.disk_offering_strict", "name", p.offering.Name)
		}
		id, param = p.RootDiskID, "overridediskofferingid"
	}
	if id == "" {
		return nil
	}
	if param == "serviceofferingid" { // the size has it, whoever else may see it and though it be removed
		var o storage.Offering
		err := s.db.In(store.System(ctx, "the disk offering of a size")).Unscoped().Where("id = ?", id).Take(&o).Error
		p.rootDisk = &o
		return err
	}
	o, err := s.diskOffering(ctx, p, param, id)
	p.rootDisk = &o
	return err
}

// diskOffering finds a disk offering of which disks may be made in the zone.
func (s *Service) diskOffering(ctx context.Context, p *plan, param, id string) (storage.Offering, error) {
	o, err := store.Find[storage.Offering](ctx, s.db, id)
	switch {
	case err != nil:
		return o, named(err, param, id)
	case o.State != "Active":
		return o, fault.Param(param, "error.offering_inactive", "name", o.Name)
	case !infra.In(o.ZoneIDs, p.zone.ID):
		return o, fault.Param(param, "error.offering_zone", "name", o.Name, "zone", p.zone.Name)
	}
	return o, nil
}

// A core's speed that may be asked for, in MHz: it is what a host's capacity is
// counted in.
const (
	minMHz = 100
	maxMHz = 10000
)

// readDetail reads one detail; what the offering fixes already need not be given.
func readDetail(details map[string]string, name string, into *int, low, high int) error {
	text := detail(details, name)
	if text == "" && *into > 0 {
		return nil
	}
	if name == "cpuSpeed" && *into > 0 {
		return fault.Param("details", "error.detail_fixed", "name", name, "value", *into)
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n <= 0 {
		return fault.Param("details", "error.detail_needed", "name", name)
	}
	if low > 0 && n < low || high > 0 && n > high {
		return fault.Param("details", "error.detail_range", "name", name, "value", n, "low", low, "high", high)
	}
	*into = n
	return nil
}

// detail finds a detail without regard to case, as clients write them both ways.
func detail(details map[string]string, name string) string {
	for k, v := range details {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// planNetworks takes the networks that were asked for, or the default one, and
// keeps them from being deleted meanwhile.
func (s *Service) planNetworks(ctx context.Context, p *plan) error {
	ids := p.NetworkIDs
	if len(ids) == 0 {
		for _, a := range p.IPs {
			ids = append(ids, a.NetworkID)
		}
	}
	for _, id := range ids {
		n, err := store.Hold[network.Network](ctx, s.db, id)
		if err != nil {
			return named(err, "networkids", id)
		}
		if n.ZoneID != p.zone.ID {
			return fault.Param("networkids", "error.network_zone", "name", n.Name, "zone", p.zone.Name)
		}
		p.nets = append(p.nets, n)
	}
	if len(p.nets) == 0 {
		return s.defaultNetwork(ctx, p)
	}
	return s.sameOwner(ctx, p)
}

// sameOwner refuses networks of another account than the instance's: an
// administrator sees both, but they must not be joined by accident.
func (s *Service) sameOwner(ctx context.Context, p *plan) error {
	actor, _ := store.From(ctx)
	seen := map[string]bool{}
	for _, n := range p.nets {
		if n.AccountID != actor.Target().AccountID && n.GuestType != "Shared" {
			return fault.Param("networkids", "error.network_owner", "name", n.Name)
		}
		if seen[n.ID] {
			return fault.Param("networkids", "error.network_twice", "name", n.Name)
		}
		seen[n.ID] = true
	}
	return nil
}

// defaultNetwork takes the account's one isolated network, or a new one of the
// offering whose availability is Required.
func (s *Service) defaultNetwork(ctx context.Context, p *plan) error {
	actor, _ := store.From(ctx)
	have, err := gorm.G[network.Network](s.db.In(ctx), store.ToHold).
		Where("account_id = ? AND zone_id = ? AND guest_type = ? AND state <> ?", actor.Target().AccountID, p.zone.ID, "Isolated", network.Destroy).
		Order("id").Limit(2).Find(ctx)
	switch {
	case err != nil:
		return err
	case len(have) > 1:
		return fault.Param("networkids", "error.which_network")
	case len(have) == 1:
		p.nets = have
		return nil
	}
	n, err := s.Net.CreateDefault(ctx, p.zone)
	p.nets = []network.Network{n}
	return err
}

// planPassword gives an instance of a password-enabled template its password.
func (s *Service) planPassword(p *plan) (err error) {
	if !p.vm.PasswordEnabled {
		return nil
	}
	plain := p.Password
	if plain == "" {
		if plain, err = NewPassword(s.db.Rand()); err != nil {
			return err
		}
	}
	p.vm.PasswordID = s.db.NewID()
	p.vm.Password, err = s.db.Seal(plain)
	return err
}

// NewPassword makes a guest's password. It leaves out characters that are
// mistaken for one another or sit elsewhere on other keyboards.
func NewPassword(random io.Reader) (string, error) {
	const letters = "abcdefghjkmnpqrstuvwxABCDEFGHJKLMNPQRSTUVWX23456789"
	var b strings.Builder
	for range 12 { // 68 bits
		i, err := rand.Int(random, big.NewInt(int64(len(letters))))
		if err != nil {
			return "", err
		}
		b.WriteByte(letters[i.Int64()])
	}
	return b.String(), nil
}
