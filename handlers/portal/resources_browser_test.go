package portal_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aerie/services/iam"
)

// TestResourcesAreAccessible: axe finds nothing on the pages of resources, wide
// and light, narrow and dark, and none is wider than its window.
func TestResourcesAreAccessible(t *testing.T) {
	skipWithout(t, axePath)
	s := newSite(t)
	b := s.browse(t)
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Skip(err)
	}
	s.Account("acme", "mara", iam.RoleUser)
	s.furnish()
	admin := s.signIn(t, "", "admin")
	admin.deployed("web 1")
	b.as(admin)
	zone := "/all/zones/" + s.Zone.ID
	for _, path := range []string{
		"/all/volumes", "/all/volumes/" + s.first("volumes"), "/all/networks", "/all/networks/" + s.first("networks"), "/all/networks/new", "/all/routers",
		"/all/templates", "/all/templates/" + s.first("templates"), "/all/templates/new", "/all/keys", "/all/offerings/compute", "/all/offerings/network/new",
		"/all/zones", zone, zone + "/networks", zone + "/ranges", zone + "/storage", "/all/zones/new", zone + "/delete", "/all/hosts", "/all/hosts/" + s.first("hosts"), "/all/hosts/new",
		"/all/primary-storage", "/all/primary-storage/new", "/all/domains", "/all/accounts", "/all/accounts/" + s.first("accounts"), "/all/accounts/new", "/all/users", "/all/settings", "/all/settings/expunge.delay",
	} {
		for width, dark := range map[int64]bool{1440: false, 390: true} {
			if only := os.Getenv("AERIE_PAGE"); only != "" && !strings.Contains(path, only) {
				continue
			}
			b.open(path, width, dark)
			b.run(chromedp.Evaluate(string(axe), nil))
			for _, violation := range ask[[]string](b, axeRun) {
				t.Errorf("%s at %d: %s", path, width, violation)
			}
			if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("%s: the page is %d px wide at %d", path, wide, width)
			}
			for _, line := range b.complaints() {
				t.Errorf("%s: %s", path, line)
			}
		}
	}
}
