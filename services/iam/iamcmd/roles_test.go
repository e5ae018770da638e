package iamcmd_test

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// rules are the rules of a role as an API client reads them.
func (w *world) rules(ctx context.Context, role string) (text string, ids []string) {
	w.Helper()
	list, _ := w.ok(ctx, "listRolePermissions", "roleid="+role)["rolepermission"].([]any)
	var out []string
	for _, one := range list {
		p := one.(map[string]any)
		out = append(out, p["permission"].(string)+" "+p["rule"].(string))
		ids = append(ids, p["id"].(string))
	}
	return strings.Join(out, ", "), ids
}

func TestRolesFromBeginningToEnd(t *testing.T) {
	w := newWorld(t)
	id := field(w.ok(w.admin, "createRole", "name=Helpers", "type=user", "description=they help", "ispublic=false"), "role", "id")
	role := w.ok(w.admin, "listRoles", "id="+id)["role"].([]any)[0].(map[string]any)
	if role["name"] != "Helpers" || role["type"] != "User" || role["ispublic"] != false || role["isdefault"] != false || role["state"] != "enabled" {
		t.Error(role)
	}
	for _, rule := range []string{"list*", "getUserKeys", "registerUserKeys"} {
		p := w.ok(w.admin, "createRolePermission", "roleid="+id, "rule="+rule, "permission=ALLOW", "description=why")
		if field(p, "rolepermission", "rolename") != "Helpers" || field(p, "rolepermission", "permission") != "allow" {
			t.Error(p)
		}
	}
	text, ids := w.rules(w.admin, id)
	if text != "allow list*, allow getUserKeys, allow registerUserKeys" {
		t.Error(text)
	}
	w.ok(w.admin, "updateRolePermission", "roleid="+id, "ruleid="+ids[0], "permission=deny")
	w.ok(w.admin, "updateRolePermission", "roleid="+id, "ruleorder="+ids[2]+","+ids[0]+","+ids[1])
	w.ok(w.admin, "deleteRolePermission", "id="+ids[1])
	if text, _ = w.rules(w.admin, id); text != "allow registerUserKeys, deny list*" {
		t.Error(text)
	}
	copied := field(w.ok(w.admin, "createRole", "name=Copy", "roleid="+id), "role", "id")
	if text, _ = w.rules(w.admin, copied); text != "allow registerUserKeys, deny list*" {
		t.Error("the copy:", text)
	}
	w.ok(w.admin, "updateRole", "id="+id, "name=Others", "description=", "ispublic=true")
	w.ok(w.admin, "importRole", "name=others", "forced=true", "rules[0].rule=listUsers", "rules[0].permission=allow", "rules[1].rule=*", "rules[1].permission=deny")
	if text, _ = w.rules(w.admin, id); text != "allow listUsers, deny *" {
		t.Error("the import:", text)
	}
	w.ok(w.admin, "disableRole", "id="+id)
	if got := field(w.ok(w.admin, "listRoles", "state=DISABLED"), "role", "id"); got != id {
		t.Error(got)
	}
	w.ok(w.admin, "enableRole", "id="+id)
	w.ok(w.admin, "deleteRole", "id="+id)
	if n := len(w.ok(w.admin, "listRoles", "keyword=others")); n != 0 {
		t.Error("it is listed still")
	}
	if text, _ = w.rules(w.admin, id); text != "" {
		t.Error("rules of what is deleted:", text)
	}
	for _, kind := range []string{"ROLE.CREATE", "ROLE.UPDATE", "ROLE.IMPORT", "ROLE.DISABLE", "ROLE.ENABLE", "ROLE.DELETE", "ROLE.PERMISSION.CREATE", "ROLE.PERMISSION.UPDATE", "ROLE.PERMISSION.DELETE"} {
		var n int64
		if err := w.iam.DB().In(store.System(t.Context(), "test")).Model(&event.Row{}).Where("type = ? AND resource_id = ?", kind, id).Count(&n).Error; err != nil || n == 0 {
			t.Errorf("no event %s: %v", kind, err)
		}
	}
}

func TestDefaultRolesAreListedWithTheirRules(t *testing.T) {
	w := newWorld(t)
	if text, _ := w.rules(w.admin, iam.RoleRootAdmin); text != "allow *" {
		t.Error(text)
	}
	text, _ := w.rules(w.admin, iam.RoleDomainAdmin)
	if !strings.Contains(text, "allow createAccount") || strings.Contains(text, "createRole") {
		t.Error(text)
	}
	text, ids := w.rules(w.admin, iam.RoleReadOnlyUser)
	if !strings.HasPrefix(text, "deny getUserKeys") || !strings.Contains(text, "allow list*") {
		t.Error(text)
	}
	_, err := w.call(w.admin, "deleteRolePermission", "id="+ids[0])
	if fault.Of(err).Key != "error.role_default" {
		t.Error(err)
	}
	all := w.ok(w.admin, "listRolePermissions")["rolepermission"].([]any)
	if first := all[0].(map[string]any); first["rolename"] != "Root Admin" || len(all) < 100 {
		t.Error(len(all), first)
	}
}

