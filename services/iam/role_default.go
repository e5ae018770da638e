package iam

// topLevel is Root Admin's.
const topLevel = 100

// builtin are the default roles of the migration, so that permission checks
// ask no database. What is open to their type is what the commands say; rules
// narrow it.
var builtin = map[string]*power{
	RoleRootAdmin:     fixed(RoleRootAdmin, "Root Admin", topLevel, AdminRole, everything),
	RoleSupportAdmin:  fixed(RoleSupportAdmin, "Support Admin", 90, AdminRole, supporting()),
	RoleReadOnlyAdmin: fixed(RoleReadOnlyAdmin, "Read-Only Admin", 80, AdminRole, reading()),
	RoleResourceAdmin: fixed(RoleResourceAdmin, "Resource Admin", 70, ResourceAdminRole, everything),
	RoleDomainAdmin:   fixed(RoleDomainAdmin, "Domain Admin", 60, DomainAdminRole, everything),
	RoleUser:          fixed(RoleUser, "User", 40, UserRole, everything),
	RoleSupportUser:   fixed(RoleSupportUser, "Support User", 30, UserRole, supporting()),
	RoleReadOnlyUser:  fixed(RoleReadOnlyUser, "Read-Only User", 20, UserRole, reading()),
}

func fixed(id, name string, level int, typ RoleType, rules Rules) *power {
	return &power{id: id, name: name, level: level, typ: typ, rules: rules, public: true}
}

// levels are those of custom roles: the one of their type's full default role.
// Among roles of one level the sets of commands decide.
var levels = map[RoleType]int{AdminRole: topLevel, ResourceAdminRole: 70, DomainAdminRole: 60, UserRole: 40}

var everything = Rules{{"*", true}}

// notReads begin like reads and are none: they hand out a secret or a way in.
var notReads = []string{
	"getUserKeys", "listAndSwitchSamlAccount", "getVMPassword",
	"getUploadParamsForVolume", "getUploadParamsForTemplate", "getUploadParamsForIso",
}

// reading allows what changes nothing, and what everyone may do about itself.
func reading() Rules {
	var out Rules
	for _, name := range notReads {
		out = append(out, Rule{name, false})
	}
	for _, name := range []string{"list*", "get*", "find*", "query*", "login", "logout"} {
		out = append(out, Rule{name, true})
	}
	return out
}

// Reads tells a command that changes nothing and hands out no secret.
func Reads(command string) bool { return readOnly.Allow(command) }

var readOnly = reading()

// helps is what a support role may do beyond reading.
var helps = []string{
	"startVirtualMachine", "stopVirtualMachine", "rebootVirtualMachine",
	"attachIso", "detachIso", "attachVolume", "detachVolume",
	"createConsoleEndpoint", "restartNetwork", "restartVPC",
	"startRouter", "stopRouter", "rebootRouter",
	"startSystemVm", "stopSystemVm", "rebootSystemVm",
	"prepareHostForMaintenance", "cancelHostMaintenance", "reconnectHost",
	"updateServiceOffering", "updateDiskOffering", "updateNetworkOffering",
	"uploadVolume", "registerIso", "registerTemplate",
}

func supporting() Rules {
	out := reading()
	for _, name := range helps {
		out = append(out, Rule{name, true})
	}
	return out
}
