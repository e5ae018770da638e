package iamcmd

import (
	"context"
	"strconv"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// LimitView is a limit as the API shows it.
type LimitView struct {
	ofNames
	Account    string `json:"account" doc:"the account"`
	DomainID   string `json:"domainid" doc:"the domain"`
	Domain     string `json:"domain" doc:"the name of the domain"`
	DomainPath string `json:"domainpath" doc:"the path of the domain"`
	Type       string `json:"resourcetype" doc:"the number of the kind of resource"`
	TypeName   string `json:"resourcetypename" doc:"the kind of resource"`
	Max        int64  `json:"max" doc:"the limit; -1 for none"`
	Tag        string `json:"tag" doc:"the tag that is limited"`
}

// CountView is a counter as the API shows it.
type CountView struct {
	ofNames
	Account    string `json:"account" doc:"the account"`
	DomainID   string `json:"domainid" doc:"the domain"`
	Domain     string `json:"domain" doc:"the name of the domain"`
	DomainPath string `json:"domainpath" doc:"the path of the domain"`
	Type       string `json:"resourcetype" doc:"the number of the kind of resource"`
	TypeName   string `json:"resourcetypename" doc:"the kind of resource"`
	Count      int64  `json:"resourcecount" doc:"how much there is; bytes of storage"`
	Tag        string `json:"tag" doc:"the tag that is counted"`
}

// subject finds whose limits a request means: an account, a domain, or the
// caller's own account.
func (s *Service) subject(ctx context.Context, o command.Owner) (iam.Subject, error) {
	if o.ProjectID != "" {
		return s.ofProject(ctx, o)
	}
	a, _ := store.From(ctx)
	if o.DomainID == "" && o.Account == "" {
		account, err := s.IAM.AccountByID(ctx, a.AccountID)
		if err != nil {
			return iam.Subject{}, err
		}
		return s.ofAccount(ctx, account)
	}
	if o.DomainID == "" {
		o.DomainID = a.DomainID
	}
	d, err := s.IAM.DomainByID(ctx, o.DomainID)
	if err != nil {
		return iam.Subject{}, err
	}
	if o.Account == "" {
		return iam.Subject{Domain: d}, nil
	}
	account, err := s.IAM.AccountByName(ctx, d.ID, o.Account)
	return iam.Subject{Domain: d, Account: &account}, err
}

func (s *Service) ofAccount(ctx context.Context, a iam.Account) (iam.Subject, error) {
	d, err := s.IAM.DomainByID(ctx, a.DomainID)
	return iam.Subject{Domain: d, Account: &a}, err
}

// ofProject finds a project, whose limits are those of its account.
func (s *Service) ofProject(ctx context.Context, o command.Owner) (iam.Subject, error) {
	if o.Account != "" {
		return iam.Subject{}, fault.Param("account", "error.account_and_project")
	}
	if _, err := command.FindProject(ctx, "projectid", o.ProjectID); err != nil {
		return iam.Subject{}, err
	}
	p, err := store.Find[iam.Project](ctx, s.IAM.DB(), o.ProjectID)
	if err != nil {
		return iam.Subject{}, err
	}
	sys := store.System(ctx, "the account of a project that was looked up")
	account, err := s.IAM.AccountByID(sys, p.ID)
	if err != nil {
		return iam.Subject{}, err
	}
	d, err := s.IAM.DomainByID(sys, p.DomainID)
	return iam.Subject{Domain: d, Account: &account, Project: &p}, err
}

// ofNames are a subject's fields in the views of limits and counts.
type ofNames struct {
	Project   string `json:"project" doc:"the project"`
	ProjectID string `json:"projectid" doc:"the id of the project"`
}

func namesOf(of iam.Subject) ofNames {
	if of.Project == nil {
		return ofNames{}
	}
	return ofNames{of.Project.Name, of.Project.ID}
}

func nameOf(of iam.Subject) string {
	if of.Account == nil || of.Project != nil {
		return ""
	}
	return of.Account.Name
}

func limitView(of iam.Subject, l iam.Limit) LimitView {
	return LimitView{
		ofNames: namesOf(of),
		Account: nameOf(of), DomainID: of.Domain.ID, Domain: of.Domain.Name, DomainPath: of.Domain.FullName,
		Type: strconv.Itoa(int(l.Kind)), TypeName: l.Kind.String(), Max: l.Max, Tag: l.Tag,
	}
}

type updateLimitRequest struct {
	command.Owner
	Type *int   `json:"resourcetype" required:"true" doc:"the kind of resource: 0 instances, 1 addresses, 2 volumes, 3 snapshots, 4 templates, 5 projects, 6 networks, 7 VPCs, 8 CPUs, 9 memory, 10 primary storage, 11 secondary storage"`
	Max  *int64 `json:"max" doc:"the limit; -1 or nothing for none"`
	Tag  string `json:"tag" doc:"only what carries this tag of hosts or storage; see the settings resource.limit.host.tags and resource.limit.storage.tags"`
}

func (s *Service) updateResourceLimit() *command.Command {
	return command.New(command.Meta{Name: "updateResourceLimit", Object: "resourcelimit", Event: "RESOURCE.LIMIT.UPDATE", Roles: managers, Doc: "Sets a limit of an account or a domain"},
		func(ctx context.Context, r updateLimitRequest) (LimitView, error) {
			of, err := s.subject(ctx, r.Owner)
			if err != nil {
				return LimitView{}, err
			}
			limit := int64(iam.Unlimited)
			if r.Max != nil {
				limit = *r.Max
			}
			set := s.IAM.SetLimit
			if r.Tag != "" {
				set = func(ctx context.Context, of iam.Subject, k iam.Kind, limit int64) (iam.Limit, error) {
					return s.IAM.SetTagLimit(ctx, of, k, r.Tag, limit)
				}
			}
			l, err := set(ctx, of, iam.Kind(*r.Type), limit)
			switch {
			case of.Project != nil:
				about(ctx, "project", of.Project.ID, of.Project.Name, of.Project.Owner())
			case of.Account != nil:
				about(ctx, "account", of.Account.ID, of.Account.Name, of.Account.Owner())
			default:
				about(ctx, "domain", of.Domain.ID, of.Domain.FullName, store.Owner{})
			}
			return limitView(of, l), err
		})
}

type listLimitsRequest struct {
	command.Paging
	command.Scope
	ID       *int64 `json:"id" doc:"the kind of resource, as resourcetype"`
	Type     *int   `json:"resourcetype" doc:"the kind of resource"`
	TypeName string `json:"resourcetypename" doc:"the kind of resource by name, such as user_vm"`
	Tag      string `json:"tag" doc:"only what carries this tag"`
}

func (r listLimitsRequest) wants(k iam.Kind) bool {
	return (r.ID == nil || *r.ID == int64(k)) && (r.Type == nil || *r.Type == int(k)) && (r.TypeName == "" || r.TypeName == k.String())
}

func (s *Service) listResourceLimits() *command.Command {
	return command.New(command.Meta{Name: "listResourceLimits", Object: "resourcelimit", Roles: command.Everyone, Doc: "Lists the limits of an account or a domain"},
		func(ctx context.Context, r listLimitsRequest) (out command.List[LimitView], err error) {
			of, err := s.subject(ctx, r.Owner)
			if err != nil {
				return out, err
			}
			all, err := s.limits(ctx, of, r.Tag)
			if err != nil {
				return out, err
			}
			for _, l := range all {
				if r.wants(l.Kind) {
					out.Items = append(out.Items, limitView(of, l))
				}
			}
			out.Count = len(out.Items)
			return page(out, r.Paging), nil
		})
}

// page cuts a list that was made in memory.
func page[T any](l command.List[T], p command.Paging) command.List[T] {
	from := min(p.Offset(), len(l.Items))
	l.Items = l.Items[from:]
	if n := p.Limit(); n >= 0 {
		l.Items = l.Items[:min(n, len(l.Items))]
	}
	return l
}

type updateCountRequest struct {
	DomainID  string `json:"domainid" ref:"domain" required:"true" doc:"the domain"`
	Account   string `json:"account" doc:"the account; all of the domain without one"`
	ProjectID string `json:"projectid" type:"uuid" doc:"the project"`
	Type      *int   `json:"resourcetype" doc:"the kind of resource; all without one"`
	Tag       string `json:"tag" doc:"only what carries this tag, which is counted whenever it is asked for"`
}

func (s *Service) updateResourceCount() *command.Command {
	return command.New(command.Meta{Name: "updateResourceCount", Object: "resourcecount", Event: "RESOURCE.COUNT.UPDATE", Roles: managers, Doc: "Counts what an account or a domain has anew"},
		func(ctx context.Context, r updateCountRequest) (out command.List[CountView], err error) {
			of, err := s.subject(ctx, command.Owner{Account: r.Account, DomainID: r.DomainID, ProjectID: r.ProjectID})
			if err != nil {
				return out, err
			}
			if err := s.recount(ctx, of); err != nil {
				return out, err
			}
			all, err := s.limits(ctx, of, r.Tag)
			for _, l := range all {
				if r.Type == nil || *r.Type == int(l.Kind) {
					out.Items = append(out.Items, CountView{
						ofNames: namesOf(of),
						Account: nameOf(of), DomainID: of.Domain.ID, Domain: of.Domain.Name, DomainPath: of.Domain.FullName,
						Type: strconv.Itoa(int(l.Kind)), TypeName: l.Kind.String(), Count: l.Used, Tag: l.Tag,
					})
				}
			}
			out.Count = len(out.Items)
			return out, err
		})
}

// limits are those without a tag and then those with, or those of one tag.
func (s *Service) limits(ctx context.Context, of iam.Subject, tag string) (all []iam.Limit, err error) {
	if tag == "" {
		if all, err = s.IAM.Limits(ctx, of); err != nil {
			return nil, err
		}
	}
	key := of.Domain.Path
	if of.Account != nil {
		key = of.Account.ID
	}
	tagged, err := s.IAM.TagLimits(ctx, []string{key})
	for _, l := range tagged[key] {
		if tag == "" || tag == l.Tag {
			all = append(all, l)
		}
	}
	return all, err
}

func (s *Service) recount(ctx context.Context, of iam.Subject) error {
	if of.Account != nil {
		_, err := s.IAM.Recount(ctx, *of.Account, true)
		return err
	}
	_, err := s.IAM.RecountDomain(ctx, of.Domain, true)
	return err
}