func TestBadRequestsOfRoles(t *testing.T) {
	w := newWorld(t)
	id := field(w.ok(w.admin, "createRole", "name=Helpers", "type=User"), "role", "id")
	rule := field(w.ok(w.admin, "createRolePermission", "roleid="+id, "rule=list*", "permission=allow"), "rolepermission", "id")
	for _, f := range []struct {
		command, args, param string
	}{
		{"createRole", "name=x", "type"},
		{"createRole", "name=x&type=Boss", "type"},
		{"createRole", "name=x&roleid=" + w.iam.DB().NewID(), "roleid"},
		{"createRole", "name=helpers&type=User", "name"},
		{"updateRole", "id=" + w.iam.DB().NewID(), "id"},
		{"listRoles", "state=open", "state"},
		{"importRole", "name=x&type=User", "rules"},
		{"importRole", "name=x&type=User&rules[0].rule=list*", "rules[0].permission"},
		{"importRole", "name=x&type=User&rules[0].rule=a+b&rules[0].permission=allow", "rules"},
		{"importRole", "name=x&rules[0].rule=a&rules[0].permission=allow", "type"},
		{"createRolePermission", "roleid=" + id + "&rule=a.b&permission=allow", "rule"},
		{"createRolePermission", "roleid=" + id + "&rule=a&permission=maybe", "permission"},
		{"updateRolePermission", "roleid=" + id, "ruleid"},
		{"updateRolePermission", "roleid=" + id + "&ruleid=" + rule, "permission"},
		{"updateRolePermission", "roleid=" + id + "&ruleid=" + rule + "&permission=deny&ruleorder=" + rule, "ruleorder"},
		{"updateRolePermission", "roleid=" + id + "&ruleorder=" + rule + "," + rule, "ruleorder"},
		{"deleteRolePermission", "id=" + w.iam.DB().NewID(), "id"},
	} {
		v, err := url.ParseQuery(f.args)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = w.reg.Call(w.admin, f.command, v)
		if got := fault.Of(err).Order; len(got) == 0 || got[0] != f.param {
			t.Errorf("%s %s: %v, want a complaint about %s", f.command, f.args, err, f.param)
		}
	}
}

// TestACustomRoleManagesRolesWithinItsOwn: who may create roles is bounded by
// what it may itself.
func TestACustomRoleManagesRolesWithinItsOwn(t *testing.T) {
	w := newWorld(t)
	keeper := field(w.ok(w.admin, "importRole", "name=keeper", "type=Admin",
		"rules[0].rule=*Role*", "rules[0].permission=allow", "rules[1].rule=list*", "rules[1].permission=allow", "rules[2].rule=createAccount", "rules[2].permission=allow"), "role", "id")
	user := func(name, role string) (string, []string) {
		return "createAccount", []string{"username=" + name, "password=Secret-pw-1", "email=a@b.c", "firstname=a", "lastname=b", "roleid=" + role}
	}
	command, args := user("kim", keeper)
	w.ok(w.admin, command, args...)
	kim := w.as("", "kim")
	small := field(w.ok(kim, "createRole", "name=small", "type=User"), "role", "id")
	w.ok(kim, "createRolePermission", "roleid="+small, "rule=list*", "permission=allow")
	command, args = user("sam", small)
	w.ok(kim, command, args...)
	for what, call := range map[string][]string{
		"a copy of root":    {"createRole", "name=x", "roleid=" + iam.RoleRootAdmin},
		"a copy of User":    {"createRole", "name=x", "roleid=" + iam.RoleUser},
		"an import of all":  {"importRole", "name=x", "type=Admin", "rules[0].rule=*", "rules[0].permission=allow"},
		"one rule too much": {"createRolePermission", "roleid=" + small, "rule=registerUserKeys", "permission=allow"},
		"an account of it":  append([]string{"createAccount"}, args[:5:5]...),
	} {
		if what == "an account of it" {
			call = append(call, "roleid="+iam.RoleUser)
			call[1] = "username=uma"
		}
		if _, err := w.call(kim, call[0], call[1:]...); fault.Of(err).Key != "error.role_exceeds" {
			t.Errorf("%s: %v", what, err)
		}
	}
	sam := w.as("", "sam")
	if _, err := w.call(sam, "createRole", "name=x", "type=User"); !fault.Is(err, fault.Unsupported) {
		t.Error("a user makes roles:", err)
	}
	w.ok(sam, "listUsers")
	w.ok(kim, "disableRole", "id="+small)
	if _, err := w.call(sam, "listUsers"); fault.Of(err).Key != "error.role_disabled" {
		t.Error("an account of a disabled role is not told:", err)
	}
}

// TestALongImport: a role may have more rules than there are commands.
func TestALongImport(t *testing.T) {
	w := newWorld(t)
	v := url.Values{"name": {"long"}, "type": {"Admin"}}
	for i := range 900 {
		at := "rules[" + strconv.Itoa(i) + "]."
		v.Set(at+"rule", "list"+strconv.Itoa(i))
		v.Set(at+"permission", "allow")
		v.Set(at+"description", "d")
	}
	if _, _, err := w.reg.Call(w.admin, "importRole", v); err != nil {
		t.Error(err)
	}
}
