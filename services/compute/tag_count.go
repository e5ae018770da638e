package compute

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/iam"
	"aerie/services/storage"
	"aerie/services/store"
)

// countTags tells iam how what carries tags is counted: from the instances and
// volumes whose offering asks for the tag now.
func (s *Service) countTags() {
	if s.IAM.Tags == nil {
		return
	}
	s.IAM.Tags.Counters[iam.HostTags] = s.byHostTag
	s.IAM.Tags.Counters[iam.StorageTags] = s.byStorageTag
}

// whose narrows to some accounts and to all in a domain and below.
func whose(q *gorm.DB, accounts []string, below string) *gorm.DB {
	if below == "" {
		return q.Where("account_id IN ?", accounts)
	}
	return q.Where("account_id IN ? OR domain_path LIKE ?", accounts, below+"%") // paths are digits and slashes
}

// tagsOf are the tags, among those asked for, that each offering asks for.
func tagsOf[T any](ctx context.Context, db *store.DB, column string, of func(T) (id, tags string), asked []string) (map[string][]string, []string, error) {
	var rows []T
	if err := db.In(ctx).Unscoped().Where(column + " <> ''").Find(&rows).Error; err != nil {
		return nil, nil, err
	}
	out, ids := map[string][]string{}, []string{}
	for _, r := range rows {
		id, text := of(r)
		if tags := both(iam.SplitTags(text), asked); len(tags) > 0 {
			out[id], ids = tags, append(ids, id)
		}
	}
	return out, ids, nil
}

func both(a, b []string) (out []string) {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				out = append(out, x)
			}
		}
	}
	return out
}

func (s *Service) byHostTag(ctx context.Context, accounts []string, below string, tags []string) ([]iam.TagUse, error) {
	of, ids, err := tagsOf(ctx, s.db, "host_tags", func(o Offering) (string, string) { return o.ID, o.HostTags }, tags)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var rows []struct {
		AccountID, DomainPath, OfferingID string
		N, C, M                           int64
	}
	err = whose(s.db.In(ctx).Model(&VM{}).Where("offering_id IN ? AND state NOT IN ?", ids, []State{Destroyed, Expunging}), accounts, below).
		Select("account_id, domain_path, offering_id, COUNT(*) AS n, SUM(cpus) AS c, SUM(memory_mib) AS m").
		Group("account_id, domain_path, offering_id").Scan(&rows).Error
	var out []iam.TagUse
	for _, r := range rows {
		for _, tag := range of[r.OfferingID] {
			out = append(out, iam.TagUse{
				Owner: store.Owner{AccountID: r.AccountID, DomainPath: r.DomainPath}, Tag: tag,
				Amounts: iam.Amounts{iam.Instances: r.N, iam.CPUs: r.C, iam.Memory: r.M},
			})
		}
	}
	return out, err
}

// byStorageTag counts root disks by their instance's size and data disks by
// their own offering.
func (s *Service) byStorageTag(ctx context.Context, accounts []string, below string, tags []string) ([]iam.TagUse, error) {
	sizes, sizeIDs, err := tagsOf(ctx, s.db, "storage_tags", func(o Offering) (string, string) { return o.ID, o.StorageTags }, tags)
	if err != nil {
		return nil, err
	}
	disks, diskIDs, err := tagsOf(ctx, s.db, "tags", func(o storage.Offering) (string, string) { return o.ID, o.Tags }, tags)
	if err != nil || len(sizeIDs)+len(diskIDs) == 0 {
		return nil, err
	}
	var rows []struct {
		AccountID, DomainPath, ServiceOfferingID, DiskOfferingID string
		N, B                                                     int64
	}
	err = whose(s.db.In(ctx).Model(&storage.Volume{}).
		Where("disk_offering_id = '' AND service_offering_id IN ? OR disk_offering_id IN ?", sizeIDs, diskIDs).
		Where("state NOT IN ?", []storage.State{storage.Expunging, storage.Expunged}), accounts, below).
		Select("account_id, domain_path, service_offering_id, disk_offering_id, COUNT(*) AS n, SUM(bytes) AS b").
		Group("account_id, domain_path, service_offering_id, disk_offering_id").Scan(&rows).Error
	var out []iam.TagUse
	for _, r := range rows {
		carries := disks[r.DiskOfferingID]
		if r.DiskOfferingID == "" {
			carries = sizes[r.ServiceOfferingID]
		}
		for _, tag := range carries {
			out = append(out, iam.TagUse{
				Owner: store.Owner{AccountID: r.AccountID, DomainPath: r.DomainPath}, Tag: tag,
				Amounts: iam.Amounts{iam.Volumes: r.N, iam.PrimaryStorage: r.B},
			})
		}
	}
	return out, err
}

// reserveTagged refuses a deployment that does not fit into the limits of its
// offerings' tags.
func (s *Service) reserveTagged(ctx context.Context, p *plan, o store.Owner) error {
	machine := iam.Amounts{iam.Instances: 1, iam.CPUs: int64(p.offering.CPUs), iam.Memory: int64(p.offering.MemoryMiB)}
	if err := s.IAM.ReserveTagged(ctx, o, iam.HostTags, byTag(nil, p.offering.HostTags, machine)); err != nil {
		return err
	}
	disks := byTag(nil, p.offering.StorageTags, iam.Amounts{iam.Volumes: 1, iam.PrimaryStorage: p.root})
	if p.disk != nil {
		disks = byTag(disks, p.disk.Tags, iam.Amounts{iam.Volumes: 1, iam.PrimaryStorage: p.data})
	}
	return s.IAM.ReserveTagged(ctx, o, iam.StorageTags, disks)
}

// byTag adds amounts to each of the tags.
func byTag(to iam.ByTag, tags string, n iam.Amounts) iam.ByTag {
	for _, tag := range iam.SplitTags(tags) {
		if to == nil {
			to = iam.ByTag{}
		}
		if to[tag] == nil {
			to[tag] = iam.Amounts{}
		}
		for kind, amount := range n {
			to[tag][kind] += amount
		}
	}
	return to
}

// reserveRecovered is reserveTagged for an instance that is brought back.
func (s *Service) reserveRecovered(ctx context.Context, vm VM) error {
	var o Offering
	if err := s.db.In(ctx).Unscoped().Where("id = ?", vm.OfferingID).Limit(1).Find(&o).Error; err != nil {
		return err
	}
	return s.IAM.ReserveTagged(ctx, vm.Owner(), iam.HostTags, byTag(nil, o.HostTags, amounts(vm)))
}
