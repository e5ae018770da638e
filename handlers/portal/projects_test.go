package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/project"
)

// TestProjectPages: in the scope of a project pages show and make what is the
// project's, for its members alone.
func TestProjectPages(t *testing.T) {
	s := newSite(t)
	people := s.furnish()
	otto := s.signIn(t, "acme", "otto") // looks, no more
	id := s.ID(&iam.Project{}, "name = ?", "apollo")
	at := "/p/" + id
	for _, g := range []*guest{people.mara, otto} {
		if body := g.get(at+"/instances", http.StatusOK); !strings.Contains(body, "shared-1") || strings.Contains(body, "web-1") {
			t.Error("the project's instances are not alone:", text(body))
		}
		if body := g.get("/me/instances", http.StatusOK); strings.Contains(body, "shared-1") {
			t.Error("the project's instance is among one's own")
		}
		if body := g.get("/me/dashboard", http.StatusOK); !strings.Contains(body, at+"/dashboard") {
			t.Error("the bar does not lead to the project")
		}
	}
	people.ella.get(at+"/instances", http.StatusNotFound)
	people.ella.get("/me/projects/"+id, http.StatusNotFound)

	if body := people.mara.get("/search?q=shared", http.StatusOK); !strings.Contains(body, "shared-1") {
		t.Error("the search leaves projects out:", text(body))
	}
	if body := otto.get(at+"/dashboard", http.StatusOK); !strings.Contains(body, "Project apollo") {
		t.Error("whose dashboard is it?", text(body))
	}
	people.mara.post(at+"/keys/new", http.StatusOK, "name", "of apollo")
	if n := s.Count(&compute.SSHKey{}, "account_id = ? AND name = ?", id, "of apollo"); n != 1 {
		t.Error("a form in the project made", n, "key pairs there")
	}
	if body := people.mara.get("/me/projects/new", http.StatusOK); !strings.Contains(body, `name="displaytext"`) {
		t.Error("no form for a project:", text(body))
	}
	for _, tab := range []string{"", "/members", "/invitations", "/roles", "/limits", "/events"} {
		people.mara.get("/me/projects/"+id+tab, http.StatusOK)
	}
	if body := people.mara.get("/me/projects/"+id+"/delete", http.StatusOK); !strings.Contains(text(body), "instances 1") {
		t.Error("what would go is not told:", text(body))
	}
}

// TestMembersComeAndGo: by the pages alone somebody is invited, accepts, gets a
// place and leaves again.
func TestMembersComeAndGo(t *testing.T) {
	s := newSite(t)
	people := s.furnish()
	s.Account("acme", "nora", iam.RoleUser)
	nora := s.signIn(t, "acme", "nora")
	_, err := s.Config.Set(s.Admin, "project.invite.required", "true")
	s.Must(err)
	id := s.ID(&iam.Project{}, "name = ?", "apollo")
	page := "/me/projects/" + id
	people.mara.post(page+"/members/add", http.StatusSeeOther, "account", "nora", "roletype", "Regular")
	if body := people.mara.get(page+"/invitations", http.StatusOK); !strings.Contains(body, "nora") {
		t.Error("the invitation is not shown:", text(body))
	}
	if body := nora.get("/me/invitations", http.StatusOK); !strings.Contains(body, "apollo") {
		t.Fatal("the guest does not see it:", text(body))
	}
	nora.post("/me/invitations/answer", http.StatusSeeOther, "projectid", id, "accept", "true")
	s.Finish()
	nora.get("/p/"+id+"/instances", http.StatusOK)
	nora.post(page+"/members/role", http.StatusSeeOther, "account", "nora", "roletype", "Admin")
	if n := s.Count(&iam.Member{}, "project_id = ? AND role = ?", id, iam.ProjectAdmin); n != 1 {
		t.Error("a regular member made itself an admin")
	}
	people.mara.post(page+"/members/role", http.StatusSeeOther, "account", "nora", "roletype", "Admin")
	if n := s.Count(&iam.Member{}, "project_id = ? AND role = ?", id, iam.ProjectAdmin); n != 2 {
		t.Error("the admin could not make another")
	}
	people.mara.post(page+"/members/remove", http.StatusSeeOther, "account", "nora")
	nora.get("/p/"+id+"/instances", http.StatusNotFound)
}

// TestTheLinkOfAnInvitation fills the form in, and only its token counts.
func TestTheLinkOfAnInvitation(t *testing.T) {
	s := newSite(t)
	people := s.furnish()
	id := s.ID(&iam.Project{}, "name = ?", "apollo")
	link := "/me/invitations/join?" + url.Values{"projectid": {id}, "token": {"abc"}}.Encode()
	if body := people.ella.get(link, http.StatusOK); !strings.Contains(body, id) || !strings.Contains(body, "abc") {
		t.Error("the form is not filled in:", text(body))
	}
	people.ella.post("/me/invitations/join", http.StatusUnprocessableEntity, "projectid", id, "token", "abc", "accept", "true")
}

// TestRulesByPages: rules are added, put first, turned around and taken away.
func TestRulesByPages(t *testing.T) {
	s := newSite(t)
	people := s.furnish()
	id, role := s.ID(&iam.Project{}, "name = ?", "apollo"), s.ID(&project.Role{}, "name = ?", "looks")
	page := "/me/projects/" + id + "/roles/" + role
	people.mara.post(page+"/rule", http.StatusSeeOther, "rule", "stop*", "permission", "deny")
	list, stop := s.ID(&iam.ProjectRule{}, "pattern = ?", "list*"), s.ID(&iam.ProjectRule{}, "pattern = ?", "stop*")
	people.mara.post(page+"/rules", http.StatusSeeOther, "order", stop+","+list)
	if n := s.Count(&iam.ProjectRule{}, "id = ? AND position = ?", stop, 0); n != 1 {
		t.Error("the rule is not the first")
	}
	people.mara.post(page+"/rules", http.StatusSeeOther, "rule", stop, "permission", "allow")
	if n := s.Count(&iam.ProjectRule{}, "id = ? AND allow = ?", stop, true); n != 1 {
		t.Error("the rule does not allow")
	}
	people.mara.post(page+"/rules", http.StatusSeeOther, "rule", stop)
	if n := s.Count(&iam.ProjectRule{}, "id = ?", stop); n != 0 {
		t.Error("the rule is still there")
	}
}
