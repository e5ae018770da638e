package iam

import (
	"context"
	"fmt"

	"aerie/services/fault"
	"aerie/services/store"
)

// CreateDomain asks for a domain. Without a parent it is below ROOT, or below
// the actor's own domain.
type CreateDomain struct {
	Name, ParentID, NetworkDomain string
	ID                            string // wished by root; otherwise made
}

// CreateDomain makes a domain.
func (s *Service) CreateDomain(ctx context.Context, r CreateDomain) (Domain, error) {
	if err := checkName("name", r.Name, "/"); err != nil {
		return Domain{}, err
	}
	a, err := actor(ctx)
	if err != nil {
		return Domain{}, err
	}
	if !a.IsSystem() && a.Rank == store.User {
		return Domain{}, fault.New(fault.Forbidden, "error.rank")
	}
	parent, err := s.parentDomain(ctx, a, r.ParentID)
	if err != nil {
		return Domain{}, err
	}
	var d Domain
	err = s.db.Tx(ctx, func(ctx context.Context) (err error) {
		d, err = s.insertDomain(ctx, parent, r)
		return err
	})
	return d, err
}

func (s *Service) parentDomain(ctx context.Context, a store.Actor, id string) (Domain, error) {
	if id != "" {
		d, err := s.DomainByID(ctx, id)
		return d, absentAs(err, "parentdomainid", id)
	}
	if a.DomainID == "" {
		return s.Root(ctx)
	}
	return s.DomainByID(ctx, a.DomainID)
}

// absentAs names another parameter in a not-found fault.
func absentAs(err error, param, value string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Absent(param, value)
	}
	return err
}

func (s *Service) insertDomain(ctx context.Context, parent Domain, r CreateDomain) (Domain, error) {
	parent, err := s.lockDomain(ctx, parent.ID)
	if err != nil {
		return Domain{}, err
	}
	number, err := s.db.Next(ctx, "domain")
	if err != nil {
		return Domain{}, err
	}
	d := Domain{
		Row: s.newRow(r.ID), Number: number, ParentID: parent.ID, Name: r.Name,
		Path: fmt.Sprintf("%s%d/", parent.Path, number), FullName: parent.FullName + "/" + r.Name,
		Level: parent.Level + 1, NetworkDomain: r.NetworkDomain, State: active,
	}
	if len(d.Path) > longestPath || len([]rune(d.FullName)) > longestFullName {
		return Domain{}, fault.Param("parentdomainid", "error.domain_deep")
	}
	d.FullKey = ptr(fold(d.FullName))
	if err := s.db.In(ctx).Create(&d).Error; err != nil {
		return Domain{}, taken(err, "name", r.Name)
	}
	return d, s.createQuotas(store.System(ctx, "counters of a new domain"), d.Path, false)
}

func (s *Service) newRow(id string) store.Row {
	if id == "" {
		id = s.db.NewID()
	}
	return store.Row{ID: id, CreatedAt: s.db.Now()}
}

// taken makes a duplicate key the fault for that parameter.
func taken(err error, param, value string) error {
	if store.IsDuplicate(err) {
		return fault.Param(param, "error.name_taken", "value", value)
	}
	return err
}
