package iamcmd

import (
	"context"

	"aerie/services/command"
)

// KeysView is a user's key pair. The secret is there for the user itself, and
// when the pair is made.
type KeysView struct {
	APIKey    string `json:"apikey" doc:"the API key"`
	SecretKey string `json:"secretkey" doc:"the secret"`
	Access    bool   `json:"apikeyaccess" doc:"whether the keys may be used"`
}

func (s *Service) registerUserKeys() *command.Command {
	return command.New(command.Meta{Name: "registerUserKeys", Object: "userkeys", Event: "REGISTER.USER.KEY", Roles: command.Everyone, Doc: "Gives a user new API keys"},
		func(ctx context.Context, r userID) (KeysView, error) {
			k, err := s.IAM.RegisterKeys(ctx, r.ID)
			return KeysView{k.APIKey, k.Secret, k.Usable}, err
		})
}

func (s *Service) getUserKeys() *command.Command {
	return command.New(command.Meta{Name: "getUserKeys", Object: "userkeys", Roles: command.Everyone, Since: "4.10.0", Doc: "Shows a user's API keys; the secret only to the user itself"},
		func(ctx context.Context, r userID) (KeysView, error) {
			k, err := s.IAM.KeysOf(ctx, r.ID)
			return KeysView{k.APIKey, k.Secret, k.Usable}, err
		})
}
