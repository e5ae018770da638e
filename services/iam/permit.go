package iam

import (
	"context"
	"strings"

	"aerie/services/store"
)

// Allowed tells whether the actor's role may call the command. ByRank says
// whether the command is made for accounts of the actor's type at all;
// restricted roles filter further.
func (s *Service) Allowed(ctx context.Context, a store.Actor, command string, byRank bool) bool {
	if a.IsSystem() {
		return true
	}
	if !byRank {
		return false
	}
	r, err := s.role(ctx, a.RoleID)
	if err != nil || r.typ.Rank() != a.Rank {
		return false
	}
	return r.may == nil || r.may(command)
}

// selfService is what everyone may do about itself, whatever its role.
var selfService = map[string]bool{"logout": true, "login": true, "queryAsyncJobResult": true}

// notReads begin like reads and are none: they hand out a secret or a way in.
var notReads = map[string]bool{
	"getUserKeys": true, "listAndSwitchSamlAccount": true, "getVMPassword": true,
	"getUploadParamsForVolume": true, "getUploadParamsForTemplate": true, "getUploadParamsForIso": true,
}

// Reads tells a command that changes nothing and hands out no secret, by its
// name.
func Reads(command string) bool {
	return reads(command) && !selfService[command] || command == "queryAsyncJobResult"
}

// reads allows what changes nothing.
func reads(command string) bool {
	if notReads[command] {
		return false
	}
	if selfService[command] {
		return true
	}
	for _, verb := range []string{"list", "get", "find", "query"} {
		if strings.HasPrefix(command, verb) {
			return true
		}
	}
	return false
}

// helps is what a support role may do beyond reading.
var helps = map[string]bool{
	"startVirtualMachine": true, "stopVirtualMachine": true, "rebootVirtualMachine": true,
	"attachIso": true, "detachIso": true, "attachVolume": true, "detachVolume": true,
	"createConsoleEndpoint": true, "restartNetwork": true, "restartVPC": true,
	"startRouter": true, "stopRouter": true, "rebootRouter": true,
	"startSystemVm": true, "stopSystemVm": true, "rebootSystemVm": true,
	"prepareHostForMaintenance": true, "cancelHostMaintenance": true, "reconnectHost": true,
	"updateServiceOffering": true, "updateDiskOffering": true, "updateNetworkOffering": true,
	"uploadVolume": true, "registerIso": true, "registerTemplate": true,
}

func supports(command string) bool { return reads(command) || helps[command] }
