package iamcmd

import (
	"cmp"
	"context"
	"time"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/store"
)

// KeysView is a user's key pair. The secret is there when the pair is made, and
// never again.
type KeysView struct {
	APIKey      string       `json:"apikey" doc:"the API key"`
	SecretKey   string       `json:"secretkey" doc:"the secret, in the answer that makes the pair alone"`
	Access      bool         `json:"apikeyaccess" doc:"whether the keys may be used"`
	ID          string       `json:"id" doc:"the id of the pair"`
	UserID      string       `json:"userid" doc:"the user"`
	Name        string       `json:"name" doc:"the name of the pair"`
	Description string       `json:"description" doc:"what the pair is for"`
	Created     command.Time `json:"created" doc:"when it was made"`
	Start       command.Time `json:"startdate" doc:"from when it may be used"`
	End         command.Time `json:"enddate" doc:"until when it may be used"`
	CIDRs       []string     `json:"cidrs" doc:"from where it may be used; none for anywhere"`
	Restricted  bool         `json:"restricted" doc:"whether it has rules that take from what its user may"`
	Used        command.Time `json:"lastused" doc:"when it was last used, to some minutes"`
}

func keysView(k iam.Keys) KeysView {
	v := pairView(k.KeyPair)
	v.SecretKey, v.Access = k.Secret, k.Usable
	return v
}

func pairView(k iam.KeyPair) KeysView {
	at := func(t *time.Time) command.Time { return command.Time{Time: *cmp.Or(t, &time.Time{})} }
	return KeysView{
		APIKey: k.APIKey, ID: k.ID, UserID: k.UserID, Name: k.Name, Description: k.Description, Created: command.Time{Time: k.CreatedAt},
		Start: at(k.StartsAt), End: at(k.ExpiresAt), CIDRs: append([]string{}, k.Prefixes()...), Restricted: len(k.Rules) > 0, Used: at(k.UsedAt),
	}
}

type keyRule struct {
	Rule        string `json:"rule" required:"true" doc:"a command, or a pattern with *"`
	Permission  string `json:"permission" required:"true" enum:"allow,deny" doc:"allow or deny"`
	Description string `json:"description" doc:"what the rule is for"`
}

type registerKeysRequest struct {
	ID          string       `json:"id" ref:"user" required:"true" doc:"the id of the user"`
	Name        string       `json:"name" doc:"the name of the pair; without one it is the default pair, which replaces the one before"`
	Description string       `json:"description" max:"1024" doc:"what the pair is for"`
	Start       command.Date `json:"startdate" doc:"from when it may be used"`
	End         command.Date `json:"enddate" day:"end" doc:"until when it may be used"`
	CIDRs       []string     `json:"cidrs" doc:"addresses and CIDRs that it may be used from; anywhere without them"`
	Rules       []keyRule    `json:"rules" doc:"rules in order, which take from what the user may: rules[0].rule, rules[0].permission, rules[0].description"`
}

func (s *Service) registerUserKeys() *command.Command {
	return command.New(command.Meta{Name: "registerUserKeys", Object: "userkeys", Event: "REGISTER.USER.KEY", Roles: command.Everyone, Doc: "Gives a user an API key pair; the secret is shown this once"},
		func(ctx context.Context, r registerKeysRequest) (KeysView, error) {
			n := iam.NewKeys{UserID: r.ID, Name: r.Name, Description: r.Description, StartsAt: r.Start.Time, ExpiresAt: r.End.Time, CIDRs: r.CIDRs}
			for _, one := range r.Rules {
				n.Rules = append(n.Rules, iam.KeyRule{Pattern: one.Rule, Allow: one.Permission == allow, Description: one.Description})
			}
			k, err := s.IAM.AddKeys(ctx, n)
			return keysView(k), err
		})
}

func (s *Service) getUserKeys() *command.Command {
	return command.New(command.Meta{Name: "getUserKeys", Object: "userkeys", Roles: command.Everyone, Since: "4.10.0", Doc: "Shows the latest of a user's API keys, without the secret"},
		func(ctx context.Context, r userID) (KeysView, error) {
			k, err := s.IAM.KeysOf(ctx, r.ID)
			if err != nil || k.ID == "" {
				return KeysView{}, err
			}
			return keysView(k), nil
		})
}

type listKeysRequest struct {
	command.Paging
	ID     string `json:"id" ref:"apikey" doc:"the id of the pair"`
	UserID string `json:"userid" ref:"user" doc:"the user; the caller without one"`
	All    bool   `json:"listall" doc:"true lists the pairs of all users that the caller may see"`
}

func (s *Service) listUserKeys() *command.Command {
	return command.New(command.Meta{Name: "listUserKeys", Object: "userkeys", Roles: command.Everyone, Doc: "Lists API key pairs, without their secrets"},
		func(ctx context.Context, r listKeysRequest) (out command.List[KeysView], err error) {
			q := command.Equal(s.IAM.DB().In(ctx).Model(&iam.KeyPair{}), "id", r.ID)
			if q, err = s.keysOfWhom(ctx, q, r); err != nil {
				return out, err
			}
			rows, count, err := command.Rows[iam.KeyPair](r.Search(q, "name", "description"), r.Paging, "user_id, name, id")
			return command.ListOf(rows, count, pairView), err
		})
}

func (s *Service) keysOfWhom(ctx context.Context, q *gorm.DB, r listKeysRequest) (*gorm.DB, error) {
	if r.All || r.ID != "" && r.UserID == "" {
		return q, nil
	}
	id := r.UserID
	if id == "" {
		a, _ := store.From(ctx)
		id = a.UserID
	} else if u, err := s.IAM.UserByID(ctx, id); err != nil {
		return nil, err
	} else {
		id = u.ID
	}
	return q.Where("user_id = ?", id), nil
}

type keysID struct {
	ID string `json:"id" ref:"apikey" required:"true" doc:"the id of the pair"`
}

func (s *Service) deleteUserKeys() *command.Command {
	return command.New(command.Meta{Name: "deleteUserKeys", Event: "DELETE.USER.KEY", Roles: command.Everyone, Doc: "Ends an API key pair"},
		func(ctx context.Context, r keysID) (command.Success, error) {
			k, err := s.IAM.DeleteKeys(ctx, r.ID)
			if err != nil {
				return command.Success{}, err
			}
			about(ctx, "apikey", k.ID, k.Name, k.Owner())
			return command.OK, nil
		})
}

// KeyRuleView is a rule of a key pair.
type KeyRuleView struct {
	Rule        string `json:"rule" doc:"a command, or a pattern with *"`
	Permission  string `json:"permission" doc:"allow or deny"`
	Description string `json:"description" doc:"what the rule is for"`
}

func (s *Service) listUserKeyRules() *command.Command {
	return command.New(command.Meta{Name: "listUserKeyRules", Object: "keyrule", Roles: command.Everyone, Doc: "Lists the rules of an API key pair in their order"},
		func(ctx context.Context, r keysID) (command.List[KeyRuleView], error) {
			k, err := s.IAM.KeysByID(ctx, r.ID)
			rules := k.KeyRules()
			return command.ListOf(rules, len(rules), func(r iam.KeyRule) KeyRuleView {
				v := KeyRuleView{r.Pattern, deny, r.Description}
				if r.Allow {
					v.Permission = allow
				}
				return v
			}), err
		})
}
