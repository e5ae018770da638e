package iamcmd

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/label"
	"aerie/services/store"
)

// AccountView is an account as the API shows it.
type AccountView struct {
	ID              string            `json:"id" doc:"the id of the account"`
	Name            string            `json:"name" doc:"the name of the account"`
	Type            int               `json:"accounttype" doc:"the type: 1 admin, 2 domain admin, 0 user"`
	RoleID          string            `json:"roleid" doc:"the id of its role"`
	RoleType        string            `json:"roletype" doc:"the type of its role"`
	RoleName        string            `json:"rolename" doc:"the name of its role"`
	DomainID        string            `json:"domainid" doc:"the domain"`
	Domain          string            `json:"domain" doc:"the name of the domain"`
	DomainPath      string            `json:"domainpath" doc:"the path of the domain"`
	State           string            `json:"state" doc:"enabled, disabled or locked"`
	Created         command.Time      `json:"created" doc:"when the account was created"`
	CleanupRequired bool              `json:"iscleanuprequired" doc:"whether it is being removed"`
	NetworkDomain   string            `json:"networkdomain" doc:"the network domain"`
	Details         map[string]string `json:"accountdetails" doc:"details of the account"`
	APIKeyAccess    string            `json:"apikeyaccess" doc:"whether its API keys may be used"`
	IsDefault       bool              `json:"isdefault" doc:"whether it is the first admin"`
	DefaultZoneID   string            `json:"defaultzoneid" doc:"the zone that is proposed for its new instances"`
	Running         int               `json:"vmrunning" doc:"instances that run"`
	Stopped         int               `json:"vmstopped" doc:"instances that are stopped"`
	Received        int64             `json:"receivedbytes,omitempty" doc:"bytes received"`
	Sent            int64             `json:"sentbytes,omitempty" doc:"bytes sent"`
	Users           []UserView        `json:"user" doc:"the account's users"`
	Groups          []string          `json:"groups" doc:"names of the account's instance groups"`
	Icon            *label.Icon       `json:"icon" doc:"its icon"`
	Limits
}

type listAccountsRequest struct {
	command.Paging
	label.Show
	ID              string   `json:"id" ref:"account" doc:"the id of the account"`
	Name            string   `json:"name" doc:"the name of the account"`
	Type            *int     `json:"accounttype" doc:"the type: 1 admin, 2 domain admin, 0 user"`
	State           string   `json:"state" enum:"enabled,disabled,locked" doc:"the state"`
	DomainID        string   `json:"domainid" ref:"domain" doc:"the domain"`
	Recursive       bool     `json:"isrecursive" doc:"true lists the domains below domainid too"`
	ListAll         bool     `json:"listall" doc:"true lists everything the caller may see"`
	CleanupRequired *bool    `json:"iscleanuprequired" doc:"accounts that are being removed"`
	APIKeyAccess    string   `json:"apikeyaccess" doc:"accounts with this access by keys"`
	Details         []string `json:"details" doc:"min leaves out limits; all is the default"`
	Tag             string   `json:"tag" doc:"only this tag in taggedresources"`
}

func (s *Service) listAccounts() *command.Command {
	return command.New(command.Meta{Name: "listAccounts", Object: "account", Roles: command.Everyone, Doc: "Lists accounts"},
		func(ctx context.Context, r listAccountsRequest) (out command.List[AccountView], err error) {
			q, err := s.accountScope(ctx, r)
			if err != nil {
				return out, err
			}
			q = command.Equal(command.Named(command.Equal(q, "id", r.ID), "name", r.Name), "state", r.State)
			q = command.Named(q, "api_key_access", r.APIKeyAccess)
			if r.Type != nil {
				q = q.Where("type = ?", *r.Type)
			}
			if r.CleanupRequired != nil {
				q = q.Where("closing_at IS NOT NULL = ?", *r.CleanupRequired)
			}
			rows, count, err := command.Rows[iam.Account](r.Search(q, "name"), r.Paging, "domain_path, name, id")
			if err != nil {
				return out, err
			}
			views, err := s.accountViews(withTag(ctx, r.Tag), rows, !slices.Contains(r.Details, "min"))
			if err == nil && r.Icon {
				err = s.accountIcons(ctx, views)
			}
			return command.List[AccountView]{Count: count, Items: views}, err
		})
}

