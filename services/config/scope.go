package config

import "context"

// Scope is what a setting may be set for besides everything.
type Scope string

// The scopes, in the order in which they are asked: what is nearer decides.
const (
	Account    Scope = "account"
	Domain     Scope = "domain" // and all below, unless set there
	Pool       Scope = "storagepool"
	ImageStore Scope = "imagestore"
	Cluster    Scope = "cluster"
	Zone       Scope = "zone"
	Global     Scope = "global"
)

var nearest = []Scope{Account, Domain, Pool, ImageStore, Cluster, Zone}

// Title is the scope's name in listConfigurations.
func (s Scope) Title() string {
	return map[Scope]string{
		Account: "Account", Domain: "Domain", Pool: "StoragePool", ImageStore: "ImageStore", Cluster: "Cluster", Zone: "Zone", Global: "Global",
	}[s]
}

// Place is for whom, or where, a setting is asked. What is empty is not looked
// at.
type Place struct {
	AccountID                               string
	DomainPath                              string // of the account or domain: "/1/7/"
	PoolID, ImageStoreID, ClusterID, ZoneID string
}

// Target is where a setting is changed.
type Target struct {
	Scope Scope
	ID    string // empty for Global
}

// Everywhere is the target of a change for all.
var Everywhere = Target{Scope: Global}

// Found is a setting's text and where it is set; Target is Everywhere's also
// when it is the default.
type Found struct {
	Value  string
	Target Target
	Set    bool // not the default
}

// Find returns the text that is in force somewhere.
func (s *Service) Find(ctx context.Context, name string, at Place) (Found, error) {
	d, err := s.known(name)
	if err != nil {
		return Found{}, err
	}
	values, err := s.read(ctx)
	if err != nil {
		return Found{Value: d.Default, Target: Everywhere}, err
	}
	for _, scope := range nearest {
		if !d.May(scope) || !values.any[key{d.Name, scope, ""}] {
			continue
		}
		ids, err := s.idsOf(ctx, scope, at)
		if err != nil {
			return Found{}, err
		}
		for _, id := range ids {
			if v, ok := values.text[key{d.Name, scope, id}]; ok {
				return Found{v, Target{scope, id}, true}, nil
			}
		}
	}
	if v, ok := values.text[key{d.Name, Global, ""}]; ok {
		return Found{v, Everywhere, true}, nil
	}
	return Found{Value: d.Default, Target: Everywhere}, nil
}

// idsOf are the things of a scope that a place lies in, the nearest first.
func (s *Service) idsOf(ctx context.Context, scope Scope, at Place) ([]string, error) {
	var id string
	switch scope {
	case Account:
		id = at.AccountID
	case Pool:
		id = at.PoolID
	case ImageStore:
		id = at.ImageStoreID
	case Cluster:
		id = at.ClusterID
	case Zone:
		id = at.ZoneID
	case Domain:
		if at.DomainPath == "" || s.Domains == nil {
			return nil, nil
		}
		return s.Domains(ctx, at.DomainPath)
	case Global:
	}
	if id == "" {
		return nil, nil
	}
	return []string{id}, nil
}

// May tells whether the setting can be set for a scope.
func (d *Setting) May(scope Scope) bool {
	if scope == Global {
		return true
	}
	for _, s := range d.Scopes {
		if s == scope {
			return true
		}
	}
	return false
}
