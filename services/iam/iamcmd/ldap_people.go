package iamcmd

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/store"
)

// PersonView is somebody in a directory.
type PersonView struct {
	Username    string `json:"username" doc:"the user name"`
	FirstName   string `json:"firstname" doc:"the first name"`
	LastName    string `json:"lastname" doc:"the last name"`
	Email       string `json:"email" doc:"the mail address"`
	Principal   string `json:"principal" doc:"the DN"`
	Domain      string `json:"domain" doc:"the organisational unit"`
	Conflicting string `json:"conflictingusersource" doc:"where the user of that name in the domain signs in, if there is one: native or ldap"`
}

func personView(p iam.DirectoryPerson) PersonView {
	return PersonView{p.Username, p.FirstName, p.LastName, p.Email, p.DN, p.Unit, p.Taken}
}

type listLDAPUsersRequest struct {
	command.Paging
	DomainID string `json:"domainid" ref:"domain" doc:"the domain whose directories are asked; the caller's without one"`
	ListType string `json:"listtype" enum:"all,new" doc:"all, or new for those who are no users yet"`
	Filter   string `json:"userfilter" enum:"NoFilter,LocalDomain,AnyDomain,PotentialImport" doc:"who is left out: NoFilter nobody, LocalDomain users of the domain, AnyDomain users of any, PotentialImport users that came from the directory"`
}

func (s *Service) listLDAPUsers() *command.Command {
	return command.New(command.Meta{Name: "listLdapUsers", Object: "LdapUser", Roles: command.Admin, Since: "4.2.0", Doc: "Lists people of a domain's directories"},
		func(ctx context.Context, r listLDAPUsersRequest) (command.List[PersonView], error) {
			if r.Filter == "" && r.ListType == "new" {
				r.Filter = iam.AnyDomain
			}
			people, err := s.IAM.DirectoryPeople(ctx, iam.DirectoryQuery{DomainID: r.DomainID, Keyword: r.Keyword, Filter: r.Filter})
			return page(command.ListOf(people, len(people), personView), r.Paging), err
		})
}

type searchLDAPRequest struct {
	command.Paging
	Query string `json:"query" required:"true" doc:"a part of a name, an address or a DN"`
}

func (s *Service) searchLDAP() *command.Command {
	return command.New(command.Meta{Name: "searchLdap", Object: "LdapUser", Roles: command.Admin, Since: "4.2.0", Doc: "Searches people in the directories of the caller's domain"},
		func(ctx context.Context, r searchLDAPRequest) (command.List[PersonView], error) {
			people, err := s.IAM.DirectoryPeople(ctx, iam.DirectoryQuery{Keyword: strings.Trim(r.Query, "*")})
			if err == nil && r.Keyword != "" {
				people = having(people, r.Keyword)
			}
			return page(command.ListOf(people, len(people), personView), r.Paging), err
		})
}

func having(people []iam.DirectoryPerson, word string) (out []iam.DirectoryPerson) {
	for _, p := range people {
		if strings.Contains(strings.ToLower(p.Username+" "+p.Email+" "+p.DN), strings.ToLower(word)) {
			out = append(out, p)
		}
	}
	return out
}

type importLDAPRequest struct {
	command.Paging
	Account  string            `json:"account" doc:"the account that all become users of; without it each gets one of its own"`
	Details  map[string]string `json:"accountdetails" doc:"details of new accounts"`
	Rank     *int              `json:"accounttype" range:"0..2" doc:"the type of new accounts: 0 user, 1 admin, 2 domain admin"`
	DomainID string            `json:"domainid" ref:"domain" doc:"the domain; without it one of the group's name, or of each person's unit, which is made"`
	Group    string            `json:"group" max:"500" doc:"the group whose people are imported: its name or DN; all people without it"`
	RoleID   string            `json:"roleid" ref:"role" doc:"the role of new accounts"`
	Timezone string            `json:"timezone" doc:"the time zone of new users"`
}

func (s *Service) importLDAP() *command.Command {
	return command.NewReady(command.Meta{Name: "importLdapUsers", Object: "LdapUser", Event: "LDAP.IMPORT", Roles: command.Admin, Since: "4.3.0", Doc: "Makes users of people of a directory"},
		func(ctx context.Context, r importLDAPRequest) (iam.ImportLDAP, error) {
			in := iam.ImportLDAP{
				DirectoryQuery: iam.DirectoryQuery{DomainID: r.DomainID, Group: r.Group, Keyword: r.Keyword},
				Account:        r.Account, RoleID: r.RoleID, Rank: accountRank(r.Rank, r.RoleID), Details: r.Details, Timezone: r.Timezone, Offset: r.Offset(),
			}
			in.Limit = max(r.Limit(), 0)
			return s.IAM.ReadyImport(ctx, in)
		},
		func(ctx context.Context, r iam.ImportLDAP) (command.List[PersonView], error) {
			made, err := s.IAM.Import(ctx, r)
			return command.ListOf(made, len(made), personView), err
		})
}

// accountRank is the type of an account as it was given; with neither type nor role it
// is a user's.
func accountRank(given *int, roleID string) *store.Rank {
	if given == nil && roleID != "" {
		return nil
	}
	r := store.User
	if given != nil {
		r = store.Rank(*given)
	}
	return &r
}

type ldapAccountRequest struct {
	Username  string            `json:"username" required:"true" doc:"the user's name in the directory"`
	Account   string            `json:"account" doc:"the account; named like the user without it, and made when it is not there"`
	Details   map[string]string `json:"accountdetails" doc:"details of a new account"`
	AccountID string            `json:"accountid" doc:"the id that a new account is to have"`
	Rank      *int              `json:"accounttype" range:"0..2" doc:"the type of a new account: 0 user, 1 admin, 2 domain admin"`
	DomainID  string            `json:"domainid" ref:"domain" doc:"the domain; the caller's without one"`
	Network   string            `json:"networkdomain" doc:"the network domain of a new account"`
	RoleID    string            `json:"roleid" ref:"role" doc:"the role of a new account"`
	Timezone  string            `json:"timezone" doc:"the time zone of the user"`
	UserID    string            `json:"userid" doc:"the id that the user is to have"`
}

func (s *Service) ldapCreateAccount() *command.Command {
	return command.NewReady(command.Meta{Name: "ldapCreateAccount", Object: "account", Event: "ACCOUNT.CREATE", Roles: command.Admin, Since: "4.2.0", Doc: "Makes a user of somebody in a directory, with an account if need be"},
		func(ctx context.Context, r ldapAccountRequest) (in iam.ImportLDAP, err error) {
			in = iam.ImportLDAP{
				DirectoryQuery: iam.DirectoryQuery{DomainID: r.DomainID, Keyword: r.Username}, Usernames: []string{r.Username},
				Account: r.Account, RoleID: r.RoleID, Rank: accountRank(r.Rank, r.RoleID), Details: r.Details, Timezone: r.Timezone, Network: r.Network,
			}
			if in.AccountID, err = wished(ctx, "accountid", r.AccountID); err != nil {
				return in, err
			}
			if in.UserID, err = wished(ctx, "userid", r.UserID); err != nil {
				return in, err
			}
			return s.IAM.ReadyImport(ctx, in)
		},
		func(ctx context.Context, r iam.ImportLDAP) (AccountView, error) {
			a, err := s.IAM.ImportOne(ctx, r)
			if err != nil {
				return AccountView{}, err
			}
			return s.accountView(ctx, a)
		})
}
