package iamcmd

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/label"
	"aerie/services/store"
)

// UserView is a user as the API shows it; secrets are never in it.
type UserView struct {
	ID            string       `json:"id" doc:"the id of the user"`
	Username      string       `json:"username" doc:"the name to sign in with"`
	FirstName     string       `json:"firstname" doc:"the first name"`
	LastName      string       `json:"lastname" doc:"the last name"`
	Email         string       `json:"email" doc:"the mail address"`
	Created       command.Time `json:"created" doc:"when the user was created"`
	State         string       `json:"state" doc:"enabled, disabled or locked"`
	Account       string       `json:"account" doc:"the name of the account"`
	AccountID     string       `json:"accountid" doc:"the id of the account"`
	Type          int          `json:"accounttype" doc:"the type of the account"`
	UserSource    string       `json:"usersource" doc:"native, ldap, oauth2 or saml2"`
	RoleID        string       `json:"roleid" doc:"the id of the role"`
	RoleType      string       `json:"roletype" doc:"the type of the role"`
	RoleName      string       `json:"rolename" doc:"the name of the role"`
	DomainID      string       `json:"domainid" doc:"the domain"`
	Domain        string       `json:"domain" doc:"the name of the domain"`
	Timezone      string       `json:"timezone" doc:"the time zone"`
	APIKey        string       `json:"apikey" doc:"the API key"`
	APIKeyAccess  string       `json:"apikeyaccess" doc:"whether its API keys may be used"`
	IsDefault     bool         `json:"isdefault" doc:"whether it is the first admin"`
	ChildDomain   bool         `json:"iscallerchilddomain" doc:"whether its domain is below the caller's"`
	TwoFactor     bool         `json:"is2faenabled" doc:"whether it signs in with two factors"`
	TwoFactorMust bool         `json:"is2famandated" doc:"whether it must"`
	Icon          *label.Icon  `json:"icon" doc:"its icon"`
}

type listUsersRequest struct {
	command.Paging
	command.Scope
	label.Show
	ID           string `json:"id" ref:"user" doc:"the id of the user"`
	Username     string `json:"username" doc:"the name of the user"`
	Type         *int   `json:"accounttype" doc:"the type of the account"`
	State        string `json:"state" enum:"enabled,disabled,locked" doc:"the state"`
	UserSource   string `json:"usersource" enum:"native,ldap,oauth2,saml2" doc:"where the password is checked"`
	APIKeyAccess string `json:"apikeyaccess" doc:"users with this access by keys"`
}

func (s *Service) listUsers() *command.Command {
	return command.New(command.Meta{Name: "listUsers", Object: "user", Roles: command.Everyone, Doc: "Lists users"},
		func(ctx context.Context, r listUsersRequest) (out command.List[UserView], err error) {
			q := s.IAM.DB().In(ctx).Model(&iam.User{})
			if q, err = r.Apply(ctx, q, r.ID); err != nil {
				return out, err
			}
			q = command.Equal(command.Named(command.Equal(q, "id", r.ID), "username", r.Username), "state", r.State)
			q = command.Named(command.Equal(q, "source", r.UserSource), "api_key_access", r.APIKeyAccess)
			if r.Type != nil {
				q = q.Where("account_id IN (?)", s.IAM.DB().In(ctx).Model(&iam.Account{}).Where("type = ?", *r.Type).Select("id"))
			}
			rows, count, err := command.Rows[iam.User](r.Search(q, "username", "first_name", "last_name", "email"), r.Paging, "username, id")
			if err != nil {
				return out, err
			}
			views, err := s.userViews(ctx, rows)
			if err == nil {
				err = label.Fill(ctx, s.IAM.DB(), views, label.Want{Icons: r.Icon}, func(v *UserView) string { return v.ID }, func(v *UserView, l label.Shown) { v.Icon = l.Icon(v.ID) })
			}
			return command.List[UserView]{Count: count, Items: views}, err
		})
}

func (s *Service) userViews(ctx context.Context, rows []iam.User) ([]UserView, error) {
	ids := make([]string, len(rows))
	for i, u := range rows {
		ids[i] = u.AccountID
	}
	var accounts []iam.Account
	if err := s.IAM.DB().In(ctx).Where("id IN ?", distinct(ids)).Select("id, name, type, domain_id, role_id").Find(&accounts).Error; err != nil {
		return nil, err
	}
	around, err := s.surroundings(ctx, accounts)
	if err != nil {
		return nil, err
	}
	if around.keys, err = s.keysIn(ctx, rows); err != nil {
		return nil, err
	}
	views := make([]UserView, len(rows))
	for i, u := range rows {
		views[i] = around.user(ctx, u)
	}
	return views, nil
}

