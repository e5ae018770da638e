package iam

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// domainMove is a move that work under way may not know of yet.
type domainMove struct {
	ID        string
	CreatedAt time.Time
	DomainID  string
	FromPath  string
}

// MoveDomain puts a domain, with all below and all they own, under another
// parent. What the domain uses must fit into the limits of those above its new
// place. Only root moves domains.
func (s *Service) MoveDomain(ctx context.Context, id, parentID string) (Domain, error) {
	a, err := actor(ctx)
	if err != nil {
		return Domain{}, err
	}
	if !a.IsSystem() && a.Rank != store.Admin {
		return Domain{}, fault.New(fault.Forbidden, "error.rank")
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error { return s.moveDomain(ctx, id, parentID) })
	if err != nil {
		return Domain{}, err
	}
	return s.DomainByID(ctx, id)
}

func (s *Service) moveDomain(ctx context.Context, id, parentID string) error {
	d, err := store.Hold[Domain](ctx, s.db, id)
	if err != nil {
		return absentAs(err, "domainid", id)
	}
	// Held as well: it must not be moved below the first, nor removed, meanwhile.
	to, err := store.Hold[Domain](ctx, s.db, parentID)
	if err != nil {
		return absentAs(err, "parentdomainid", parentID)
	}
	switch {
	case d.IsRoot():
		return fault.New(fault.Invalid, "error.domain_root")
	case d.ParentID == to.ID:
		return fault.Param("parentdomainid", "error.domain_there", "name", d.FullName)
	case strings.HasPrefix(to.Path, d.Path):
		return fault.Param("parentdomainid", "error.domain_cycle", "name", d.FullName)
	}
	moved := d
	moved.ParentID, moved.Level = to.ID, to.Level+1
	moved.Path, moved.FullName = fmt.Sprintf("%s%d/", to.Path, d.Number), to.FullName+"/"+d.Name
	if err := s.moveUse(ctx, d, moved); err != nil {
		return err
	}
	if err := s.moveTree(ctx, d, moved); err != nil {
		return err
	}
	if _, err := s.db.MoveSubtree(ctx, d.Path, moved.Path); err != nil {
		return err
	}
	return s.db.In(ctx).Create(&domainMove{s.db.NewID(), s.db.Now(), d.ID, d.Path}).Error
}

// moveUse counts what the domain uses for those above its new place instead of
// those above its old one, and takes its counters along.
func (s *Service) moveUse(ctx context.Context, d, moved Domain) error {
	ctx = store.System(ctx, "counters of a domain that moves")
	rows, err := gorm.G[quota](s.db.In(ctx), store.ToHold).Where("owner = ?", d.Path).Find(ctx)
	if err != nil {
		return err
	}
	used := Amounts{}
	for _, q := range rows {
		used[q.Kind] = q.Used
	}
	from, to := apart(countedDomains(parentPath(d.Path)), countedDomains(parentPath(moved.Path)))
	old, err := s.quotaQueryFor(ctx, from, used)
	if err != nil {
		return err
	}
	if err := old.give(ctx); err != nil {
		return err
	}
	now, err := s.quotaQueryFor(ctx, to, used)
	if err != nil {
		return err
	}
	if err := now.take(ctx); err != nil {
		return err
	}
	for _, of := range []any{&quota{}, &tagLimit{}} {
		err := s.db.In(ctx).Model(of).Where(below("owner", d.Path)).
			UpdateColumn("owner", gorm.Expr("CONCAT(?, SUBSTR(owner, ?))", moved.Path, len(d.Path)+1)).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// apart leaves out what both begin with: nothing changes there.
func apart(a, b []string) (restA, restB []string) {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	return a, b
}

// parentPath is "/1/" of "/1/7/".
func parentPath(path string) string {
	return path[:strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1]
}

// moveTree gives the domain and all below, removed ones too, their new places.
func (s *Service) moveTree(ctx context.Context, d, moved Domain) error {
	var all []Domain
	g := s.db.In(ctx).Unscoped().Session(&gorm.Session{})
	if err := g.Where(below("path", d.Path)).Order("level").Find(&all).Error; err != nil {
		return err
	}
	for _, one := range all {
		path := moved.Path + strings.TrimPrefix(one.Path, d.Path)
		full := moved.FullName + strings.TrimPrefix(one.FullName, d.FullName)
		if len(path) > longestPath || len([]rune(full)) > longestFullName {
			return fault.Param("parentdomainid", "error.domain_deep")
		}
		set := map[string]any{"path": path, "full_name": full, "level": one.Level + moved.Level - d.Level}
		if one.FullKey != nil {
			set["full_key"] = fold(full)
		}
		if one.ID == d.ID {
			set["parent_id"] = moved.ParentID
		}
		if err := g.Model(&Domain{}).Where("id = ?", one.ID).Updates(set).Error; err != nil {
			return taken(err, "parentdomainid", d.Name)
		}
	}
	return nil
}

// stragglers is how long after a move work that began before it may end.
const stragglers = 24 * time.Hour

// FollowMoves moves what was written with the path of a domain from before its
// move, by work that was under way.
func (s *Service) FollowMoves(ctx context.Context) error {
	ctx = store.System(ctx, "rows written during a move")
	moves, err := gorm.G[domainMove](s.db.In(ctx)).Order("created_at").Find(ctx)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if err := s.db.Tx(ctx, func(ctx context.Context) error { return s.follow(ctx, m) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) follow(ctx context.Context, m domainMove) error {
	if s.db.Now().Sub(m.CreatedAt) > stragglers {
		return s.db.In(ctx).Where("id = ?", m.ID).Delete(&domainMove{}).Error
	}
	var d Domain
	if err := s.db.In(ctx).Unscoped().Where("id = ?", m.DomainID).Take(&d).Error; err != nil {
		return err
	}
	if d.Path == m.FromPath { // it is back
		return nil
	}
	_, err := s.db.MoveSubtree(ctx, m.FromPath, d.Path)
	return err
}
