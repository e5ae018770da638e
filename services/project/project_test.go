package project_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"aerie/services/command"
	"aerie/services/command/spec"
	"aerie/services/compute"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/project"
	"aerie/services/proof"
	"aerie/services/store"
)

// world is a cloud with three users of one domain and one of another.
type world struct {
	*proof.World
	ann, ben, cid, eve context.Context // eve is a stranger
}

func newWorld(t *testing.T) *world {
	w := &world{World: proof.New(t)}
	w.Account("dept", "ann", iam.RoleUser)
	w.Account("dept", "ben", iam.RoleUser)
	w.Account("dept", "cid", iam.RoleUser)
	w.Account("other", "eve", iam.RoleUser)
	w.again()
	return w
}

// again reads everybody as a new request does.
func (w *world) again() {
	w.ann, w.ben, w.cid, w.eve = w.now("dept", "ann"), w.now("dept", "ben"), w.now("dept", "cid"), w.now("other", "eve")
}

func (w *world) now(domain, name string) context.Context {
	w.Helper()
	actor, _ := store.From(w.As(domain, name))
	p, err := w.IAM.Standing(w.Context(), actor.UserID)
	w.Must(err)
	return store.With(w.Context(), p.Actor)
}

// create makes a project of ann's.
func (w *world) create(name string) string {
	w.Helper()
	id := w.Call(w.ann, "createProject", "name", name, "displaytext", "what "+name+" is for").(command.Accepted).ID
	w.again()
	return id
}

func (w *world) refuse(err error, key, what string) {
	w.Helper()
	if err == nil || fault.Of(err).Key != key {
		w.Errorf("%s: %v, want %s", what, err, key)
	}
}

func (w *world) kind(err error, k fault.Kind, what string) {
	w.Helper()
	if !fault.Is(err, k) {
		w.Errorf("%s: %v, want %s", what, err, k.Name)
	}
}

func (w *world) says(ctx context.Context, what string, yes bool, text, name string, params ...string) {
	w.Helper()
	if got := w.JSON(ctx, name, params...); strings.Contains(got, text) != yes {
		w.Errorf("%s: %s %v says %s; %q in it: want %v", what, name, params, got, text, yes)
	}
}

func TestTheCommandsAreThoseOfCloudStack(t *testing.T) {
	w := newWorld(t)
	r := &command.Registry{DB: w.DB}
	r.Add(w.Projects.Commands()...)
	for _, p := range spec.Compare(r, spec.Allow{}) {
		t.Error(p)
	}
}

func TestAProjectOwnsWhatItsMembersMake(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	w.Call(w.ann, "addAccountToProject", "projectid", id, "account", "ben")
	w.again()
	vm := w.Deploy(w.ben, "web", "projectid", id)
	if got := w.VM(vm); got.AccountID != id {
		t.Fatal("the instance belongs to", got.AccountID)
	}
	for who, ctx := range map[string]context.Context{"ann": w.ann, "ben": w.ben} {
		w.says(ctx, who+" by the project", true, `"project":"apollo","projectid":"`+id+`"`, "listVirtualMachines", "projectid", id)
		w.says(ctx, who+" by the project", false, `"account"`, "listVirtualMachines", "projectid", id)
		w.says(ctx, who+" by all projects", true, vm, "listVirtualMachines", "projectid", "-1")
		w.says(ctx, who+" by its id", true, vm, "listVirtualMachines", "id", vm)
		w.says(ctx, who+" without a project", false, vm, "listVirtualMachines")
		w.says(ctx, who+" without a project", false, vm, "listVirtualMachines", "listall", "true")
		w.says(ctx, who+" in events", true, "VM.CREATE", "listEvents", "projectid", id)
		w.says(ctx, who+" in events", true, `"projectid":"`+id+`"`, "listEvents", "projectid", id)
	}
	w.Call(w.ann, "stopVirtualMachine", "id", vm)
	w.says(w.Admin, "root", true, vm, "listVirtualMachines", "projectid", id)
	w.says(w.Admin, "root with listall", false, vm, "listVirtualMachines", "listall", "true")
	w.says(w.Admin, "root with all projects", true, vm, "listVirtualMachines", "listall", "true", "projectid", "-1")
	_, err := w.Try(w.cid, "listVirtualMachines", "projectid", id)
	w.kind(err, fault.NotFound, "who is not a member")
	_, err = w.Try(w.eve, "startVirtualMachine", "id", vm)
	w.kind(err, fault.NotFound, "a stranger")
	_, err = w.Try(w.ann, "listVirtualMachines", "projectid", id, "account", "ann")
	w.refuse(err, "error.account_and_project", "both")
	for _, c := range []string{"listNetworks", "listVolumes", "listPublicIpAddresses", "listSSHKeyPairs"} {
		_, err := w.Try(w.ann, c, "projectid", id)
		w.Must(err)
	}
	w.says(w.ann, "a network", true, `"projectid":"`+id+`"`, "listNetworks", "projectid", id)
	w.says(w.ann, "a disk", true, `"projectid":"`+id+`"`, "listVolumes", "projectid", id)
	w.says(w.Admin, "among accounts", false, "PrjAcct", "listAccounts", "listall", "true")
	_, err = w.Try(w.Admin, "deleteAccount", "id", id)
	w.kind(err, fault.NotFound, "the project's account as an account")
	w.Sound()
}

