package signon

import (
	"context"
	"strings"
	"time"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// View is a provider as commands return it. Its secret is never in it.
type View struct {
	ID          string `json:"id" doc:"the provider"`
	Provider    string `json:"provider" doc:"its name"`
	Name        string `json:"name" doc:"its name"`
	Description string `json:"description" doc:"what people read on the sign-in page"`
	ClientID    string `json:"clientid" doc:"the client id that the provider gave"`
	SecretKey   string `json:"secretkey" doc:"never shown"`
	RedirectURI string `json:"redirecturi" doc:"where the provider sends browsers back to"`
	Enabled     bool   `json:"enabled" doc:"whether it is offered"`
	Issuer      string `json:"issuer" doc:"the issuer, below which /.well-known/openid-configuration is"`
	Scopes      string `json:"scopes" doc:"scopes besides openid"`
	DomainID    string `json:"domainid" view:"admin" doc:"the domain; none for all"`
	LinkEmail   bool   `json:"linkemail" view:"admin" doc:"whether a verified address binds to the user that has it"`
	AutoImport  bool   `json:"autoimport" view:"admin" doc:"whether newcomers get an account"`
	Internal    bool   `json:"internal" view:"admin" doc:"whether it may be at an internal address that is allowed"`
	LoginURL    string `json:"loginurl" doc:"the page of the portal that begins"`
	Email       string `json:"email" doc:"the address of whom the provider vouches for, in the answer that verifies a code"`
}

func (s *Service) view(ctx context.Context, p Provider) View {
	return View{
		ID: p.ID, Provider: p.Name, Name: p.Name, Description: p.Description, ClientID: p.ClientID, RedirectURI: p.RedirectURI, Enabled: p.Enabled,
		Issuer: p.Issuer, Scopes: p.Scopes, DomainID: p.DomainID, LinkEmail: p.LinkEmail, AutoImport: p.AutoImport, Internal: p.Internal,
		LoginURL: s.Origin(ctx).JoinPath(CallbackPath, p.ID).String(),
	}
}

type registerRequest struct {
	Provider    string            `json:"provider" required:"true" doc:"the name; google needs no issuer"`
	Description string            `json:"description" required:"true" doc:"what people read on the sign-in page"`
	ClientID    string            `json:"clientid" required:"true" doc:"the client id that the provider gave"`
	SecretKey   string            `json:"secretkey" required:"true" secret:"true" doc:"the client secret that the provider gave"`
	RedirectURI string            `json:"redirecturi" required:"true" max:"500" doc:"where the provider sends browsers back to: the portal's /sign-in/oidc"`
	Details     map[string]string `json:"details" doc:"issuer and scopes, as other clients send them"`
	Issuer      string            `json:"issuer" max:"500" doc:"the issuer, below which /.well-known/openid-configuration is"`
	Scopes      *string           `json:"scopes" doc:"scopes besides openid; profile email without it"`
	DomainID    string            `json:"domainid" ref:"domain" doc:"the domain; none for all"`
	LinkEmail   bool              `json:"linkemail" doc:"true binds a verified address to the user that has it"`
	AutoImport  bool              `json:"autoimport" doc:"true gives newcomers an account"`
	Internal    bool              `json:"internal" doc:"true lets it be at an address of oauth2.allowed.internal.sites"`
}

func (s *Service) registerCommand() *command.Command {
	return command.New(command.Meta{Name: "registerOauthProvider", Event: "OAUTH.PROVIDER.REGISTER", Roles: command.Admin, Since: "4.19.0", Doc: "Adds an OpenID Connect provider"},
		func(ctx context.Context, r registerRequest) (command.Success, error) {
			scopes := "profile email"
			for key, v := range r.Details {
				switch strings.ToLower(key) {
				case "issuer":
					r.Issuer = v
				case "scopes":
					scopes = v
				default:
					return command.Success{}, fault.Param("details", "error.oauth_detail", "key", key)
				}
			}
			if r.Scopes != nil {
				scopes = *r.Scopes
			}
			p, err := s.Register(ctx, Provider{
				DomainID: r.DomainID, Name: r.Provider, Description: r.Description, Issuer: r.Issuer, ClientID: r.ClientID, RedirectURI: r.RedirectURI,
				Scopes: scopes, Enabled: true, LinkEmail: r.LinkEmail, AutoImport: r.AutoImport, Internal: r.Internal,
			}, r.SecretKey)
			if err != nil {
				return command.Success{}, err
			}
			command.About(ctx, event.Resource{Kind: "oauthprovider", ID: p.ID, Name: p.Name}, store.Owner{})
			return command.OK, nil
		})
}

type listRequest struct {
	command.Paging
	ID       string `json:"id" type:"uuid" doc:"the provider"`
	Provider string `json:"provider" doc:"its name"`
}

// listCommand is for the sign-in page as well: strangers see what is offered.
func (s *Service) listCommand() *command.Command {
	return command.New(command.Meta{Name: "listOauthProvider", Object: "oauthprovider", Public: true, Roles: command.Everyone, Since: "4.19.0", Doc: "Lists OpenID Connect providers; those that are offered, for who is no administrator"},
		func(ctx context.Context, r listRequest) (out command.List[View], err error) {
			q := s.db.In(store.System(ctx, "providers, which are told by their rank")).Model(&Provider{})
			if onlyRoot(ctx) != nil {
				q = q.Where("enabled = ?", true)
			}
			q = command.Named(command.Equal(q, "id", r.ID), "name", r.Provider)
			rows, count, err := command.Rows[Provider](r.Search(q, "name", "description"), r.Paging, "name, id")
			return command.ListOf(rows, count, func(p Provider) View { return s.view(ctx, p) }), err
		})
}

type updateRequest struct {
	ID          string  `json:"id" ref:"oauthprovider" required:"true" doc:"the provider"`
	Description *string `json:"description" doc:"what people read on the sign-in page"`
	ClientID    *string `json:"clientid" doc:"the client id"`
	SecretKey   *string `json:"secretkey" secret:"true" doc:"the client secret"`
	RedirectURI *string `json:"redirecturi" max:"500" doc:"where the provider sends browsers back to"`
	Enabled     *bool   `json:"enabled" doc:"whether it is offered"`
	Issuer      *string `json:"issuer" max:"500" doc:"the issuer; another one needs the secret again"`
	Scopes      *string `json:"scopes" doc:"scopes besides openid"`
	LinkEmail   *bool   `json:"linkemail" doc:"whether a verified address binds to the user that has it"`
	AutoImport  *bool   `json:"autoimport" doc:"whether newcomers get an account"`
	Internal    *bool   `json:"internal" doc:"whether it may be at an internal address that is allowed"`
}

func (s *Service) updateCommand() *command.Command {
	return command.New(command.Meta{Name: "updateOauthProvider", Object: "oauthprovider", Event: "OAUTH.PROVIDER.UPDATE", Roles: command.Admin, Since: "4.19.0", Doc: "Changes an OpenID Connect provider"},
		func(ctx context.Context, r updateRequest) (View, error) {
			p, err := s.Update(ctx, Change{
				ID: r.ID, Description: r.Description, ClientID: r.ClientID, Secret: r.SecretKey, RedirectURI: r.RedirectURI, Issuer: r.Issuer,
				Scopes: r.Scopes, Enabled: r.Enabled, LinkEmail: r.LinkEmail, AutoImport: r.AutoImport, Internal: r.Internal,
			})
			if err != nil {
				return View{}, err
			}
			return s.view(ctx, p), nil
		})
}

type deleteRequest struct {
	ID string `json:"id" ref:"oauthprovider" required:"true" doc:"the provider"`
}

func (s *Service) deleteCommand() *command.Command {
	return command.New(command.Meta{Name: "deleteOauthProvider", Event: "OAUTH.PROVIDER.DELETE", Roles: command.Admin, Since: "4.19.0", Doc: "Removes an OpenID Connect provider"},
		func(ctx context.Context, r deleteRequest) (command.Success, error) {
			return command.OK, s.Delete(ctx, r.ID)
		})
}

type verifyRequest struct {
	command.Paging
	Provider string `json:"provider" required:"true" doc:"the name of the provider"`
	Code     string `json:"secretcode" secret:"true" max:"4096" doc:"what the provider sent back: the state, a colon, the code"`
}

// verified is what is kept between verifying a code and signing in with it.
type verified struct{ UserID, Email string }

func (s *Service) verifyCommand() *command.Command {
	return command.New(command.Meta{Name: "verifyOAuthCodeAndGetUser", Object: "oauthprovider", Public: true, Roles: command.Everyone, Since: "4.19.0", Doc: "Verifies what a provider sent back, once; oauthlogin goes on with the same"},
		func(ctx context.Context, r verifyRequest) (View, error) {
			p, email, err := s.redeem(ctx, r.Provider, r.Code)
			if err != nil {
				return View{}, err
			}
			v := s.view(ctx, p)
			v.Email = email
			return v, nil
		})
}

// redeem verifies a code and keeps who it is for oauthlogin.
func (s *Service) redeem(ctx context.Context, provider, both string) (p Provider, email string, err error) {
	state, code, _ := strings.Cut(both, ":")
	v, err := s.Identify(ctx, Answer{State: state, Code: code})
	if err != nil {
		return p, "", err
	}
	if !strings.EqualFold(v.Provider.Name, provider) {
		return p, "", errAnswer
	}
	userID, err := s.userOf(ctx, v)
	if err != nil {
		return p, "", err
	}
	return v.Provider, v.Email, s.keep(ctx, "oidc-ok", both, verified{userID, v.Email}, 5*time.Minute)
}

// OAuthLogin is oauthlogin: it signs in who was verified, or verifies first.
func (s *Service) OAuthLogin(ctx context.Context, email, provider, code string, r iam.LoginRequest) (iam.Login, error) {
	var v verified
	err := s.take(ctx, "oidc-ok", code, &v)
	if fault.Is(err, fault.Forbidden) {
		if _, _, err = s.redeem(ctx, provider, code); err == nil {
			err = s.take(ctx, "oidc-ok", code, &v)
		}
	}
	if err != nil {
		return iam.Login{}, err
	}
	if !strings.EqualFold(v.Email, email) {
		return iam.Login{}, errAnswer
	}
	return s.IAM.Enter(ctx, v.UserID, r)
}
