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
	out["updateUser"]["param:mandate2fa"] = "there is no second factor yet"
	return out
}