func TestExMembersSeeNothingAtOnce(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	w.Call(w.ann, "addAccountToProject", "projectid", id, "account", "ben")
	w.again()
	vm := w.Deploy(w.ben, "web", "projectid", id)
	_, err := w.Try(w.ben, "deleteAccountFromProject", "projectid", id, "account", "ann")
	w.refuse(err, "error.project_admin", "a regular member puts out an admin")
	w.Call(w.ann, "deleteAccountFromProject", "projectid", id, "account", "ben")
	w.again()
	_, err = w.Try(w.ben, "stopVirtualMachine", "id", vm)
	w.kind(err, fault.NotFound, "an ex-member")
	_, err = w.Try(w.ben, "listVirtualMachines", "projectid", id)
	w.kind(err, fault.NotFound, "an ex-member's list")
	w.says(w.ann, "what it made stays", true, vm, "listVirtualMachines", "projectid", id)
	_, err = w.Try(w.ann, "deleteAccountFromProject", "projectid", id, "account", "ann")
	w.refuse(err, "error.project_last_admin", "the last admin leaves")
}

func TestOneUserOfAnAccount(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	ben, _ := store.From(w.ben)
	_, err := w.IAM.CreateUser(w.Admin, iam.CreateUser{Account: iam.AccountRef{ID: ben.AccountID}, User: iam.NewUser{Username: "bea", Password: "Test-password-1"}})
	w.Must(err)
	w.Call(w.ann, "addUserToProject", "projectid", id, "username", "ben")
	w.again()
	w.says(w.ben, "the user", true, id, "listProjects")
	bea := w.ID(&iam.User{}, "username = ?", "bea")
	p, err := w.IAM.Standing(t.Context(), bea)
	w.Must(err)
	w.says(store.With(t.Context(), p.Actor), "another user of its account", false, id, "listProjects")
	w.says(w.ann, "among the members", true, `"userid":"`+ben.UserID+`","username":"ben"`, "listProjectAccounts", "projectid", id)
	_, err = w.Try(w.ann, "addUserToProject", "projectid", id, "username", "ben")
	w.refuse(err, "error.project_member", "twice")
	_, err = w.Try(w.ann, "addUserToProject", "projectid", id, "username", "eve")
	w.kind(err, fault.NotFound, "a user of another domain")
	w.Call(w.ann, "deleteUserFromProject", "projectid", id, "userid", ben.UserID)
	w.again()
	w.says(w.ben, "the ex-user", false, id, "listProjects")
	_, err = w.Try(w.ann, "deleteUserFromProject", "projectid", id, "userid", ben.UserID)
	w.kind(err, fault.NotFound, "who is no member")
}

