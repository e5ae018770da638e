package iamcmd

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/iam"
)

// ownFactor is what may be called while the second factor is owed, whatever
// the role's rules say; a key's rules do not matter, for keys change no
// credentials.
var ownFactor = map[string]bool{
	"setupUserTwoFactorAuthentication": true, "validateUserTwoFactorAuthenticationCode": true,
	"listUserTwoFactorAuthenticatorProviders": true,
}

// TwoFactorView is a second factor that was set up or taken away. The secret is
// there when it is made, and never again.
type TwoFactorView struct {
	ID         string `json:"id" doc:"the id of the user"`
	Username   string `json:"username" doc:"the name of the user"`
	AccountID  string `json:"accountid" doc:"the account of the user"`
	SecretCode string `json:"secretcode" doc:"the secret for an app, in base32"`
}

type setupTwoFactorRequest struct {
	Enable   *bool  `json:"enable" doc:"false takes the second factor away; true, the default, sets one up, which the first code confirms"`
	Provider string `json:"provider" doc:"totp"`
	UserID   string `json:"userid" ref:"user" doc:"the user whose second factor is taken away; the caller without one"`
}

func (s *Service) setupTwoFactor() *command.Command {
	return command.New(command.Meta{Name: "setupUserTwoFactorAuthentication", Object: "setup2fa", Event: "USER.2FA.SETUP", Roles: command.Everyone, Since: "4.18.0", Doc: "Sets up a second factor for the caller, or takes one away"},
		func(ctx context.Context, r setupTwoFactorRequest) (TwoFactorView, error) {
			if r.Enable != nil && !*r.Enable {
				u, err := s.IAM.EndTwoFactor(ctx, r.UserID)
				if err != nil {
					return TwoFactorView{}, err
				}
				about(ctx, "user", u.ID, u.Username, u.Owner())
				return TwoFactorView{ID: u.ID, Username: u.Username, AccountID: u.AccountID}, nil
			}
			if err := s.IAM.OnlySelf(ctx, r.UserID); err != nil {
				return TwoFactorView{}, err
			}
			e, err := s.IAM.BeginTwoFactor(ctx, r.Provider)
			if err != nil {
				return TwoFactorView{}, err
			}
			about(ctx, "user", e.User.ID, e.User.Username, e.User.Owner())
			return TwoFactorView{ID: e.User.ID, Username: e.User.Username, AccountID: e.User.AccountID, SecretCode: e.Secret}, nil
		})
}

type validateCodeRequest struct {
	Code string `json:"codefor2fa" required:"true" secret:"true" doc:"the code that the app shows, or a recovery code"`
}

func (s *Service) validateTwoFactor() *command.Command {
	return command.NewReady(command.Meta{Name: "validateUserTwoFactorAuthenticationCode", Event: "USER.2FA.VERIFY", Roles: command.Everyone, Since: "4.18.0", Doc: "Proves the second factor of the caller's session, which gets a new id"},
		func(ctx context.Context, r validateCodeRequest) (command.None, error) {
			return command.None{}, s.IAM.VerifyTwoFactor(ctx, r.Code)
		},
		func(context.Context, command.None) (command.Success, error) { return command.OK, nil })
}

// ProviderView is a kind of second factor.
type ProviderView struct {
	Name        string `json:"name" doc:"the name"`
	Description string `json:"description" doc:"what it is"`
}

type listTwoFactorRequest struct {
	Name string `json:"name" doc:"the name of one"`
}

func (s *Service) listTwoFactor() *command.Command {
	return command.New(command.Meta{Name: "listUserTwoFactorAuthenticatorProviders", Object: "providers", Roles: command.Everyone, Since: "4.18.0", Doc: "Lists the kinds of second factors"},
		func(_ context.Context, r listTwoFactorRequest) (out command.List[ProviderView], err error) {
			if r.Name == "" || strings.EqualFold(r.Name, iam.TOTP) {
				out.Items, out.Count = []ProviderView{{iam.TOTP, "Codes of an app that change every 30 seconds (RFC 6238)"}}, 1
			}
			return out, nil
		})
}

// RecoveryView are codes that stand in for a lost device.
type RecoveryView struct {
	Codes []string `json:"codes" doc:"the codes, each of which works once; they are shown this once"`
}

func (s *Service) recoveryCodes() *command.Command {
	return command.New(command.Meta{Name: "createUserTwoFactorRecoveryCodes", Object: "recovery", Event: "USER.2FA.CODES", Roles: command.Everyone, Doc: "Gives the caller new codes that stand in for a lost device, once each; those before end"},
		func(ctx context.Context, _ command.None) (RecoveryView, error) {
			codes, err := s.IAM.NewRecoveryCodes(ctx)
			return RecoveryView{codes}, err
		})
}