func (s *Service) userView(ctx context.Context, u iam.User) (UserView, error) {
	about(ctx, "user", u.ID, u.Username, u.Owner())
	views, err := s.userViews(ctx, []iam.User{u})
	if err != nil {
		return UserView{}, err
	}
	return views[0], nil
}

// surroundings are the rows that accounts and users are shown with.
type surroundings struct {
	accounts map[string]iam.Account
	domains  map[string]iam.Domain
	roles    map[string]iam.Role
	keys     map[string]string // of users, see Service.keysIn
}

// keysIn are the latest API keys of users.
func (s *Service) keysIn(ctx context.Context, users []iam.User) (map[string]string, error) {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return s.IAM.APIKeys(ctx, ids)
}

func distinct(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (s *Service) surroundings(ctx context.Context, accounts []iam.Account) (around surroundings, err error) {
	var domainIDs, roleIDs []string
	around = surroundings{accounts: map[string]iam.Account{}, domains: map[string]iam.Domain{}, roles: map[string]iam.Role{}}
	for _, a := range accounts {
		around.accounts[a.ID] = a
		domainIDs, roleIDs = append(domainIDs, a.DomainID), append(roleIDs, a.RoleID)
	}
	g := s.IAM.DB().In(store.System(ctx, "domains and roles of accounts that were found"))
	var domains []iam.Domain
	if err := g.Where("id IN ?", distinct(domainIDs)).Select("id, name, full_name, path").Find(&domains).Error; err != nil {
		return around, err
	}
	var roles []iam.Role
	if err := g.Where("id IN ?", distinct(roleIDs)).Select("id, name, type").Find(&roles).Error; err != nil {
		return around, err
	}
	for _, d := range domains {
		around.domains[d.ID] = d
	}
	for _, r := range roles {
		around.roles[r.ID] = r
	}
	return around, nil
}

func (around surroundings) account(a iam.Account) AccountView {
	d, r := around.domains[a.DomainID], around.roles[a.RoleID]
	return AccountView{
		ID: a.ID, Name: a.Name, Type: int(a.Type), RoleID: a.RoleID, RoleType: r.Type, RoleName: r.Name,
		DomainID: a.DomainID, Domain: d.Name, DomainPath: d.FullName, State: a.State, Created: command.Time{Time: a.CreatedAt},
		NetworkDomain: a.NetworkDomain, Details: a.DetailMap(), APIKeyAccess: a.APIKeyAccess, IsDefault: a.IsDefault, CleanupRequired: a.ClosingAt != nil, DefaultZoneID: *cmp.Or(a.DefaultZoneID, new(string)),
	}
}

func (around surroundings) user(ctx context.Context, u iam.User) UserView {
	a := around.accounts[u.AccountID]
	d, r := around.domains[u.DomainID], around.roles[a.RoleID]
	caller, _ := store.From(ctx)
	v := UserView{
		ID: u.ID, Username: u.Username, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email,
		Created: command.Time{Time: u.CreatedAt}, State: u.State, Account: a.Name, AccountID: u.AccountID, Type: int(a.Type),
		UserSource: u.Source, RoleID: a.RoleID, RoleType: r.Type, RoleName: r.Name, DomainID: u.DomainID, Domain: d.Name,
		Timezone: u.Timezone, APIKeyAccess: u.APIKeyAccess, IsDefault: u.IsDefault,
		ChildDomain: u.DomainPath != caller.DomainPath && strings.HasPrefix(u.DomainPath, caller.DomainPath),
	}
	v.APIKey, v.TwoFactor, v.TwoFactorMust = around.keys[u.ID], u.TwoFactor != "", u.TwoFactorMust
	return v
}

type getUserRequest struct {
	APIKey string `json:"userapikey" required:"true" doc:"the API key of the user"`
}

func (s *Service) getUser() *command.Command {
	return command.New(command.Meta{Name: "getUser", Object: "user", Roles: command.Everyone, Doc: "Finds a user by its API key"},
		func(ctx context.Context, r getUserRequest) (UserView, error) {
			u, err := s.IAM.UserByKey(ctx, r.APIKey)
			if err != nil {
				return UserView{}, err
			}
			return s.userView(ctx, u)
		})
}
