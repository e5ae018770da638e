package iamcmd

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// DomainView is a domain as the API shows it.
type DomainView struct {
	ID            string       `json:"id" doc:"the id of the domain"`
	Name          string       `json:"name" doc:"the name of the domain"`
	Level         int          `json:"level" doc:"the level of the domain"`
	ParentID      string       `json:"parentdomainid" doc:"the id of the parent domain"`
	ParentName    string       `json:"parentdomainname" doc:"the name of the parent domain"`
	HasChild      bool         `json:"haschild" doc:"whether there are domains below"`
	NetworkDomain string       `json:"networkdomain" doc:"the network domain"`
	Path          string       `json:"path" doc:"the path of the domain"`
	State         string       `json:"state" doc:"the state of the domain"`
	Created       command.Time `json:"created" doc:"when the domain was created"`
	Annotations   bool         `json:"hasannotations" doc:"whether there are comments on it"`
	Icon          *label.Icon  `json:"icon" doc:"its icon"`
	Limits
}

type listDomainsRequest struct {
	command.Paging
	label.Show
	ID      string   `json:"id" ref:"domain" doc:"the id of the domain"`
	Name    string   `json:"name" doc:"the name of the domain"`
	Level   *int     `json:"level" doc:"the level in the tree"`
	ListAll bool     `json:"listall" doc:"true lists the domains below as well"`
	Details []string `json:"details" doc:"min leaves out limits; all is the default"`
	Tag     string   `json:"tag" doc:"only this tag in taggedresources"`
}

func (s *Service) listDomains() *command.Command {
	return command.New(command.Meta{Name: "listDomains", Object: "domain", Roles: command.Everyone, Doc: "Lists domains"},
		func(ctx context.Context, r listDomainsRequest) (out command.List[DomainView], err error) {
			q := command.Named(command.Equal(s.IAM.DB().In(ctx).Model(&iam.Domain{}), "id", r.ID), "name", r.Name)
			if r.Level != nil {
				q = q.Where("level = ?", *r.Level)
			}
			a, _ := store.From(ctx)
			if r.ID == "" && !r.ListAll && !a.IsSystem() && a.Rank != store.Admin {
				q = q.Where("id = ?", a.DomainID)
			}
			return s.domainPage(withTag(ctx, r.Tag), q, r.Paging, r.Details, r.Show)
		})
}

type listChildrenRequest struct {
	command.Paging
	label.Show
	ID        string `json:"id" ref:"domain" doc:"the parent; the caller's domain without one"`
	Name      string `json:"name" doc:"the name of the domain"`
	Recursive bool   `json:"isrecursive" doc:"true lists all below, not only the next level"`
	ListAll   bool   `json:"listall" doc:"without an id: true lists all below"`
}

func (s *Service) listDomainChildren() *command.Command {
	return command.New(command.Meta{Name: "listDomainChildren", Object: "domain", Roles: managers, Doc: "Lists the domains below a domain"},
		func(ctx context.Context, r listChildrenRequest) (out command.List[DomainView], err error) {
			a, _ := store.From(ctx)
			if r.ID == "" {
				r.ID, r.Recursive = a.DomainID, r.Recursive || r.ListAll
			}
			parent, err := s.IAM.DomainByID(ctx, r.ID)
			if store.IsAbsent(err) { // removed: nothing is below it
				return out, nil
			}
			if err != nil {
				return out, err
			}
			q := command.Named(s.IAM.DB().In(ctx).Model(&iam.Domain{}), "name", r.Name).Where("id <> ?", parent.ID)
			if r.Recursive {
				q = q.Where(clause.Like{Column: store.Column("path"), Value: parent.Path + "%"})
			} else {
				q = q.Where("parent_id = ?", parent.ID)
			}
			return s.domainPage(ctx, q, r.Paging, nil, r.Show)
		})
}

func (s *Service) domainPage(ctx context.Context, q *gorm.DB, p command.Paging, details []string, show label.Show) (out command.List[DomainView], err error) {
	rows, count, err := command.Rows[iam.Domain](p.Search(q, "name"), p, "full_name, id")
	if err != nil {
		return out, err
	}
	views, err := s.domainViews(ctx, rows, !slices.Contains(details, "min"))
	if err == nil {
		err = label.Fill(ctx, s.IAM.DB(), views, label.Want{Icons: show.Icon}, domainID, func(v *DomainView, l label.Shown) { v.Icon = l.Icon(v.ID) })
	}
	return command.List[DomainView]{Count: count, Items: views}, err
}

