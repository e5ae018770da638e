package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
)

type forgotRequest struct {
	Username string `json:"username" required:"true" doc:"the name of the user"`
	Domain   string `json:"domain" doc:"the path of its domain; ROOT without one"`
}

// forgotPassword answers the same whoever there is.
func (s *Service) forgotPassword() *command.Command {
	return command.New(command.Meta{Name: "forgotPassword", Public: true, Roles: command.Everyone, Since: "4.20.0.0", Doc: "Mails a user a link to set a new password"},
		func(ctx context.Context, r forgotRequest) (command.Success, error) {
			return command.OK, s.IAM.Forgot(ctx, iam.Who{Username: r.Username, Domain: r.Domain, Remote: command.Remote(ctx)})
		})
}

type resetRequest struct {
	Username string `json:"username" required:"true" doc:"the name of the user"`
	Domain   string `json:"domain" doc:"the path of its domain; ROOT without one"`
	Token    string `json:"token" required:"true" secret:"true" doc:"the token of the mail"`
	Password string `json:"password" required:"true" secret:"true" max:"1024" doc:"the new password"`
}

func (s *Service) resetPassword() *command.Command {
	return command.New(command.Meta{Name: "resetPassword", Public: true, Roles: command.Everyone, Since: "4.20.0.0", Doc: "Sets a new password by the token of a mail, once"},
		func(ctx context.Context, r resetRequest) (command.Success, error) {
			return command.OK, s.IAM.Reset(ctx, iam.Who{Username: r.Username, Domain: r.Domain, Remote: command.Remote(ctx)}, r.Token, r.Password)
		})
}
