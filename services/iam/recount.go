package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Counter counts what an account really has of a kind, as reserved: bytes for
// storage.
type Counter func(ctx context.Context, accountID string) (int64, error)

// Count registers how a kind is counted; the package that owns the rows does.
func (s *Service) Count(k Kind, c Counter) { s.counters[k] = c }

// Drift is a counter that differs from the rows.
type Drift struct {
	Owner  string // account id or domain path
	Kind   Kind
	Stored int64
	Real   int64
}

// Recount compares an account's counters with its rows and puts them right when
// fix is set. Kinds without a Counter are left alone.
func (s *Service) Recount(ctx context.Context, a Account, fix bool) ([]Drift, error) {
	ctx = store.System(ctx, "recount")
	var drifts []Drift
	for k := range kinds {
		count := s.counters[Kind(k)]
		if count == nil {
			continue
		}
		d, err := s.recountOne(ctx, a, Kind(k), count, fix)
		if err != nil {
			return drifts, err
		}
		if d.Stored != d.Real {
			drifts = append(drifts, d)
		}
	}
	return drifts, nil
}

func (s *Service) recountOne(ctx context.Context, a Account, k Kind, count Counter, fix bool) (d Drift, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		d = Drift{Owner: a.ID, Kind: k}
		if d.Stored, err = s.lockUsed(ctx, a.ID, k); err != nil {
			return err
		}
		if d.Real, err = count(ctx, a.ID); err != nil || !fix || d.Real == d.Stored {
			return err
		}
		for _, owner := range append(countedDomains(a.DomainPath), a.ID) {
			if err := s.addUsed(ctx, owner, k, d.Real-d.Stored); err != nil {
				return err
			}
		}
		return nil
	})
	return d, err
}

// lockUsed holds a counter until the transaction ends, so that reservations
// wait, and returns it.
func (s *Service) lockUsed(ctx context.Context, owner string, k Kind) (int64, error) {
	if err := s.addUsed(ctx, owner, k, 0); err != nil {
		return 0, err
	}
	rows, err := gorm.G[quota](s.db.In(ctx)).Where("owner = ? AND kind = ?", owner, int(k)).Find(ctx)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].Used, nil
}

// RecountDomain compares a domain's totals with the sum of its accounts. ROOT
// keeps no totals.
func (s *Service) RecountDomain(ctx context.Context, d Domain, fix bool) ([]Drift, error) {
	if d.IsRoot() {
		return nil, nil
	}
	ctx = store.System(ctx, "recount")
	var drifts []Drift
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		drifts = nil
		for _, k := range Kinds() { // reservations wait here, and so are in the sum
			if err := s.addUsed(ctx, d.Path, k, 0); err != nil {
				return err
			}
		}
		used, err := s.usedBelow(ctx, d.Path)
		if err != nil {
			return err
		}
		rows, err := gorm.G[quota](s.db.In(ctx)).Where("owner = ?", d.Path).Find(ctx)
		if err != nil {
			return err
		}
		for _, q := range rows {
			if q.Used == used[q.Kind] {
				continue
			}
			drifts = append(drifts, Drift{d.Path, q.Kind, q.Used, used[q.Kind]})
			if !fix {
				continue
			}
			if err := s.addUsed(ctx, d.Path, q.Kind, used[q.Kind]-q.Used); err != nil {
				return err
			}
		}
		return nil
	})
	return drifts, err
}

// RecountAll compares all counters: every account's, then every domain's.
func (s *Service) RecountAll(ctx context.Context, fix bool) ([]Drift, error) {
	ctx = store.System(ctx, "recount")
	accounts, err := gorm.G[Account](s.db.In(ctx)).Order("id").Find(ctx)
	if err != nil {
		return nil, err
	}
	var drifts []Drift
	for _, a := range accounts {
		d, err := s.Recount(ctx, a, fix)
		if err != nil {
			return drifts, err
		}
		drifts = append(drifts, d...)
	}
	domains, err := gorm.G[Domain](s.db.In(ctx)).Order("level DESC").Find(ctx)
	if err != nil {
		return drifts, err
	}
	for _, dom := range domains {
		d, err := s.RecountDomain(ctx, dom, fix)
		if err != nil {
			return drifts, err
		}
		drifts = append(drifts, d...)
	}
	return drifts, nil
}