func TestRolesOfProjectsRestrict(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	role := strings.Split(w.JSON(w.ann, "createProjectRole", "projectid", id, "name", "looks"), `"id":"`)[1][:36]
	w.says(w.ann, "its rule", true, `"permission":"allow"`, "createProjectRolePermission", "projectid", id, "projectroleid", role, "rule", "list*", "permission", "allow")
	w.Call(w.ann, "createProjectRolePermission", "projectid", id, "projectroleid", role, "rule", "listVolumes", "permission", "deny")
	w.Call(w.ann, "addAccountToProject", "projectid", id, "account", "ben", "projectroleid", role)
	w.again()
	vm := w.Deploy(w.ann, "web", "projectid", id)
	w.says(w.ben, "what it allows", true, vm, "listVirtualMachines", "projectid", id)
	_, err := w.Try(w.ben, "stopVirtualMachine", "id", vm)
	w.kind(err, fault.NotFound, "what it denies, by an id")
	_, err = w.Try(w.ben, "createNetwork", "name", "x", "zoneid", w.Zone.ID, "networkofferingid", w.ID(&network.Offering{}, "availability = ?", "Required"), "projectid", id)
	w.refuse(err, "error.project_role", "what it denies, by the project")
	w.says(w.ben, "the first rule that matches decides", true, `"count"`, "listVolumes", "projectid", id)
	rules := []string{
		w.ID(&iam.ProjectRule{}, "pattern = ?", "listVolumes"), w.ID(&iam.ProjectRule{}, "pattern = ?", "list*"),
	}
	w.Call(w.ann, "updateProjectRolePermission", "projectid", id, "projectroleid", role, "ruleorder", strings.Join(rules, ","))
	_, err = w.Try(w.ben, "listVolumes", "projectid", id)
	w.refuse(err, "error.project_role", "in the other order")
	w.Call(w.ann, "updateProjectRolePermission", "projectid", id, "projectroleid", role, "projectrolepermissionid", rules[0], "permission", "allow")
	_, err = w.Try(w.ben, "listVolumes", "projectid", id)
	w.Must(err)
	w.says(w.ben, "in order", true, rules[0], "listProjectRolePermissions", "projectid", id, "projectroleid", role)
	for what, c := range map[string][]string{
		"error.rule_order":        {"updateProjectRolePermission", "projectid", id, "projectroleid", role, "ruleorder", rules[0]},
		"error.rule_either":       {"updateProjectRolePermission", "projectid", id, "projectroleid", role},
		"error.rule_pattern":      {"createProjectRolePermission", "projectid", id, "projectroleid", role, "rule", "list[ab]", "permission", "allow"},
		"error.name_taken":        {"createProjectRole", "projectid", id, "name", "Looks"},
		"error.project_role_used": {"deleteProjectRole", "projectid", id, "id", role},
		"error.no_entity":         {"deleteProjectRolePermission", "projectid", id, "id", w.DB.NewID()},
	} {
		_, err := w.Try(w.ann, c[0], c[1:]...)
		w.refuse(err, what, c[0])
	}
	_, err = w.Try(w.ben, "updateProjectRole", "projectid", id, "id", role, "name", "all")
	w.refuse(err, "error.project_admin", "a regular member")
	w.says(w.ann, "renamed", true, "sees", "updateProjectRole", "projectid", id, "id", role, "name", "sees")
	w.says(w.ben, "listed", true, "sees", "listProjectRoles", "projectid", id)
	w.Call(w.ann, "deleteProjectRolePermission", "projectid", id, "id", rules[0])
	w.Call(w.ann, "deleteAccountFromProject", "projectid", id, "account", "ben")
	w.Call(w.ann, "deleteProjectRole", "projectid", id, "id", role)
	w.says(w.ann, "gone", false, "sees", "listProjectRoles", "projectid", id)
}

func TestSuspendedProjectsOnlyShow(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	vm := w.Deploy(w.ann, "web", "projectid", id)
	w.Call(w.ann, "suspendProject", "id", id)
	w.again()
	w.Finish()
	if got := w.VM(vm); got.State != compute.Stopped {
		t.Error("a suspended project's instance is", got.State)
	}
	w.says(w.ann, "its things", true, vm, "listVirtualMachines", "projectid", id)
	w.says(w.ann, "its state", true, `"state":"Suspended"`, "listProjects", "id", id)
	for what, c := range map[string][]string{
		"by an id":       {"startVirtualMachine", "id", vm},
		"by the project": {"createSSHKeyPair", "name", "x", "projectid", id},
		"its members":    {"addAccountToProject", "projectid", id, "account", "ben"},
	} {
		_, err := w.Try(w.ann, c[0], c[1:]...)
		w.refuse(err, "error.project_suspended", what)
	}
	_, err := w.Try(w.Admin, "createSSHKeyPair", "name", "x", "projectid", id)
	w.refuse(err, "error.project_suspended", "root")
	w.Call(w.ann, "activateProject", "id", id)
	w.again()
	w.Call(w.ann, "startVirtualMachine", "id", vm)
	w.Sound()
}

