package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/store"
)

// LinkView is a link as the API shows it.
type LinkView struct {
	DomainID  string `json:"domainid" doc:"the domain"`
	Type      string `json:"type" doc:"GROUP or OU"`
	Name      string `json:"name" doc:"the DN of the group or unit"`
	LDAP      string `json:"ldapdomain" doc:"the DN of the group or unit"`
	Rank      int    `json:"accounttype" doc:"the type of the accounts that are made"`
	AccountID string `json:"accountid" doc:"the account that is linked, or that of the admin who was imported"`
}

type linkDomainRequest struct {
	DomainID string `json:"domainid" ref:"domain" required:"true" doc:"the domain"`
	Type     string `json:"type" enum:"GROUP,OU" required:"true" doc:"GROUP or OU"`
	DN       string `json:"ldapdomain" max:"500" doc:"the DN of the group or unit"`
	Name     string `json:"name" max:"500" doc:"the same, as it was called before"`
	Rank     int    `json:"accounttype" required:"true" range:"0..2" doc:"the type of the accounts that are made: 0 user, 2 domain admin"`
	Admin    string `json:"admin" doc:"a user of the directory who becomes the domain's admin"`
}

func (s *Service) linkDomain() *command.Command {
	return command.New(command.Meta{Name: "linkDomainToLdap", Object: "LinkDomainToLdap", Event: "LDAP.LINK", Roles: command.Admin, Since: "4.6.0", Doc: "Lets a directory's group or unit into a domain"},
		func(ctx context.Context, r linkDomainRequest) (LinkView, error) {
			if r.DN == "" {
				r.DN = r.Name
			}
			l, err := s.IAM.LinkLDAP(ctx, iam.LDAPLink{DomainID: r.DomainID, Type: r.Type, Name: r.DN, AccountType: store.Rank(r.Rank)})
			if err != nil {
				return LinkView{}, err
			}
			v := LinkView{DomainID: l.DomainID, Type: l.Type, Name: l.Name, LDAP: l.Name, Rank: int(l.AccountType)}
			if r.Admin == "" {
				return v, nil
			}
			a, _, err := s.IAM.CreateAccount(ctx, iam.CreateAccount{
				DomainID: l.DomainID, RoleID: iam.RoleDomainAdmin,
				User: iam.NewUser{Username: r.Admin, Source: iam.LDAP},
			})
			v.AccountID = a.ID
			return v, err
		})
}

type linkAccountRequest struct {
	Account  string `json:"account" required:"true" doc:"the account; made when it is not there"`
	DomainID string `json:"domainid" ref:"domain" required:"true" doc:"the domain of the account"`
	DN       string `json:"ldapdomain" required:"true" max:"500" doc:"the DN of the group or unit"`
	Type     string `json:"type" enum:"GROUP,OU" doc:"GROUP, which is the default, or OU"`
	Rank     *int   `json:"accounttype" range:"0..2" doc:"the type of a new account: 0 user, 1 admin, 2 domain admin"`
	RoleID   string `json:"roleid" ref:"role" doc:"the role of a new account"`
	Admin    string `json:"admin" doc:"a user of the directory who becomes a user of the account"`
}

func (s *Service) linkAccount() *command.Command {
	return command.New(command.Meta{Name: "linkAccountToLdap", Object: "LinkAccountToLdap", Event: "LDAP.LINK", Roles: command.Admin, Since: "4.11.0", Doc: "Makes the people of a directory's group or unit users of an account"},
		func(ctx context.Context, r linkAccountRequest) (LinkView, error) {
			in := iam.LinkAccount{DomainID: r.DomainID, Account: r.Account, Type: r.Type, Name: r.DN, RoleID: r.RoleID, Admin: r.Admin}
			if r.Rank != nil {
				in.Rank = accountRank(r.Rank, "")
			}
			l, a, err := s.IAM.LinkAccountLDAP(ctx, in)
			if err != nil {
				return LinkView{}, err
			}
			about(ctx, "account", a.ID, a.Name, a.Owner())
			return LinkView{DomainID: l.DomainID, Type: l.Type, Name: l.Name, LDAP: l.Name, Rank: int(a.Type), AccountID: a.ID}, nil
		})
}
