package iamcmd_test

import (
	"maps"

	"aerie/services/command/spec"
)

// meant are the differences from CloudStack's commands that are meant, or wait
// for a package that is not there yet.
var meant = differences()

func differences() spec.Allow {
	user := map[string]string{
		"field:secretkey": "secrets are shown by registerUserKeys alone",
	}
	account := map[string]string{
		"field:user.secretkey": "secrets are shown by registerUserKeys alone",
	}
	domain := map[string]string{
		"field:domaindetails": "domains have no details",
	}
	out := spec.Allow{}
	set := func(what map[string]string, commands ...string) {
		for _, c := range commands {
			out[c] = maps.Clone(what)
		}
	}
	set(user, "listUsers", "getUser", "createUser", "updateUser", "enableUser", "disableUser", "lockUser")
	set(account, "listAccounts", "createAccount", "updateAccount", "enableAccount", "disableAccount", "lockAccount", "markDefaultZoneForAccount")
	set(domain, "listDomains", "listDomainChildren", "createDomain", "updateDomain", "moveDomain")
	set(account, "ldapCreateAccount")
	for _, c := range []string{"searchLdap", "importLdapUsers"} {
		out[c] = map[string]string{"shape": "CloudStack answers a list as well; its listApis does not say so"}
	}
	set(map[string]string{"command": "there are no recovery codes in CloudStack"}, "createUserTwoFactorRecoveryCodes")
	set(map[string]string{"command": "users have one pair in CloudStack"}, "listUserKeys", "deleteUserKeys", "listUserKeyRules")
	set(map[string]string{"command": "Aerie's own: CloudStack removes a directory and adds it anew"}, "updateLdapConfiguration")
	return out
}
