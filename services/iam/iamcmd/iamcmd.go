// Package iamcmd holds the commands about domains, accounts, users, roles,
// keys, limits and directories. It is thin: rules are in package iam.
package iamcmd

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

// Service has the commands.
type Service struct {
	IAM *iam.Service
	// Throttle counts the calls of accounts.
	Throttle *iam.Throttle
	// Work tells what accounts do at the moment, for listAccounts; nil: nothing.
	Work func(ctx context.Context, accountIDs []string) (map[string]Work, error)
	// EndProjects begins to delete the projects of a domain and all below it, and
	// tells how many are left; nil: there are none.
	EndProjects func(ctx context.Context, domainPath string) (int64, error)
	// Groups are the names of accounts' instance groups, for listAccounts.
	Groups func(ctx context.Context, accountIDs []string) (map[string][]string, error)

	registry *command.Registry
	list     sync.Once
	commands []iam.Command
}

// Work is what an account does at the moment.
type Work struct {
	Running, Stopped int   // instances
	Received, Sent   int64 // bytes
}

// New makes the commands and tells the engine the jobs behind them.
func New(s *iam.Service, jobs *job.Engine) *Service {
	c := &Service{IAM: s}
	c.define(jobs)
	return c
}

// Commands are all commands of this package.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.listDomains(), s.listDomainChildren(), s.createDomain(), s.updateDomain(), s.moveDomain(), s.deleteDomain(),
		s.listAccounts(), s.createAccount(), s.updateAccount(), s.enableAccount(), s.disableAccount(), s.lockAccount(), s.markDefaultZone(), s.deleteAccount(),
		s.listUsers(), s.getUser(), s.createUser(), s.updateUser(), s.enableUser(), s.disableUser(), s.lockUser(), s.deleteUser(),
		s.forgotPassword(), s.resetPassword(),
		s.setupTwoFactor(), s.validateTwoFactor(), s.listTwoFactor(), s.recoveryCodes(),
		s.registerUserKeys(), s.getUserKeys(), s.listUserKeys(), s.deleteUserKeys(), s.listUserKeyRules(),
		s.listRoles(), s.createRole(), s.updateRole(), s.deleteRole(), s.importRole(), s.enableRole(), s.disableRole(),
		s.listRolePermissions(), s.createRolePermission(), s.updateRolePermission(), s.deleteRolePermission(),
		s.addLDAP(), s.listLDAP(), s.updateLDAP(), s.deleteLDAP(), s.linkDomain(), s.linkAccount(),
		s.listLDAPUsers(), s.searchLDAP(), s.importLDAP(), s.ldapCreateAccount(), s.ldapConfig(), s.ldapRemove(),
		s.updateResourceLimit(), s.listResourceLimits(), s.updateResourceCount(), s.getAPILimit(), s.resetAPILimit(),
	}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	db := s.IAM.DB()
	add("domain", func(ctx context.Context, id string) (bool, error) { return store.Exists[iam.Domain](ctx, db, id) })
	add("project", func(ctx context.Context, id string) (bool, error) { return store.Exists[iam.Project](ctx, db, id) })
	add("account", func(ctx context.Context, id string) (bool, error) { return store.Exists[iam.Account](ctx, db, id) })
	add("user", func(ctx context.Context, id string) (bool, error) { return store.Exists[iam.User](ctx, db, id) })
	add("role", func(ctx context.Context, id string) (bool, error) { return store.Exists[iam.Role](ctx, db, id) })
	add("rolepermission", s.ruleExists)
	add("apikey", s.keysExist)
	add("ldapconfiguration", func(ctx context.Context, id string) (bool, error) { return store.Exists[iam.LDAPServer](ctx, db, id) })
}

// keysExist resolves ids of key pairs.
func (s *Service) keysExist(ctx context.Context, id string) (bool, error) {
	_, err := s.IAM.KeysByID(ctx, id)
	return err == nil, ignoreAbsent(err)
}

func ignoreAbsent(err error) error {
	if store.IsAbsent(err) {
		return nil
	}
	return err
}

// Allowed is the registry's check by role.
func (s *Service) Allowed(ctx context.Context, a store.Actor, c *command.Command) bool {
	if a.ReadOnly && (c.Event != "" || c.Async || !iam.Reads(c.Name)) {
		return false
	}
	if ownFactor[c.Name] { // no role keeps its users from protecting themselves
		return !a.ReadOnly
	}
	if a.Half || !iam.KeyAllows(a, c.Name) {
		return false
	}
	return s.IAM.Allowed(ctx, a, c.Name, c.Roles&command.RoleOf(a.Rank) != 0)
}

// Narrow is the registry's hook of that name.
func (s *Service) Narrow(ctx context.Context, c *command.Command) (context.Context, error) {
	return s.IAM.Narrow(ctx, c.Name, c.Event != "")
}

// managers are the roles of commands that manage others.
const managers = command.Admins

// about notes what a command changes, for its event.
func about(ctx context.Context, kind, id, name string, o store.Owner) {
	command.About(ctx, event.Resource{Kind: kind, ID: id, Name: name}, o)
}

// wished is an id that the client asks a new row to have; only root may.
func wished(ctx context.Context, param, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	a, _ := store.From(ctx)
	if !a.IsSystem() && a.Rank != store.Admin {
		return "", fault.New(fault.Forbidden, "error.rank")
	}
	if err := uuid.Validate(id); err != nil || len(id) != 36 {
		return "", fault.Param(param, "error.uuid", "value", id)
	}
	return id, nil
}

// given is nil for a text that was not given.
func given(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}
