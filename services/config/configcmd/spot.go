package configcmd

import (
	"context"
	"strings"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/store"
)

// Of is embedded by requests that could name one thing whose setting is meant.
type Of struct {
	ZoneID    string `json:"zoneid" ref:"zone" doc:"only for this zone"`
	ClusterID string `json:"clusterid" ref:"cluster" doc:"only for this cluster"`
	PoolID    string `json:"storageid" ref:"storagepool" doc:"only for this storage pool"`
	AccountID string `json:"accountid" ref:"account" doc:"only for this account"`
	DomainID  string `json:"domainid" ref:"domain" doc:"only for this domain and those below"`
}

// spot is what a request is about: everything, or one thing.
type spot struct {
	target config.Target
	place  config.Place
	// delegated: who asks may only deal with what is left to domain admins.
	delegated bool
}

// has tells whether the setting can be set, and by whom asks, there.
func (p spot) has(d *config.Setting) bool {
	return d.May(p.target.Scope) && (d.Delegated || !p.delegated)
}

// outer is the place around the spot.
func (p spot) outer() config.Place {
	at := p.place
	switch p.target.Scope {
	case config.Account:
		at.AccountID = ""
	case config.Domain: // "/1/7/" lies in "/1/"
		at.DomainPath = at.DomainPath[:strings.LastIndexByte(strings.TrimSuffix(at.DomainPath, "/"), '/')+1]
	default:
		return config.Place{}
	}
	return at
}

// at finds what is meant. Domain admins mean their own domain when they name
// nothing, and never a zone or what is in one.
func (s *Service) at(ctx context.Context, of Of, storeParam, imageStore string) (p spot, err error) {
	p.target = config.Everywhere
	named := ""
	for _, t := range []struct {
		param string
		scope config.Scope
		id    string
		into  *string
	}{
		{"zoneid", config.Zone, of.ZoneID, &p.place.ZoneID},
		{"clusterid", config.Cluster, of.ClusterID, &p.place.ClusterID},
		{"storageid", config.Pool, of.PoolID, &p.place.PoolID},
		{storeParam, config.ImageStore, imageStore, &p.place.ImageStoreID},
		{"accountid", config.Account, of.AccountID, &p.place.AccountID},
		{"domainid", config.Domain, of.DomainID, new(string)},
	} {
		if t.id == "" || t.id == "-1" {
			continue
		}
		if named != "" {
			return p, fault.Param(t.param, "error.setting_two", "other", named)
		}
		named, p.target, *t.into = t.param, config.Target{Scope: t.scope, ID: t.id}, t.id
	}
	a, _ := store.From(ctx)
	if p.delegated = !a.IsSystem() && a.Rank != store.Admin; p.delegated {
		if named == "" {
			p.target = config.Target{Scope: config.Domain, ID: a.DomainID}
		}
		if p.target.Scope != config.Domain && p.target.Scope != config.Account {
			return p, fault.Absent(named, p.target.ID)
		}
	}
	switch p.target.Scope {
	case config.Domain:
		p.place.DomainPath, err = s.Domain(ctx, p.target.ID)
	case config.Account:
		var o store.Owner
		o, err = s.Account(ctx, p.target.ID)
		p.place.DomainPath = o.DomainPath
	default: // lies in no domain
	}
	return p, err
}
