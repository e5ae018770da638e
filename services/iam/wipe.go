package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Wiper takes away what accounts own of one kind, when they are deleted.
type Wiper struct {
	// What is the kind, as in error.holds.<what>: instances.
	What string
	// After is the kind that must be gone before, because it makes use of this.
	After string
	// Count tells how many there are, and how many of them are protected from
	// deletion.
	Count func(ctx context.Context, accounts []string) (n, kept int64, err error)
	// Wipe takes an account's away as far as it can now. It may be called again
	// while jobs that it started are under way.
	Wipe func(ctx context.Context, accountID string) error
}

// OnWipe registers a wiper; the package that owns the rows does.
func (s *Service) OnWipe(w Wiper) {
	at := slices.IndexFunc(s.wipers, func(o Wiper) bool { return o.After == w.What })
	if at < 0 {
		at = len(s.wipers)
	}
	s.wipers = slices.Insert(s.wipers, at, w)
}

// Holding is how many things of a kind accounts own.
type Holding struct {
	What    string
	N, Kept int64
}

// Holdings tells what would go with an account.
func (s *Service) Holdings(ctx context.Context, accountID string) ([]Holding, error) {
	a, err := s.AccountByID(ctx, accountID)
	if err != nil {
		return nil, err
	}
	return s.holdings(ctx, []string{a.ID})
}

// Going is what would go with a domain.
type Going struct {
	Domains  []Domain // below it, the nearest first
	Accounts []Account
	Holdings []Holding
}

// WouldGo tells what would go if a domain were deleted with all in it.
func (s *Service) WouldGo(ctx context.Context, domainID string) (g Going, err error) {
	d, err := s.DomainByID(ctx, domainID)
	if err != nil {
		return g, err
	}
	g.Domains, err = gorm.G[Domain](s.db.In(ctx)).Where(below("path", d.Path)).Where("id <> ?", d.ID).Order("level, full_name").Find(ctx)
	if err != nil {
		return g, err
	}
	if g.Accounts, err = s.accountsBelow(ctx, d); err != nil {
		return g, err
	}
	g.Holdings, err = s.holdings(ctx, idsOf(g.Accounts))
	return g, err
}

func (s *Service) accountsBelow(ctx context.Context, d Domain) ([]Account, error) {
	return gorm.G[Account](s.db.In(ctx)).Where(below("domain_path", d.Path)).Order("domain_path, name").Find(ctx)
}

func idsOf(accounts []Account) []string {
	ids := make([]string, len(accounts))
	for i, a := range accounts {
		ids[i] = a.ID
	}
	return ids
}

// holdings counts, some accounts at a time.
func (s *Service) holdings(ctx context.Context, accounts []string) ([]Holding, error) {
	ctx = store.System(ctx, "what accounts own that the actor sees")
	out := make([]Holding, len(s.wipers))
	for i, w := range s.wipers {
		out[i].What = w.What
		for some := range slices.Chunk(accounts, 500) {
			n, kept, err := w.Count(ctx, some)
			if err != nil {
				return nil, err
			}
			out[i].N, out[i].Kept = out[i].N+n, out[i].Kept+kept
		}
	}
	return out, nil
}

// MayWipe refuses to delete what is protected from it.
func (s *Service) MayWipe(ctx context.Context, name string, accounts []string) error {
	all, err := s.holdings(ctx, accounts)
	if err != nil {
		return err
	}
	for _, h := range all {
		if h.Kept > 0 {
			return fault.New(fault.InUse, "error.holds.protected", "name", name, "n", h.Kept)
		}
	}
	return nil
}

// Wipe takes away what the accounts own, kind by kind, as far as it can now,
// and tells what is left: empty when nothing is.
func (s *Service) Wipe(ctx context.Context, accounts []Account) (left []Holding, err error) {
	ctx = store.System(ctx, "delete what a deleted account owns")
	for _, a := range accounts { // one that cannot go does not keep the others
		h, failed := s.wipeOne(ctx, a.ID)
		if err = errors.Join(err, failed); h.N > 0 {
			left = append(left, h)
		}
	}
	return left, err
}

// wipeOne stops at the first kind of which something is left: what comes after
// it may still be in use.
func (s *Service) wipeOne(ctx context.Context, accountID string) (Holding, error) {
	for _, w := range s.wipers {
		h := Holding{What: w.What}
		for range 2 {
			var err error
			if h.N, h.Kept, err = w.Count(ctx, []string{accountID}); err != nil {
				return h, err
			}
			if h.N == 0 {
				break
			}
			if h.Kept > 0 { // since the deletion began; somebody must see to it
				return h, fault.New(fault.InUse, "error.holds.protected", "name", accountID, "n", h.Kept)
			}
			if err := w.Wipe(ctx, accountID); err != nil {
				return h, err
			}
		}
		if h.N > 0 {
			return h, nil
		}
	}
	return Holding{}, nil
}

// Words names holdings for a job's log: instances 3, volumes 1.
func Words(left []Holding) string {
	var words []string
	for _, h := range left {
		words = append(words, fmt.Sprint(h.What, " ", h.N))
	}
	return strings.Join(words, ", ")
}

// Clear takes away what an account owns, as far as it can now, and tells how
// much of a kind is left. Whoever wants it gone calls it again until nothing is.
func (s *Service) Clear(ctx context.Context, accountID string) (left int64, err error) {
	h, err := s.wipeOne(store.System(ctx, "take away what an account owns"), accountID)
	return h.N, err
}

// Left tells what an account owns, as a fault.InUse; nil when it is nothing that
// anybody may miss.
func (s *Service) Left(ctx context.Context, a Account) error {
	left, err := s.holdings(ctx, []string{a.ID})
	if err != nil {
		return err
	}
	for _, h := range left {
		if h.N > 0 {
			return fault.New(fault.InUse, "error.holds."+h.What, "name", a.Name, "n", h.N)
		}
	}
	return nil
}
