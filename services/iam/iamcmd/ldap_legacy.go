package iamcmd

import (
	"context"
	"strconv"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
)

// LegacyView is the one directory as the commands of CloudStack 3 show it; the
// password is never in it.
type LegacyView struct {
	Host     string `json:"hostname" doc:"the name or address"`
	Port     string `json:"port" doc:"the port"`
	SSL      string `json:"ssl" doc:"whether it is spoken to by LDAPS"`
	Base     string `json:"searchbase" doc:"where people are searched"`
	Query    string `json:"queryfilter" doc:"the filter for people; %u is the user's name"`
	BindDN   string `json:"binddn" doc:"who searches"`
	BindPass string `json:"bindpass" doc:"never shown"`
}

func legacyView(l iam.LDAPServer) LegacyView {
	return LegacyView{
		Host: l.Host, Port: strconv.Itoa(l.Port), SSL: strconv.FormatBool(l.Security == iam.LDAPS), Base: l.BaseDN,
		Query: l.LegacyQuery(), BindDN: l.BindDN,
	}
}

type ldapConfigRequest struct {
	Host       string  `json:"hostname" doc:"the name or address of the directory"`
	Port       int     `json:"port" range:"1..65535" doc:"the port; 389, or 636 with ssl"`
	SSL        bool    `json:"ssl" doc:"true speaks LDAPS"`
	Base       string  `json:"searchbase" max:"500" doc:"where people are searched"`
	Query      string  `json:"queryfilter" max:"500" doc:"the filter for people, in which %u stands for the user's name: (uid=%u)"`
	BindDN     string  `json:"binddn" max:"500" doc:"who searches"`
	BindPass   *string `json:"bindpass" secret:"true" doc:"the password of who searches"`
	ListAll    bool    `json:"listall" doc:"true shows the directory and changes nothing"`
	Truststore string  `json:"truststore" doc:"a Java key store, which Aerie does not read; see cacertificate of addLdapConfiguration"`
	TrustPass  string  `json:"truststorepass" secret:"true" doc:"the password of a Java key store"`
}

func (s *Service) ldapConfig() *command.Command {
	return command.New(command.Meta{Name: "ldapConfig", Object: "ldapconfig", Event: "LDAP.CONFIG", Roles: command.Admin, Since: "3.0.0", Doc: "Shows or sets the one directory of all domains, as CloudStack 3 did"},
		func(ctx context.Context, r ldapConfigRequest) (LegacyView, error) {
			if r.ListAll {
				l, err := s.IAM.Legacy(ctx)
				return legacyView(l), err
			}
			if r.Truststore != "" || r.TrustPass != "" {
				return LegacyView{}, fault.Param("truststore", "error.ldap_truststore")
			}
			for param, v := range map[string]string{"hostname": r.Host, "searchbase": r.Base, "queryfilter": r.Query} {
				if v == "" {
					return LegacyView{}, fault.Param(param, "error.required", "param", param)
				}
			}
			l, err := s.IAM.SetLegacyLDAP(ctx, iam.LegacyLDAP{
				Host: r.Host, Port: r.Port, SSL: r.SSL, BaseDN: r.Base, Query: r.Query, BindDN: r.BindDN, BindPassword: r.BindPass,
			})
			return legacyView(l), err
		})
}

func (s *Service) ldapRemove() *command.Command {
	return command.New(command.Meta{Name: "ldapRemove", Object: "ldapremove", Event: "LDAP.DELETE", Roles: command.Admin, Since: "3.0.1", Doc: "Removes the one directory of all domains, as CloudStack 3 did"},
		func(ctx context.Context, _ command.None) (LegacyView, error) {
			l, err := s.IAM.Legacy(ctx)
			if err != nil {
				return LegacyView{}, err
			}
			l, err = s.IAM.DeleteLDAP(ctx, iam.LDAPRef{ID: l.ID})
			return legacyView(l), err
		})
}