func TestDeletingAProject(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	w.Deploy(w.ann, "web", "projectid", id)
	w.Call(w.ann, "createSSHKeyPair", "name", "key", "projectid", id)
	_, err := w.Try(w.ann, "deleteProject", "id", id)
	w.kind(err, fault.InUse, "with an instance")
	w.says(w.ann, "it stays", true, `"state":"Active"`, "listProjects", "id", id)
	_, err = w.Try(w.eve, "deleteProject", "id", id, "cleanup", "true")
	w.kind(err, fault.NotFound, "a stranger")
	_, _, err = w.Ask(w.ann, "deleteProject", "id", id, "cleanup", "true")
	w.Must(err)
	w.Finish()
	for _, model := range []any{&compute.VM{}, &network.Network{}, &compute.SSHKey{}, &iam.Account{}} {
		column := "account_id"
		if _, ok := model.(*iam.Account); ok {
			column = "id"
		}
		if n := w.Count(model, column+" = ?", id); n != 0 {
			t.Errorf("%d %T are left", n, model)
		}
	}
	if n := w.Count(&iam.Member{}, "project_id = ?", id); n != 0 {
		t.Error(n, "members are left")
	}
	w.again()
	w.create("apollo") // the name is free
	w.Sound()
}

func TestInvitations(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	_, err := w.Config.Set(w.Admin, "project.invite.required", "true")
	w.Must(err)
	w.Call(w.ann, "addAccountToProject", "projectid", id, "account", "ben")
	w.again()
	w.says(w.ben, "not yet", false, id, "listProjects")
	w.says(w.ben, "the guest", true, `"project":"apollo"`, "listProjectInvitations")
	w.says(w.ann, "the host", true, `"account":"ben"`, "listProjectInvitations", "projectid", id)
	w.says(w.cid, "somebody else", false, "apollo", "listProjectInvitations", "listall", "true")
	_, err = w.Try(w.cid, "updateProjectInvitation", "projectid", id)
	w.kind(err, fault.NotFound, "who is not invited")
	w.Call(w.ben, "updateProjectInvitation", "projectid", id, "accept", "false")
	w.says(w.ann, "declined", true, `"state":"Declined"`, "listProjectInvitations", "projectid", id)
	_, err = w.Try(w.ben, "updateProjectInvitation", "projectid", id)
	w.kind(err, fault.NotFound, "after declining")

	w.Call(w.ann, "addUserToProject", "projectid", id, "username", "ben", "roletype", "Admin")
	w.Clock.Add(25 * time.Hour)
	_, err = w.Try(w.ben, "updateProjectInvitation", "projectid", id)
	w.refuse(err, "error.invitation_expired", "too late")
	w.says(w.ann, "expired", true, `"state":"Expired"`, "listProjectInvitations", "projectid", id, "state", "Expired")
	w.says(w.ann, "expired", false, "ben", "listProjectInvitations", "projectid", id, "activeonly", "true")

	w.Call(w.ann, "addUserToProject", "projectid", id, "username", "ben", "roletype", "Admin")
	w.Call(w.ben, "updateProjectInvitation", "projectid", id)
	w.again()
	w.says(w.ben, "accepted", true, id, "listProjects")
	w.Call(w.ben, "addAccountToProject", "projectid", id, "account", "cid")
	invitation := w.ID(&project.Invitation{}, "state = ? AND account_id <> ?", project.Pending, "")
	_, err = w.Try(w.cid, "deleteProjectInvitation", "id", invitation)
	w.refuse(err, "error.invitation_decline", "the guest")
	w.Call(w.ann, "deleteProjectInvitation", "id", invitation)
	_, err = w.Try(w.cid, "updateProjectInvitation", "projectid", id)
	w.kind(err, fault.NotFound, "taken back")
	_, err = w.Try(w.ann, "addAccountToProject", "projectid", id, "email", "x@example.com")
	w.refuse(err, "error.mail_off", "by mail without a server")
	_, err = w.Try(w.ann, "addAccountToProject", "projectid", id, "email", "no address")
	w.refuse(err, "error.mail_address", "what is no address")
}