// accountIcons shows the icons of accounts and of their users: one query.
func (s *Service) accountIcons(ctx context.Context, views []AccountView) error {
	var ids []string
	for _, v := range views {
		ids = append(ids, v.ID)
		for _, u := range v.Users {
			ids = append(ids, u.ID)
		}
	}
	l, err := label.Of(ctx, s.IAM.DB(), label.Want{IDs: ids, Icons: true})
	for i := range views {
		views[i].Icon = l.Icon(views[i].ID)
		for j := range views[i].Users {
			views[i].Users[j].Icon = l.Icon(views[i].Users[j].ID)
		}
	}
	return err
}

// accountScope narrows to whose accounts are asked for: a name alone means the
// caller's domain.
func (s *Service) accountScope(ctx context.Context, r listAccountsRequest) (*gorm.DB, error) {
	q := s.IAM.DB().In(ctx).Model(&iam.Account{})
	a, _ := store.From(ctx)
	switch {
	case r.DomainID != "":
		path, err := s.IAM.LookupDomain(ctx, r.DomainID)
		if store.IsAbsent(err) { // removed
			return q.Where("1 = 0"), nil
		}
		if err != nil {
			return nil, err
		}
		if r.Recursive {
			return q.Where(clause.Like{Column: store.Column("domain_path"), Value: path + "%"}), nil
		}
		return q.Where("domain_path = ?", path), nil
	case r.ID != "" || r.ListAll || a.IsSystem():
		return q, nil
	case r.Name != "":
		return q.Where("domain_id = ?", a.DomainID), nil
	}
	return q.Where("id = ?", a.AccountID), nil
}

// accountViews asks once for each kind of what belongs to accounts.
func (s *Service) accountViews(ctx context.Context, rows []iam.Account, limits bool) ([]AccountView, error) {
	ids := make([]string, len(rows))
	for i, a := range rows {
		ids[i] = a.ID
	}
	var users []iam.User
	if err := s.IAM.DB().In(ctx).Where("account_id IN ?", ids).Order("username, id").Find(&users).Error; err != nil {
		return nil, err
	}
	usersOf := make(map[string][]iam.User, len(rows))
	for _, u := range users {
		usersOf[u.AccountID] = append(usersOf[u.AccountID], u)
	}
	surroundings, err := s.surroundings(ctx, rows)
	if err != nil {
		return nil, err
	}
	if surroundings.keys, err = s.keysIn(ctx, users); err != nil {
		return nil, err
	}
	var of map[string][]iam.Limit
	if limits {
		if of, err = s.IAM.LimitsOf(ctx, ids); err != nil {
			return nil, err
		}
	}
	var tagged map[string][]iam.Limit
	if limits {
		if tagged, err = s.IAM.TagLimits(ctx, ids); err != nil {
			return nil, err
		}
	}
	work := map[string]Work{}
	if s.Work != nil && limits {
		if work, err = s.Work(ctx, ids); err != nil {
			return nil, err
		}
	}
	groups := map[string][]string{}
	if s.Groups != nil {
		if groups, err = s.Groups(ctx, ids); err != nil {
			return nil, err
		}
	}
	views := make([]AccountView, len(rows))
	for i, a := range rows {
		v := surroundings.account(a)
		v.Groups = append([]string{}, groups[a.ID]...)
		v.Running, v.Stopped, v.Received, v.Sent = work[a.ID].Running, work[a.ID].Stopped, work[a.ID].Received, work[a.ID].Sent
		for _, u := range usersOf[a.ID] {
			v.Users = append(v.Users, surroundings.user(ctx, u))
		}
		if limits {
			v.Fill(of[a.ID])
			v.Tagged = taggedTexts(tagged[a.ID], tagOf(ctx))
		}
		views[i] = v
	}
	return views, nil
}

func (s *Service) accountView(ctx context.Context, a iam.Account) (AccountView, error) {
	about(ctx, "account", a.ID, a.Name, a.Owner())
	views, err := s.accountViews(ctx, []iam.Account{a}, true)
	if err != nil {
		return AccountView{}, err
	}
	return views[0], nil
}

// accountRef is embedded by requests that name an account in either way.
type accountRef struct {
	ID       string `json:"id" ref:"account" doc:"the id of the account"`
	Account  string `json:"account" doc:"the name of the account, with domainid"`
	DomainID string `json:"domainid" ref:"domain" doc:"the domain of the account"`
}

func (r accountRef) ref() iam.AccountRef {
	return iam.AccountRef{ID: r.ID, Name: r.Account, DomainID: r.DomainID}
}

