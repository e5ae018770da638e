package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
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
	Class    string `json:"userobject" doc:"the object class of people"`
	Filter   string `json:"userfilter" doc:"a further filter for people"`
	GroupDN  string `json:"groupdn" doc:"only members of this group sign in"`
	Nesting  string `json:"nesting" doc:"how groups within groups are found: none, search, memberof or chain"`
	CA       string `json:"cacertificate" doc:"the authorities that the directory's certificate is checked with, as PEM"`

	AttrUsername  string `json:"usernameattribute" doc:"the attribute of user names"`
	AttrEmail     string `json:"emailattribute" doc:"the attribute of mail addresses"`
	AttrFirstName string `json:"firstnameattribute" doc:"the attribute of first names"`
	AttrLastName  string `json:"lastnameattribute" doc:"the attribute of last names"`
	AttrMember    string `json:"memberattribute" doc:"the attribute of a group's members"`
}

func ldapView(l iam.LDAPServer) LDAPView {
	return LDAPView{
		ID: l.ID, Host: l.Host, Port: l.Port, DomainID: l.DomainID, Security: l.Security, BaseDN: l.BaseDN, BindDN: l.BindDN,
		Class: l.UserClass, Filter: l.UserFilter, GroupDN: l.GroupDN, Nesting: l.Nesting, CA: string(l.CAPEM),
		AttrUsername: l.AttrUsername, AttrEmail: l.AttrEmail, AttrFirstName: l.AttrFirstName, AttrLastName: l.AttrLastName, AttrMember: l.AttrMember,
	}
}

// ldapDetails are what is said of a directory besides its address.
type ldapDetails struct {
	Security      string `json:"security" enum:"none,starttls,ldaps" doc:"how to connect: none, starttls or ldaps"`
	CA            string `json:"cacertificate" max:"65536" doc:"the authorities that the directory's certificate is checked with, as PEM"`
	BindDN        string `json:"binddn" max:"500" doc:"who searches; nothing for an anonymous search"`
	BaseDN        string `json:"basedn" max:"500" doc:"where people and groups are searched"`
	UserClass     string `json:"userobject" doc:"the object class of people"`
	UserFilter    string `json:"userfilter" max:"500" doc:"a further filter for people"`
	GroupDN       string `json:"groupdn" max:"500" doc:"only members of this group sign in"`
	AttrUsername  string `json:"usernameattribute" doc:"the attribute of user names"`
	AttrEmail     string `json:"emailattribute" doc:"the attribute of mail addresses"`
	AttrFirstName string `json:"firstnameattribute" doc:"the attribute of first names"`
	AttrLastName  string `json:"lastnameattribute" doc:"the attribute of last names"`
	AttrMember    string `json:"memberattribute" doc:"the attribute of a group's members"`
	Nesting       string `json:"nesting" enum:"none,search,memberof,chain" doc:"how groups within groups are found: none not at all, search group by group, memberof by that attribute, chain by Active Directory's own rule"`
}

func (d ldapDetails) server() iam.LDAPServer {
	return iam.LDAPServer{
		Security: d.Security, CAPEM: []byte(d.CA), BindDN: d.BindDN, BaseDN: d.BaseDN, UserClass: d.UserClass, UserFilter: d.UserFilter,
		GroupDN: d.GroupDN, AttrUsername: d.AttrUsername, AttrEmail: d.AttrEmail, AttrFirstName: d.AttrFirstName, AttrLastName: d.AttrLastName,
		AttrMember: d.AttrMember, Nesting: d.Nesting,
	}
}

type addLDAPRequest struct {
	Host     string `json:"hostname" required:"true" doc:"the name or address of the directory"`
	Port     int    `json:"port" required:"true" range:"1..65535" doc:"the port"`
	DomainID string `json:"domainid" ref:"domain" doc:"the domain; none for all domains"`
	ldapDetails
	BindPassword string `json:"bindpassword" secret:"true" doc:"the password of who searches"`
}

func (s *Service) addLDAP() *command.Command {
	return command.New(command.Meta{Name: "addLdapConfiguration", Object: "LdapConfiguration", Event: "LDAP.ADD", Roles: command.Admin, Since: "4.2.0", Doc: "Adds a directory"},
		func(ctx context.Context, r addLDAPRequest) (LDAPView, error) {
			l := r.server()
			l.Host, l.Port, l.DomainID = r.Host, r.Port, r.DomainID
			l, err := s.IAM.AddLDAP(ctx, l, r.BindPassword)
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

type updateLDAPRequest struct {
	ID   string `json:"id" ref:"ldapconfiguration" required:"true" doc:"the id of the directory"`
	Host string `json:"hostname" required:"true" doc:"the name or address of the directory"`
	Port int    `json:"port" required:"true" range:"1..65535" doc:"the port"`
	ldapDetails
	BindPassword *string `json:"bindpassword" secret:"true" doc:"the password of who searches; without it that of until now"`
}

// updateLDAP is Aerie's own: CloudStack removes a directory and adds it anew.
func (s *Service) updateLDAP() *command.Command {
	return command.New(command.Meta{Name: "updateLdapConfiguration", Object: "LdapConfiguration", Event: "LDAP.UPDATE", Roles: command.Admin, Doc: "Changes a directory; what is not given gets its usual value"},
		func(ctx context.Context, r updateLDAPRequest) (LDAPView, error) {
			l := r.server()
			l.ID, l.Host, l.Port = r.ID, r.Host, r.Port
			l, err := s.IAM.UpdateLDAP(ctx, l, r.BindPassword)
			return ldapView(l), err
		})
}