// domainViews asks once for parents, once for children and once for limits.
func (s *Service) domainViews(ctx context.Context, rows []iam.Domain, limits bool) ([]DomainView, error) {
	var ids, parents, paths []string
	for _, d := range rows {
		ids, parents, paths = append(ids, d.ID), append(parents, d.ParentID), append(paths, d.Path)
	}
	sys := store.System(ctx, "parents' names and whether there are children")
	g := s.IAM.DB().In(sys)
	var above, below []iam.Domain
	if err := g.Where("id IN ?", distinct(parents)).Select("id, name").Find(&above).Error; err != nil {
		return nil, err
	}
	nameOf := make(map[string]string, len(above))
	for _, p := range above {
		nameOf[p.ID] = p.Name
	}
	if err := g.Where("parent_id IN ?", ids).Select("parent_id").Group("parent_id").Find(&below).Error; err != nil {
		return nil, err
	}
	parent := make(map[string]bool, len(below))
	for _, c := range below {
		parent[c.ParentID] = true
	}
	var of, tagged map[string][]iam.Limit
	if limits {
		var err error
		if of, err = s.IAM.LimitsOf(ctx, paths); err != nil {
			return nil, err
		}
		if tagged, err = s.IAM.TagLimits(ctx, paths); err != nil {
			return nil, err
		}
	}
	views := make([]DomainView, len(rows))
	for i, d := range rows {
		views[i] = DomainView{
			ID: d.ID, Name: d.Name, Level: d.Level, ParentID: d.ParentID, NetworkDomain: d.NetworkDomain,
			Path: d.FullName, State: d.State, Created: command.Time{Time: d.CreatedAt},
			HasChild: parent[d.ID], ParentName: nameOf[d.ParentID],
		}
		if limits {
			views[i].Fill(of[d.Path])
			views[i].Tagged = taggedTexts(tagged[d.Path], tagOf(ctx))
		}
	}
	return views, label.Fill(ctx, s.IAM.DB(), views, label.Want{Notes: true}, domainID, func(v *DomainView, l label.Shown) { v.Annotations = l.Noted(v.ID) })
}

func domainID(v *DomainView) string { return v.ID }

func (s *Service) domainView(ctx context.Context, d iam.Domain) (DomainView, error) {
	about(ctx, "domain", d.ID, d.FullName, store.Owner{})
	views, err := s.domainViews(ctx, []iam.Domain{d}, true)
	if err != nil {
		return DomainView{}, err
	}
	return views[0], nil
}

type createDomainRequest struct {
	Name          string `json:"name" required:"true" doc:"the name of the domain"`
	ParentID      string `json:"parentdomainid" ref:"domain" doc:"the parent domain; the caller's without one"`
	NetworkDomain string `json:"networkdomain" doc:"the network domain for the domain's networks"`
	ID            string `json:"domainid" view:"admin" doc:"the id that the domain is to have"`
}

func (s *Service) createDomain() *command.Command {
	return command.New(command.Meta{Name: "createDomain", Object: "domain", Event: "DOMAIN.CREATE", Roles: managers, Doc: "Creates a domain"},
		func(ctx context.Context, r createDomainRequest) (DomainView, error) {
			id, err := wished(ctx, "domainid", r.ID)
			if err != nil {
				return DomainView{}, err
			}
			d, err := s.IAM.CreateDomain(ctx, iam.CreateDomain{Name: r.Name, ParentID: r.ParentID, NetworkDomain: r.NetworkDomain, ID: id})
			if err != nil {
				return DomainView{}, err
			}
			return s.domainView(ctx, d)
		})
}

type updateDomainRequest struct {
	ID            string  `json:"id" ref:"domain" required:"true" doc:"the id of the domain"`
	Name          string  `json:"name" doc:"the new name"`
	NetworkDomain *string `json:"networkdomain" doc:"the network domain; empty for none"`
}

func (s *Service) updateDomain() *command.Command {
	return command.New(command.Meta{Name: "updateDomain", Object: "domain", Event: "DOMAIN.UPDATE", Roles: managers, Doc: "Changes a domain"},
		func(ctx context.Context, r updateDomainRequest) (DomainView, error) {
			d, err := s.IAM.UpdateDomain(ctx, iam.UpdateDomain{ID: r.ID, Name: given(r.Name), NetworkDomain: r.NetworkDomain})
			if err != nil {
				return DomainView{}, err
			}
			return s.domainView(ctx, d)
		})
}

type deleteDomainRequest struct {
	ID      string `json:"id" ref:"domain" required:"true" doc:"the id of the domain"`
	Cleanup bool   `json:"cleanup" doc:"true deletes the domains below, the accounts and all they own as well"`
}

func (s *Service) deleteDomain() *command.Command {
	return command.Async[deleteDomainRequest, command.Success](
		command.Meta{Name: "deleteDomain", Event: "DOMAIN.DELETE", Roles: managers, Doc: "Deletes a domain"},
		func(ctx context.Context, r deleteDomainRequest) (job.Spec, error) {
			kind, begin := deleteDomainJob, s.IAM.MayDeleteDomain
			if r.Cleanup {
				kind, begin = cleanDomainJob, s.IAM.CloseDomain
			}
			d, err := begin(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			about(ctx, "domain", d.ID, d.FullName, store.Owner{})
			return job.Spec{Kind: kind, Entity: "domain/" + d.ID, Object: "domain", ObjectID: d.ID, State: removal{d.ID}}, nil
		}, nil)
}
