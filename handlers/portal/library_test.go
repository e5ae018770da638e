package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/network"
	"aerie/services/storage"
)

// TestOfferingsAreMadeAndOrdered by an administrator, with limits and for a
// domain.
func TestOfferingsAreMadeAndOrdered(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "", "admin")
	g.post("/all/offerings/compute/new", http.StatusSeeOther, "name", "bounded", "cpunumber", "1", "cpuspeed", "500", "memory", "128",
		"bytesreadrate", "1000", "cachemode", "writeback", "domainid", s.ID(&iam.Domain{}, "name = ?", "acme"))
	id := s.ID(&compute.Offering{}, "name = ?", "bounded")
	page := g.get("/all/offerings/compute/"+id, http.StatusOK)
	for _, want := range []string{"Write-back", "acme"} {
		if !strings.Contains(page, want) {
			t.Errorf("its page lacks %q", want)
		}
	}
	g.post("/all/offerings/compute/new", http.StatusUnprocessableEntity, "name", "bad", "cpunumber", "1", "cpuspeed", "500", "memory", "128", "bytesreadratemax", "5")
	g.post("/all/offerings/compute/"+id+"/edit", http.StatusSeeOther, "name", "bounded", "displaytext", "for all", "state", "Active")
	if s.Count(&compute.Offering{}, "id = ? AND domain_ids = '' AND display_text = ?", id, "for all") != 1 {
		t.Error("it is still for one domain")
	}
	for _, to := range []string{"up", "up", "down"} {
		g.post("/all/offerings/compute/"+id+"/move", http.StatusSeeOther, "to", to)
	}
	var names []string
	s.Must(s.DB.In(s.Sys()).Model(&compute.Offering{}).Order("sort_key").Pluck("name", &names).Error)
	if len(names) < 3 || names[1] != "bounded" {
		t.Errorf("the order is %v", names)
	}
	g.post("/all/offerings/disk/new", http.StatusSeeOther, "name", "fast", "disksize", "5", "maxiops", "900", "displayoffering", "true")
	disk := s.ID(&storage.Offering{}, "name = ? AND max_iops = 900", "fast")
	g.post("/all/offerings/disk/"+disk+"/edit", http.StatusSeeOther, "name", "fast", "displaytext", "x", "state", "Active", "bytesreadrate", "")
	g.post("/all/offerings/vpc/new", http.StatusSeeOther, "name", "vpc", "supportedservices", "Dhcp")
	s.Finish()
	if s.Count(&network.VPCOffering{}, "name = ?", "vpc") != 1 {
		t.Error("there is no VPC offering")
	}
}

// TestLibraryJourney: a user keeps user data and groups, and deploys with them.
func TestLibraryJourney(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	g.post("/me/userdata/new", http.StatusSeeOther, "name", "base", "userdata_text", "#cloud-config\r\n", "params", "team")
	g.post("/me/affinity/new", http.StatusSeeOther, "name", "apart", "type", compute.Apart)
	g.post("/me/instance-groups/new", http.StatusSeeOther, "name", "front")
	s.Call(s.As("acme", "mara"), "createSSHKeyPair", "name", "laptop")
	s.Finish()
	data, group, apart := s.ID(&compute.UserData{}, "1 = 1"), s.ID(&compute.Group{}, "1 = 1"), s.ID(&compute.AffinityGroup{}, "1 = 1")
	g.post("/me/instances/new", http.StatusUnprocessableEntity, append(s.small("web"), "userdataid", data)...)
	g.post("/me/instances/new", http.StatusSeeOther, append(s.small("web"), "userdataid", data, "userdata_values", "team=blue", "group", "front", "affinitygroupids", apart)...)
	s.Finish()
	id := s.ID(&compute.VM{}, "name = ?", "web")
	page := g.get("/me/instances/"+id, http.StatusOK)
	for _, path := range []string{"/me/userdata/" + data, "/me/instance-groups/" + group, "/me/affinity/" + apart} {
		if !strings.Contains(page, path) {
			t.Errorf("the instance's page does not lead to %s", path)
		}
		if at := g.get(path, http.StatusOK); !strings.Contains(path, "userdata") && !strings.Contains(at, "/me/instances/"+id) {
			t.Errorf("%s does not lead to the instance", path)
		}
	}
	s.Call(s.As("acme", "mara"), "stopVirtualMachine", "id", id)
	g.post("/me/instances/"+id+"/keys", http.StatusSeeOther, "keypairs", "laptop")
	s.Finish()
	g.post("/me/instances/"+id+"/affinity", http.StatusSeeOther)
	s.Finish()
	g.post("/me/instances/"+id+"/userdata", http.StatusSeeOther, "userdata_text", "#!/bin/sh")
	if vm := s.VM(id); vm.KeyPairs != "laptop" || vm.Bonded || vm.UserData != "IyEvYmluL3No" || vm.UserDataID != "" {
		t.Errorf("%+v", vm)
	}
	g.post("/me/userdata/"+data+"/delete", http.StatusSeeOther)
	g.post("/me/instance-groups/"+group+"/delete", http.StatusSeeOther)
	g.post("/me/affinity/"+apart+"/delete", http.StatusSeeOther)
	s.Finish()
	if n := s.Count(&compute.UserData{}, "1 = 1") + s.Count(&compute.Group{}, "1 = 1") + s.Count(&compute.AffinityGroup{}, "1 = 1"); n != 0 {
		t.Errorf("%d are left", n)
	}
}