// TestInvitationByMail: who has the token of the mail joins, in the project's
// domain only.
func TestInvitationByMail(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	for name, value := range map[string]string{"project.smtp.host": "127.0.0.1", "project.email.sender": "cloud@example.com"} {
		_, err := w.Config.Set(w.Admin, name, value)
		w.Must(err)
	}
	_, _, err := w.Ask(w.ann, "addAccountToProject", "projectid", id, "email", "cid@example.com")
	w.Must(err)
	var mails []job.Row
	w.Must(w.DB.In(w.Sys()).Where("kind = ?", "mail.send").Find(&mails).Error)
	if len(mails) != 1 || !strings.Contains(string(mails[0].State), "cid@example.com") {
		t.Fatal("mails:", mails)
	}
	text, err := w.DB.Reveal(store.Secret(between(string(mails[0].State), `"Text":"`, `"`)))
	w.Must(err)
	token := between(text, "token=", "\n")
	if !strings.Contains(text, "https://portal.test/me/invitations/join?projectid="+id) || len(token) != 43 {
		t.Fatal(text)
	}
	var row project.Invitation
	w.Must(w.DB.In(w.Sys()).Take(&row).Error)
	if row.Token == token {
		t.Error("the token is readable in the database")
	}
	answer := func(ctx context.Context, token string) error {
		_, _, err := w.Ask(ctx, "updateProjectInvitation", "projectid", id, "token", token)
		return err
	}
	w.kind(answer(w.cid, "wrong"), fault.NotFound, "a wrong token")
	w.refuse(answer(w.eve, token), "error.project_domain", "from another domain")
	w.Must(answer(w.cid, token))
	w.again()
	w.says(w.cid, "joined", true, id, "listProjects")
	w.kind(answer(w.ben, token), fault.NotFound, "a token twice")
}

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	out, _, _ := strings.Cut(rest, to)
	return out
}

func TestHandingOver(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	_, err := w.Try(w.ann, "updateProject", "id", id, "account", "ben")
	w.kind(err, fault.NotFound, "to who is no member")
	w.Call(w.ann, "addAccountToProject", "projectid", id, "account", "ben")
	w.Call(w.ann, "updateProject", "id", id, "account", "ben", "name", "gemini", "displaytext", "new")
	w.again()
	w.says(w.ann, "renamed, handed over", true, `"name":"gemini","displaytext":"new"`, "listProjects", "id", id)
	w.says(w.ann, "handed over", true, `"account":"ben"`, "listProjects", "id", id)
	w.says(w.ann, "counted", true, `"projecttotal":0`, "listAccounts")
	w.says(w.ben, "counted", true, `"projecttotal":1`, "listAccounts")
	_, err = w.Try(w.ann, "updateProject", "id", id, "displaytext", "x")
	w.refuse(err, "error.project_admin", "the former admin")
	_, err = w.Try(w.ben, "updateProject", "id", id, "account", "ben", "swapowner", "false", "roletype", "Regular")
	w.refuse(err, "error.project_last_admin", "the last admin steps down")
	w.Call(w.ben, "updateProject", "id", id, "account", "ann", "swapowner", "false", "roletype", "Admin")
	w.again()
	w.Call(w.ann, "addAccountToProject", "projectid", id, "account", "cid")
	_, err = w.Try(w.ann, "updateProject", "id", id, "account", "cid")
	w.refuse(err, "error.project_many_admins", "with two admins")
	_, err = w.Try(w.ann, "updateProject", "id", id, "roletype", "Admin")
	w.refuse(err, "error.project_member_needed", "nobody's role")
	drifts, err := w.IAM.RecountAll(w.Sys(), false)
	if err != nil || len(drifts) != 0 {
		t.Error(drifts, err)
	}
}

func TestLimitsOfProjects(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	_, err := w.Config.Set(w.Admin, "max.project.user.vms", "1")
	w.Must(err)
	w.Deploy(w.ann, "one", "projectid", id)
	_, err = w.Try(w.ann, "deployVirtualMachine", w.Plan("two", "projectid", id)...)
	w.kind(err, fault.Limit, "the default of projects")
	w.says(w.ann, "listed", true, `"max":1`, "listResourceLimits", "projectid", id, "resourcetype", "0")
	w.says(w.ann, "listed", true, `"project":"apollo","projectid":"`+id+`"`, "listResourceLimits", "projectid", id, "resourcetype", "0")
	w.says(w.Admin, "set", true, `"max":2`, "updateResourceLimit", "projectid", id, "resourcetype", "0", "max", "2")
	w.Deploy(w.ann, "two", "projectid", id)
	_, err = w.Try(w.eve, "listResourceLimits", "projectid", id)
	w.kind(err, fault.NotFound, "a stranger")
	w.says(w.ann, "of the project", true, `"vmlimit":"2","vmtotal":2`, "listProjects", "id", id)
	w.says(w.ann, "of the project", true, `"vmrunning":2`, "listProjects", "id", id)
	w.says(w.Admin, "counted anew", true, `"resourcecount":2`, "updateResourceCount", "projectid", id, "domainid", w.ID(&iam.Domain{}, "name = ?", "dept"), "resourcetype", "0")

	ann, _ := store.From(w.ann)
	_, err = w.IAM.SetLimit(w.Admin, iam.Subject{Account: &iam.Account{Row: store.Row{ID: ann.AccountID}}}, iam.Projects, 1)
	w.Must(err)
	_, err = w.Try(w.ann, "createProject", "name", "gemini")
	w.kind(err, fault.Limit, "a second project")
}

