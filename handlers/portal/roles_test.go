package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"aerie/services/iam"
)

// rules are the role's rules, in order, as the portal exports them.
func (g *guest) rules(id string) string {
	g.t.Helper()
	return strings.ReplaceAll(strings.TrimSpace(g.get("/all/roles/"+id+"/rules?as=csv", http.StatusOK)), "\n", " ")
}

func (s *site) ruleID(pattern string) string {
	return s.ID(&iam.Permission{}, "pattern = ?", pattern)
}

func TestRuleEditor(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	to := g.post("/all/roles/new", http.StatusSeeOther, "name", "Helpers", "type", "User", "description", "=1+1", "ispublic", "true")
	id := s.ID(&iam.Role{}, "name = ?", "Helpers")
	if to != "/all/roles/"+id+"/rules" {
		t.Error("a new role leads to", to)
	}
	at := "/all/roles/" + id + "/rules"
	g.post(at+"/new", http.StatusSeeOther, "rule", "list*", "permission", "allow", "place", "last", "description", "=HYPERLINK(1)")
	g.post(at+"/new", http.StatusSeeOther, "rule", "startVirtualMachine", "permission", "allow", "place", "last")
	g.post(at+"/new", http.StatusSeeOther, "rule", "listEvents", "permission", "deny", "place", "first")
	if got, want := g.rules(id), "rule,permission,description listEvents,deny, list*,allow,'=HYPERLINK(1) startVirtualMachine,allow,"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	g.post(at+"/"+s.ruleID("listEvents")+"/move", http.StatusSeeOther, "to", "move_down")
	g.post(at+"/"+s.ruleID("startVirtualMachine")+"/move", http.StatusSeeOther, "to", "move_up")
	g.post(at+"/"+s.ruleID("list*")+"/turn", http.StatusSeeOther, "permission", "deny")
	if got, want := g.rules(id), "rule,permission,description list*,deny,'=HYPERLINK(1) startVirtualMachine,allow, listEvents,deny,"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	g.post(at+"/order", http.StatusSeeOther, "id", s.ruleID("listEvents"), "id", s.ruleID("list*"), "id", s.ruleID("startVirtualMachine"))
	g.post(at+"/"+s.ruleID("list*")+"/delete", http.StatusSeeOther)
	if got, want := g.rules(id), "rule,permission,description listEvents,deny, startVirtualMachine,allow,"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	page := g.post(at+"/new", http.StatusUnprocessableEntity, "rule", "list?", "permission", "allow", "place", "last")
	if !strings.Contains(page, "list?") || !strings.Contains(page, "aria-invalid") {
		t.Error("a wrong rule is not marked")
	}
	page = g.get(at, http.StatusOK)
	for _, want := range []string{`data-sort="rule-order"`, `form="rule-order"`, "/move", "/turn", `name="place"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the editor lacks %s", want)
		}
	}
	page = g.get("/all/roles/"+iam.RoleUser+"/rules", http.StatusOK)
	if strings.Contains(page, "/move") || strings.Contains(page, "data-sort") {
		t.Error("a default role can be edited")
	}
}

func TestImportAndExport(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	form := func(name, csv string, more ...string) []string {
		return append([]string{"name", name, "type", "User", "ispublic", "true", "csv", csv}, more...)
	}
	for what, csv := range map[string]string{"no permission": "list*", "a word that is none": "list*,perhaps", "nothing": "rule,permission", "a bad pattern": "rule,permission\nlist.,allow", "twice": "a,allow\na,deny"} {
		if page := g.post("/all/roles/import", http.StatusUnprocessableEntity, form("broken", csv)...); !strings.Contains(page, "f-csv-error") {
			t.Errorf("%s is not marked at the rules", what)
		}
	}
	g.post("/all/roles/import", http.StatusSeeOther, form("imported", "description,rule,permission\n'=1,list*,ALLOW\n\"a, b\",*,deny\n")...)
	id := s.ID(&iam.Role{}, "name = ?", "imported")
	csv := g.get("/all/roles/"+id+"/rules?as=csv", http.StatusOK)
	if csv != "rule,permission,description\nlist*,allow,'=1\n*,deny,\"a, b\"\n" {
		t.Errorf("%q", csv)
	}
	g.post("/all/roles/import", http.StatusUnprocessableEntity, form("imported", csv)...)
	g.post("/all/roles/import?id="+id+"&forced=true", http.StatusSeeOther, form("imported", csv, "forced", "true")...)
	if again := g.get("/all/roles/"+id+"/rules?as=csv", http.StatusOK); again != csv {
		t.Errorf("an export that was imported is %q", again)
	}
	g.post("/all/roles/new", http.StatusSeeOther, "name", "copied", "roleid", id, "ispublic", "true")
	copied := s.ID(&iam.Role{}, "name = ?", "copied")
	if again := g.get("/all/roles/"+copied+"/rules?as=csv", http.StatusOK); again != csv {
		t.Errorf("the copy has %q", again)
	}
}

func TestSimulateAndCompare(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	page := text(g.get("/all/roles/"+iam.RoleReadOnlyUser+"/simulate", http.StatusOK))
	for _, want := range []string{"listVirtualMachines", "Rule list*", "No rule names it", "Not made for accounts of this type"} {
		if !strings.Contains(page, want) {
			t.Errorf("the simulation lacks %q", want)
		}
	}
	preview := g.get("/all/roles/"+iam.RoleUser+"/simulate", http.StatusOK)
	_, preview, _ = strings.Cut(preview, `class="nav-preview"`)
	preview, _, _ = strings.Cut(preview, "</section></div>")
	if !strings.Contains(preview, "Instances") || strings.Contains(preview, "Hosts") {
		t.Error("a user's navigation:", text(preview))
	}
	page = text(g.get("/all/roles/"+iam.RoleUser+"/compare?with="+url.QueryEscape(iam.RoleSupportUser), http.StatusOK))
	if !strings.Contains(page, "deployVirtualMachine") || strings.Contains(page, "startVirtualMachine") {
		t.Error("User and Support User differ in", page)
	}
}

func TestADisabledRoleIsTold(t *testing.T) {
	s := newSite(t)
	admin := s.signIn(t, "", "admin")
	admin.post("/all/roles/new", http.StatusSeeOther, "name", "temps", "roleid", iam.RoleUser, "ispublic", "true")
	id := s.ID(&iam.Role{}, "name = ?", "temps")
	s.Account("acme", "tim", id)
	g := s.signIn(t, "acme", "tim")
	g.get("/me/instances", http.StatusOK)
	admin.post("/all/roles/"+id+"/state", http.StatusSeeOther, "state", "disabled")
	page := g.get("/me/instances", http.StatusForbidden)
	if !strings.Contains(page, "Your role temps is disabled") {
		t.Error("the account is not told:", text(page))
	}
	for _, to := range []string{"/", "/profile", "/search?q=a", "/me/dashboard"} {
		g.get(to, http.StatusForbidden)
	}
	admin.post("/all/roles/"+id+"/state", http.StatusSeeOther, "state", "enabled")
	g.get("/me/instances", http.StatusOK)
	admin.post("/all/roles/"+id+"/delete", http.StatusSeeOther) // refused: in use
	admin.get("/all/roles/"+id, http.StatusOK)
}

// TestRulesAreDragged: axe finds nothing in the editor, and a rule that is
// dragged above another stays there.
func TestRulesAreDragged(t *testing.T) {
	s := newSite(t)
	needsVendor(t, "htmx.js")
	b := s.browse(t)
	g := s.signIn(t, "", "admin")
	g.post("/all/roles/import", http.StatusSeeOther, "name", "dragged", "type", "User", "ispublic", "true", "csv", "a,allow\nb,allow\nc,deny")
	id := s.ID(&iam.Role{}, "name = ?", "dragged")
	b.as(g)
	b.open("/all/roles/"+id+"/rules", wide)
	j := newJudge(t, b, &sync.Map{})
	j.page(visit{"rule-editor", "/all/roles/" + id + "/rules", "de", g})
	j.pictures("rule-editor")
	b.open("/all/roles/"+id+"/rules", wide)
	b.do(`(() => {
		const rows = [...document.querySelectorAll("#rules tbody tr")];
		const send = (row, type, y) => row.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, clientY: y }));
		rows[2].querySelector("[data-sort]").dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
		send(rows[2], "dragstart", 0);
		send(rows[0], "dragover", rows[0].getBoundingClientRect().top + 1);
		send(rows[2], "dragend", 0);
	})()`)
	b.eventually(`document.querySelector("#rules tbody tr code")?.textContent === "c" && document.querySelector(".toast")`)
	if got, want := g.rules(id), "rule,permission,description c,deny, a,allow, b,allow,"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b.open("/all/roles/import", wide)
	b.do(`(() => {
		const files = new DataTransfer();
		files.items.add(new File(["list*,allow"], "rules.csv"));
		const input = document.querySelector("[data-into]");
		input.files = files.files;
		input.dispatchEvent(new Event("change", { bubbles: true }));
	})()`)
	b.eventually(`document.getElementById("f-csv").value === "list*,allow"`)
	for _, said := range b.complaints() {
		t.Error(said)
	}
}