type newUser struct {
	Username  string `json:"username" required:"true" doc:"the name to sign in with"`
	Password  string `json:"password" required:"true" secret:"true" max:"1024" doc:"the password"`
	FirstName string `json:"firstname" required:"true" doc:"the first name"`
	LastName  string `json:"lastname" required:"true" doc:"the last name"`
	Email     string `json:"email" required:"true" doc:"the mail address"`
	Timezone  string `json:"timezone" doc:"the time zone, such as Europe/Vienna"`
	UserID    string `json:"userid" view:"admin" doc:"the id that the user is to have"`
}

// readyUser is the user to be, with its password hashed.
func (s *Service) readyUser(ctx context.Context, r newUser, domainID string) (iam.NewUser, error) {
	id, err := wished(ctx, "userid", r.UserID)
	if err != nil {
		return iam.NewUser{}, err
	}
	return s.IAM.ReadyUser(ctx, iam.NewUser{
		Username: r.Username, Password: r.Password, FirstName: r.FirstName, LastName: r.LastName,
		Email: r.Email, Timezone: r.Timezone, ID: id, DomainID: domainID,
	})
}

type createAccountRequest struct {
	newUser
	Account       string            `json:"account" doc:"the name of the account; the user's name without one"`
	AccountID     string            `json:"accountid" view:"admin" doc:"the id that the account is to have"`
	Type          *int              `json:"accounttype" range:"0..2" doc:"the type: 1 admin, 2 domain admin, 0 user; or give roleid"`
	RoleID        string            `json:"roleid" ref:"role" loose:"true" doc:"the role; or give accounttype"`
	DomainID      string            `json:"domainid" ref:"domain" doc:"the domain; the caller's without one"`
	NetworkDomain string            `json:"networkdomain" doc:"the network domain of the account's networks"`
	Details       map[string]string `json:"accountdetails" doc:"details of the account"`
}

func (s *Service) createAccount() *command.Command {
	return command.NewReady(command.Meta{Name: "createAccount", Object: "account", Event: "ACCOUNT.CREATE", Roles: managers, Doc: "Creates an account with its first user"},
		func(ctx context.Context, r createAccountRequest) (iam.CreateAccount, error) {
			id, err := wished(ctx, "accountid", r.AccountID)
			if err != nil {
				return iam.CreateAccount{}, err
			}
			user, err := s.readyUser(ctx, r.newUser, r.DomainID)
			return iam.CreateAccount{
				Name: r.Account, DomainID: r.DomainID, RoleID: r.RoleID, Type: rank(r.Type, r.RoleID),
				NetworkDomain: r.NetworkDomain, Details: r.Details, ID: id, User: user,
			}, err
		},
		func(ctx context.Context, r iam.CreateAccount) (AccountView, error) {
			a, _, err := s.IAM.CreateAccount(ctx, r)
			if err != nil {
				return AccountView{}, err
			}
			return s.accountView(ctx, a)
		})
}

// rank is the account type that was given; a role wins over it.
func rank(t *int, roleID string) *store.Rank {
	if t == nil || roleID != "" {
		return nil
	}
	r := store.Rank(*t)
	return &r
}

type updateAccountRequest struct {
	accountRef
	NewName       string            `json:"newname" doc:"the new name"`
	NetworkDomain *string           `json:"networkdomain" doc:"the network domain; empty for none"`
	RoleID        string            `json:"roleid" ref:"role" doc:"the new role, of the same type"`
	APIKeyAccess  string            `json:"apikeyaccess" view:"admin" doc:"whether its API keys may be used: enabled, disabled or inherit"`
	Details       map[string]string `json:"accountdetails" doc:"details of the account"`
}

func (s *Service) updateAccount() *command.Command {
	return command.New(command.Meta{Name: "updateAccount", Object: "account", Event: "ACCOUNT.UPDATE", Roles: managers, Doc: "Changes an account"},
		func(ctx context.Context, r updateAccountRequest) (AccountView, error) {
			a, err := s.IAM.UpdateAccount(ctx, iam.UpdateAccount{
				AccountRef: r.ref(), NewName: given(r.NewName), NetworkDomain: r.NetworkDomain,
				RoleID: given(r.RoleID), APIKeyAccess: given(r.APIKeyAccess), Details: r.Details,
			})
			if err != nil {
				return AccountView{}, err
			}
			return s.accountView(ctx, a)
		})
}

// accountByID is the view of a job's account, which may be gone by then.
func (s *Service) accountByID(ctx context.Context, id string) (AccountView, error) {
	a, err := s.IAM.AccountByID(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return AccountView{ID: id}, nil
	}
	if err != nil {
		return AccountView{}, err
	}
	return s.accountView(ctx, a)
}