func TestWhoMakesProjects(t *testing.T) {
	w := newWorld(t)
	boss := w.Account("dept", "boss", iam.RoleDomainAdmin)
	id := w.Call(boss, "createProject", "name", "apollo", "account", "ann", "domainid", w.ID(&iam.Domain{}, "name = ?", "dept")).(command.Accepted).ID
	w.again()
	w.says(w.ann, "made by the domain's admin", true, id, "listProjects")
	w.says(boss, "not its own", false, id, "listProjects")
	w.says(boss, "below it", true, id, "listProjects", "listall", "true")
	w.says(boss, "of ann", true, id, "listProjects", "account", "ann")
	w.says(boss, "of the user ann", true, id, "listProjects", "username", "ann")
	w.says(boss, "by its text", true, id, "listProjects", "listall", "true", "keyword", "poll", "state", "Active", "displaytext", "apollo")
	w.says(boss, "tagged", false, id, "listProjects", "listall", "true", "tags[0].key", "a", "tags[0].value", "b")
	_, err := w.Try(w.ben, "createProject", "name", "Apollo")
	w.refuse(err, "error.name_taken", "the name again")
	_, err = w.Try(w.ben, "createProject", "name", "x", "account", "ann")
	w.kind(err, fault.NotFound, "for another")
	_, err = w.Try(w.ben, "createProject")
	w.kind(err, fault.Invalid, "without a name")
	w.Call(w.eve, "createProject", "name", "apollo")
	_, err = w.Config.Set(w.Admin, "allow.user.create.projects", "false")
	w.Must(err)
	_, err = w.Try(w.ben, "createProject", "name", "y")
	w.refuse(err, "error.project_create", "users may not")
	w.Call(w.Admin, "createProject", "name", "of root")
}

func TestWhoGoesLeavesItsProjects(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	w.Deploy(w.ann, "web", "projectid", id)
	ann, _ := store.From(w.ann)
	_, err := w.Try(w.Admin, "deleteAccount", "id", ann.AccountID)
	if err == nil || !strings.Contains(err.Error(), "project_last_admin") {
		t.Error("the only admin of a project was deleted:", err)
	}
	w.Call(w.ann, "addAccountToProject", "projectid", id, "account", "ben", "roletype", "Admin")
	w.Call(w.Admin, "deleteAccount", "id", ann.AccountID)
	if n := w.Count(&iam.Member{}, "account_id = ?", ann.AccountID); n != 0 {
		t.Error("the deleted account is still a member")
	}
	domain := w.ID(&iam.Domain{}, "name = ?", "dept")
	_, err = w.Try(w.Admin, "deleteDomain", "id", domain)
	if err == nil {
		t.Error("a domain with a project was deleted")
	}
	_, _, err = w.Ask(w.Admin, "deleteDomain", "id", domain, "cleanup", "true")
	w.Must(err)
	w.Finish()
	if n := w.Count(&iam.Project{}, "id = ?", id) + w.Count(&iam.Domain{}, "id = ?", domain); n != 0 {
		t.Error("what is left of the domain:", n)
	}
	w.Sound()
}

// TestMemberSeesTheProjectsJobs: what one member starts the others can follow.
func TestMemberSeesTheProjectsJobs(t *testing.T) {
	w := newWorld(t)
	id := w.create("apollo")
	w.Call(w.ann, "addAccountToProject", "projectid", id, "account", "ben")
	w.again()
	vm := w.Deploy(w.ann, "web", "projectid", id)
	j := w.Call(w.ann, "stopVirtualMachine", "id", vm).(command.Accepted).JobID
	w.says(w.ben, "a member", true, `"jobstatus":1`, "queryAsyncJobResult", "jobid", j)
	_, err := w.Try(w.cid, "queryAsyncJobResult", "jobid", j)
	w.kind(err, fault.NotFound, "who is no member")
	if n := w.Count(&event.Row{}, "account_id = ? AND type = ?", id, "PROJECT.CREATE"); n == 0 {
		t.Error("the project has no event of its making")
	}
}
