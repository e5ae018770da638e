package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/store"
)

// LDAPView is a directory as the API shows it; the password is never in it.
type LDAPView struct {
	ID       string `json:"id" doc:"the id of the directory"`
	Host     string `json:"hostname" doc:"the name or address"`
	Port     int    `json:"port" doc:"the port"`
	DomainID string `json:"domainid" doc:"the domain; none for all domains"`
	Security string `json:"security" doc:"none, starttls or ldaps"`
	BaseDN   string `json:"basedn" doc:"where people are searched"`
	BindDN   string `json:"binddn" doc:"who searches"`
}

func ldapView(l iam.LDAPServer) LDAPView {
	return LDAPView{l.ID, l.Host, l.Port, l.DomainID, l.Security, l.BaseDN, l.BindDN}
}

type addLDAPRequest struct {
	Host          string `json:"hostname" required:"true" doc:"the name or address of the directory"`
	Port          int    `json:"port" required:"true" range:"1..65535" doc:"the port"`
	DomainID      string `json:"domainid" ref:"domain" doc:"the domain; none for all domains"`
	Security      string `json:"security" enum:"none,starttls,ldaps" doc:"how to connect: none, starttls or ldaps"`
	CA            string `json:"cacertificate" max:"65536" doc:"the authorities that the directory's certificate is checked with, as PEM"`
	BindDN        string `json:"binddn" max:"500" doc:"who searches; nothing for an anonymous search"`
	BindPassword  string `json:"bindpassword" secret:"true" doc:"the password of who searches"`
	BaseDN        string `json:"basedn" max:"500" doc:"where people and groups are searched"`
	UserClass     string `json:"userobject" doc:"the object class of people"`
	UserFilter    string `json:"userfilter" max:"500" doc:"a further filter for people"`
	GroupDN       string `json:"groupdn" max:"500" doc:"only members of this group sign in"`
	AttrUsername  string `json:"usernameattribute" doc:"the attribute of user names"`
	AttrEmail     string `json:"emailattribute" doc:"the attribute of mail addresses"`
	AttrFirstName string `json:"firstnameattribute" doc:"the attribute of first names"`
	AttrLastName  string `json:"lastnameattribute" doc:"the attribute of last names"`
	AttrMember    string `json:"memberattribute" doc:"the attribute of a group's members"`
}

func (s *Service) addLDAP() *command.Command {
	return command.New(command.Meta{Name: "addLdapConfiguration", Object: "LdapConfiguration", Event: "LDAP.ADD", Roles: command.Admin, Since: "4.2.0", Doc: "Adds a directory"},
		func(ctx context.Context, r addLDAPRequest) (LDAPView, error) {
			l, err := s.IAM.AddLDAP(ctx, iam.LDAPServer{
				Host: r.Host, Port: r.Port, DomainID: r.DomainID, Security: r.Security, CAPEM: []byte(r.CA),
				BindDN: r.BindDN, BaseDN: r.BaseDN, UserClass: r.UserClass, UserFilter: r.UserFilter, GroupDN: r.GroupDN, AttrUsername: r.AttrUsername,
				AttrEmail: r.AttrEmail, AttrFirstName: r.AttrFirstName, AttrLastName: r.AttrLastName, AttrMember: r.AttrMember,
			}, r.BindPassword)
			return ldapView(l), err
		})
}

type listLDAPRequest struct {
	command.Paging
	ID       string `json:"id" ref:"ldapconfiguration" doc:"the id of the directory"`
	Host     string `json:"hostname" doc:"the name or address"`
	Port     int    `json:"port" doc:"the port"`
	DomainID string `json:"domainid" ref:"domain" doc:"the domain"`
	ListAll  bool   `json:"listall" doc:"directories of all domains"`
}

func (s *Service) listLDAP() *command.Command {
	return command.New(command.Meta{Name: "listLdapConfigurations", Object: "ldapconfiguration", Roles: managers, Since: "4.2.0", Doc: "Lists directories"},
		func(ctx context.Context, r listLDAPRequest) (command.List[LDAPView], error) {
			rows, err := s.IAM.LDAPServers(ctx, iam.LDAPRef{ID: r.ID, Host: r.Host, Port: r.Port, DomainID: r.DomainID})
			return page(command.ListOf(rows, len(rows), ldapView), r.Paging), err
		})
}

type deleteLDAPRequest struct {
	ID       string `json:"id" ref:"ldapconfiguration" doc:"the id of the directory"`
	Host     string `json:"hostname" doc:"the name or address"`
	Port     int    `json:"port" doc:"the port"`
	DomainID string `json:"domainid" ref:"domain" doc:"the domain"`
}

func (s *Service) deleteLDAP() *command.Command {
	return command.New(command.Meta{Name: "deleteLdapConfiguration", Object: "LdapConfiguration", Event: "LDAP.DELETE", Roles: command.Admin, Since: "4.2.0", Doc: "Removes a directory"},
		func(ctx context.Context, r deleteLDAPRequest) (LDAPView, error) {
			l, err := s.IAM.DeleteLDAP(ctx, iam.LDAPRef{ID: r.ID, Host: r.Host, Port: r.Port, DomainID: r.DomainID})
			return ldapView(l), err
		})
}

// LinkView is a link as the API shows it.
type LinkView struct {
	DomainID  string `json:"domainid" doc:"the domain"`
	Type      string `json:"type" doc:"GROUP or OU"`
	Name      string `json:"name" doc:"the DN of the group or unit"`
	LDAP      string `json:"ldapdomain" doc:"the DN of the group or unit"`
	Rank      int    `json:"accounttype" doc:"the type of the accounts that are made"`
	AccountID string `json:"accountid" doc:"the account of the admin that was imported"`
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
