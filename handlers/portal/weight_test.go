package portal_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/static"
)

// many makes copies of the account's only instance until there are n.
func (s *site) many(n int) {
	s.Helper()
	db := s.DB.In(s.Sys())
	vm, err := gorm.G[compute.VM](db).First(s.Sys())
	s.Must(err)
	nic, err := gorm.G[network.NIC](db).Where("vm_id = ?", vm.ID).First(s.Sys())
	s.Must(err)
	vol, err := gorm.G[storage.Volume](db).Where("vm_id = ?", vm.ID).First(s.Sys())
	s.Must(err)
	var vms []compute.VM
	var nics []network.NIC
	var vols []storage.Volume
	for i := 1; i < n; i++ {
		vm.ID, vm.Name, vm.InstanceName = s.DB.NewID(), fmt.Sprintf("web-%d", i), fmt.Sprintf("i-2-%d-VM", 100+i)
		vm.DisplayName = vm.Name
		nic.ID, nic.VMID, nic.IP = s.DB.NewID(), vm.ID, fmt.Sprintf("10.1.%d.%d", 2+i/250, 1+i%250)
		vol.ID, vol.VMID, vol.Name = s.DB.NewID(), vm.ID, fmt.Sprintf("ROOT-%d", i)
		vms, nics, vols = append(vms, vm), append(nics, nic), append(vols, vol)
	}
	const batch = 50
	s.Must(s.DB.Tx(s.Sys(), func(ctx context.Context) error {
		db := s.DB.In(ctx)
		return errors.Join(db.CreateInBatches(&vms, batch).Error, db.CreateInBatches(&nics, batch).Error, db.CreateInBatches(&vols, batch).Error)
	}))
}

var files = regexp.MustCompile(`(?:href|src)="(` + static.Prefix + `[^"#]+)`)

// TestFirstLoad: all that a browser fetches for its first list, page, style,
// scripts and icons, is below 100 KB.
func TestFirstLoad(t *testing.T) {
	needsVendor(t, "htmx.js")
	const limit = 100_000
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	g.deployed("web")
	s.many(60)
	page := g.get("/me/instances", http.StatusOK)
	if rows := strings.Count(page, "<tr id="); rows != 50 {
		t.Fatalf("the first page has %d rows, want 50", rows)
	}
	weight := map[string]int{"page": zipped(t, []byte(page))}
	for _, m := range files.FindAllStringSubmatch(page, -1) {
		weight[m[1]] = served(t, html.UnescapeString(m[1]))
	}
	total := 0
	for _, n := range weight {
		total += n
	}
	t.Logf("%d bytes: %v", total, weight)
	if total >= limit {
		t.Errorf("the first load is %d bytes, want less than %d: %v", total, limit, weight)
	}
	for _, want := range []string{"app.css", "app.js", "htmx.js", "icons.svg"} {
		if !slices.ContainsFunc(keys(weight), func(name string) bool { return strings.HasSuffix(name, want) }) {
			t.Errorf("%s was not counted", want)
		}
	}
}

func keys(m map[string]int) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

func zipped(t *testing.T, raw []byte) int {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// served is how many bytes of a file go over the wire.
func served(t *testing.T, path string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("%s: %d", path, w.Code)
	}
	return w.Body.Len()
}

// BenchmarkInstances is the server's time for the first page of 1000 instances.
func BenchmarkInstances(b *testing.B) {
	s := newSite(b)
	s.Account("acme", "mara", iam.RoleUser)
	people := map[string]*guest{"/me/instances": s.signIn(b, "acme", "mara"), "/all/instances": s.signIn(b, "", "admin")}
	people["/me/instances"].deployed("web")
	s.many(1000)
	for _, to := range []string{"/me/instances", "/all/instances", "/all/instances?q=web-99", "/all/instances?page=20"} {
		path, _, _ := strings.Cut(to, "?")
		b.Run(to, func(b *testing.B) {
			for b.Loop() {
				people[path].get(to, http.StatusOK)
			}
		})
	}
}
