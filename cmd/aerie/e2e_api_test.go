package main_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/cloudstack-go/v2/cloudstack"
)

// databases runs a test on both.
func databases(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, "") })
	t.Run("MariaDB", func(t *testing.T) { test(t, mysqlDSN(t)) })
}

// parts is what an instance is made of.
type parts struct{ zone, template, offering, networkOffering string }

// someone is an account with a user and what it needs to begin.
type someone struct {
	*cloudstack.CloudStackClient
	parts
	keys
	name, password string
}

// joins makes an account with a user who has keys.
func joins(t testing.TB, s *server, admin *cloudstack.CloudStackClient, name string) someone {
	t.Helper()
	who := someone{name: name, password: name + "'s p4ssword", parts: partsOf(t, admin)}
	p := admin.Account.NewCreateAccountParams(name+"@example.org", "Ann", "Other", who.password, name)
	p.SetAccounttype(0)
	acc, err := admin.Account.CreateAccount(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(acc.User) != 1 || acc.Name != name {
		t.Fatalf("account: %+v", acc)
	}
	k, err := admin.User.RegisterUserKeys(admin.User.NewRegisterUserKeysParams(acc.User[0].Id))
	if err != nil {
		t.Fatal(err)
	}
	who.keys = keys{k.Apikey, k.Secretkey}
	who.CloudStackClient = s.sdk(who.keys)
	return who
}

func partsOf(t testing.TB, admin *cloudstack.CloudStackClient) (p parts) {
	t.Helper()
	zones, err := admin.Zone.ListZones(admin.Zone.NewListZonesParams())
	if err != nil || zones.Count != 1 || zones.Zones[0].Name != "local" {
		t.Fatalf("zones: %+v, %v", zones, err)
	}
	p.zone = zones.Zones[0].Id
	templates, err := admin.Template.ListTemplates(admin.Template.NewListTemplatesParams("executable"))
	if err != nil || templates.Count != 1 || !templates.Templates[0].Isready {
		t.Fatalf("templates: %+v, %v", templates, err)
	}
	p.template = templates.Templates[0].Id
	if p.offering, _, err = admin.ServiceOffering.GetServiceOfferingID("Small Instance"); err != nil {
		t.Fatal(err)
	}
	p.networkOffering, _, err = admin.NetworkOffering.GetNetworkOfferingID("DefaultIsolatedNetworkOfferingWithSourceNatService")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w someone) network(t testing.TB, name string) string {
	t.Helper()
	n, err := w.Network.CreateNetwork(w.Network.NewCreateNetworkParams(name, w.networkOffering, w.zone))
	if err != nil {
		t.Fatal(err)
	}
	return n.Id
}

func (w someone) deployment(name, network string) *cloudstack.DeployVirtualMachineParams {
	p := w.VirtualMachine.NewDeployVirtualMachineParams(w.offering, w.template, w.zone)
	p.SetName(name)
	p.SetNetworkids([]string{network})
	return p
}

// hostsUp waits until the zone's hosts can take instances.
func hostsUp(t testing.TB, admin *cloudstack.CloudStackClient) {
	t.Helper()
	eventually(t, aWhile, "hosts are up", func() (bool, error) {
		l, err := admin.Host.ListHosts(admin.Host.NewListHostsParams())
		if err != nil || l.Count == 0 {
			return false, err
		}
		return !slices.ContainsFunc(l.Hosts, func(h *cloudstack.Host) bool { return h.State != "Up" }), nil
	})
}

// TestAPIJourney is an account's life by an unmodified SDK.
func TestAPIJourney(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		s := newServer(t, "off", dsn)
		s.start()
		admin := s.admin()
		hostsUp(t, admin)
		t.Run("read", func(t *testing.T) { reads(t, admin) })
		ann := joins(t, s, admin, "ann")
		var vm string
		t.Run("life", func(t *testing.T) { vm = life(t, s, ann) })
		t.Run("around", func(t *testing.T) { belongings(t, ann, vm) })
		t.Run("xml", func(t *testing.T) { sameInXML(t, s, ann, vm) })
		t.Run("refusals", func(t *testing.T) { refusals(t, s, admin, ann, vm) })
		t.Run("end", func(t *testing.T) { ends(t, admin, ann, vm) })
		s.stop()
	})
}

func reads(t *testing.T, admin *cloudstack.CloudStackClient) {
	apis, err := admin.APIDiscovery.ListApis(admin.APIDiscovery.NewListApisParams())
	if err != nil || apis.Count < 80 || len(apis.Apis) != apis.Count {
		t.Errorf("apis: %v", err)
	}
	caps, err := admin.Configuration.ListCapabilities(admin.Configuration.NewListCapabilitiesParams())
	if err != nil || caps.Capabilities.Cloudstackversion == "" {
		t.Errorf("capabilities: %+v, %v", caps, err)
	}
	disks, err := admin.DiskOffering.ListDiskOfferings(admin.DiskOffering.NewListDiskOfferingsParams())
	if err != nil || disks.Count != 4 {
		t.Errorf("disk offerings: %+v, %v", disks, err)
	}
	u := admin.User.NewCreateUserParams("admin", "second@example.org", "Second", "User", "another p4ssword", "second")
	if user, err := admin.User.CreateUser(u); err != nil || user.Account != "admin" {
		t.Errorf("user: %+v, %v", user, err)
	}
}

// life takes an instance through everything but its end.
func life(t *testing.T, s *server, ann someone) string {
	network := ann.network(t, "net")
	made, err := ann.VirtualMachine.DeployVirtualMachine(ann.deployment("web", network))
	if err != nil {
		t.Fatal(err)
	}
	if made.State != "Running" || made.Name != "web" || len(made.Nic) != 1 || made.Nic[0].Ipaddress == "" || made.Password == "" || made.Account != "ann" {
		t.Errorf("deployed: %+v", made)
	}
	vm := ann.VirtualMachine
	state := func() string {
		got, n, err := vm.GetVirtualMachineByID(made.Id)
		if err != nil || n != 1 {
			t.Fatal(err)
		}
		return got.State
	}
	if id, n, err := vm.GetVirtualMachineID("web"); err != nil || n != 1 || id != made.Id {
		t.Errorf("by name: %s, %d, %v", id, n, err)
	}
	t.Run("console", func(t *testing.T) { consoleOnce(t, s, ann, made.Id) })
	if _, err := vm.RebootVirtualMachine(vm.NewRebootVirtualMachineParams(made.Id)); err != nil || state() != "Running" {
		t.Errorf("reboot: %s, %v", state(), err)
	}
	up := vm.NewUpdateVirtualMachineParams(made.Id)
	up.SetDisplayname("the web")
	// The SDK does not unwrap this answer, so that it has to be asked for.
	if _, err := vm.UpdateVirtualMachine(up); err != nil {
		t.Errorf("update: %v", err)
	}
	if got, _, err := vm.GetVirtualMachineByID(made.Id); err != nil || got.Displayname != "the web" {
		t.Errorf("updated: %+v, %v", got, err)
	}
	if got, err := vm.StopVirtualMachine(vm.NewStopVirtualMachineParams(made.Id)); err != nil || got.State != "Stopped" || state() != "Stopped" {
		t.Errorf("stop: %+v, %v", got, err)
	}
	if got, err := vm.ResetPasswordForVirtualMachine(vm.NewResetPasswordForVirtualMachineParams(made.Id)); err != nil || got.Password == "" || got.Password == made.Password {
		t.Errorf("password: %+v, %v", got, err)
	}
	if got, err := vm.StartVirtualMachine(vm.NewStartVirtualMachineParams(made.Id)); err != nil || got.State != "Running" || state() != "Running" {
		t.Errorf("start: %+v, %v", got, err)
	}
	return made.Id
}

// consoleOnce: a ticket opens the screen, once.
func consoleOnce(t *testing.T, s *server, ann someone, vm string) {
	got, err := ann.ConsoleEndpoint.CreateConsoleEndpoint(ann.ConsoleEndpoint.NewCreateConsoleEndpointParams(vm))
	if err != nil || !got.Success || !strings.HasPrefix(got.Url, s.url("/console")) {
		t.Fatalf("endpoint: %+v, %v", got, err)
	}
	ticket, _ := got.Websocket["token"].(string)
	c, _, err := s.socket(ticket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, r, err := c.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	greeting := make([]byte, 12)
	if _, err := io.ReadFull(r, greeting); err != nil || !bytes.HasPrefix(greeting, []byte("RFB 003.")) {
		t.Errorf("the screen greets with %q, %v", greeting, err)
	}
	for _, stale := range []string{ticket, "made-up"} {
		if _, resp, err := s.socket(stale); err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("ticket %.8s…: %v, %v", stale, resp, err)
		}
	}
}

// belongings is what belongs to an instance.
func belongings(t *testing.T, ann someone, vm string) {
	vp := ann.Volume.NewListVolumesParams()
	vp.SetVirtualmachineid(vm)
	vols, err := ann.Volume.ListVolumes(vp)
	if err != nil || vols.Count != 1 || vols.Volumes[0].Type != "ROOT" || vols.Volumes[0].State != "Ready" || vols.Volumes[0].Vmname != "web" {
		t.Errorf("volumes: %+v, %v", vols, err)
	}
	nics, err := ann.Nic.ListNics(ann.Nic.NewListNicsParams(vm))
	if err != nil || nics.Count != 1 || nics.Nics[0].Networkname != "net" {
		t.Errorf("nics: %+v, %v", nics, err)
	}
	pair, err := ann.SSH.CreateSSHKeyPair(ann.SSH.NewCreateSSHKeyPairParams("laptop"))
	if err != nil || !strings.Contains(pair.Privatekey, "PRIVATE KEY") || pair.Fingerprint == "" {
		t.Errorf("key pair: %+v, %v", pair, err)
	}
	pairs, err := ann.SSH.ListSSHKeyPairs(ann.SSH.NewListSSHKeyPairsParams())
	if err != nil || pairs.Count != 1 || pairs.SSHKeyPairs[0].Name != "laptop" {
		t.Errorf("key pairs: %+v, %v", pairs, err)
	}
	if _, err := ann.SSH.DeleteSSHKeyPair(ann.SSH.NewDeleteSSHKeyPairParams("laptop")); err != nil {
		t.Error(err)
	}
	ep := ann.Event.NewListEventsParams()
	ep.SetPagesize(500)
	ep.SetPage(1)
	events, err := ann.Event.ListEvents(ep)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"VM.CREATE", "VM.STOP", "VM.START", "VM.REBOOT", "VM.UPDATE", "VM.RESETPASSWORD", "NETWORK.CREATE", "VM.CONSOLE"} {
		if !slices.ContainsFunc(events.Events, func(e *cloudstack.Event) bool { return e.Type == want && e.State == "Completed" }) {
			t.Errorf("no event %s is completed", want)
		}
	}
}

// sameInXML: the same calls give the same things as XML.
func sameInXML(t *testing.T, s *server, ann someone, vm string) {
	c, err := s.login(ann.name, ann.password)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range [][]string{
		{"listVirtualMachines", "id", vm},
		{"listVirtualMachines", "name", "nobody"},
		{"listVolumes"},
		{"listNetworks"},
		{"listNics", "virtualmachineid", vm},
		{"listZones"},
		{"listTemplates", "templatefilter", "executable"},
		{"listServiceOfferings"},
		{"listDiskOfferings"},
		{"listNetworkOfferings"},
		{"listEvents", "page", "1", "pagesize", "50"},
		{"listAsyncJobs"},
		{"listAccounts"},
		{"listUsers"},
		{"listCapabilities"},
		{"listApis", "name", "deployVirtualMachine"},
		{"listVirtualMachines", "id", absentID},
		{"listVirtualMachines", "page", "1"},
		{"noSuchCommand"},
	} {
		asJSON := c.call(call[0], call[1:]...)
		asXML := c.call(call[0], append(call[1:], "response", "xml")...)
		if asJSON.code != asXML.code {
			t.Errorf("%v: %d as JSON, %d as XML", call, asJSON.code, asXML.code)
		}
		j, x := flat(t, asJSON), flat(t, asXML)
		if len(j) < 1 && call[0] != "listVirtualMachines" || !slices.Equal(j, x) {
			t.Errorf("%v differs:\n%s\n%s\n%s", call, difference(j, x), asJSON.body, asXML.body)
		}
	}
}

// difference is the lines that only one has.
func difference(a, b []string) string {
	var out strings.Builder
	for _, l := range a {
		if !slices.Contains(b, l) {
			out.WriteString("- " + l + "\n")
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out.WriteString("+ " + l + "\n")
		}
	}
	return out.String()
}

// ends takes an instance and its network away.
func ends(t *testing.T, admin *cloudstack.CloudStackClient, ann someone, vm string) {
	network, _, err := ann.Network.GetNetworkID("net")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.Network.DeleteNetwork(ann.Network.NewDeleteNetworkParams(network)); err == nil {
		t.Error("a network in use was deleted")
	}
	if _, err := ann.VirtualMachine.DestroyVirtualMachine(ann.VirtualMachine.NewDestroyVirtualMachineParams(vm)); err != nil {
		t.Error(err)
	}
	if _, err := admin.VirtualMachine.ExpungeVirtualMachine(admin.VirtualMachine.NewExpungeVirtualMachineParams(vm)); err != nil {
		t.Error(err)
	}
	// Who has it is gone, but it is not unknown.
	p := ann.VirtualMachine.NewListVirtualMachinesParams()
	p.SetId(vm)
	if l, err := ann.VirtualMachine.ListVirtualMachines(p); err != nil || l.Count != 0 {
		t.Errorf("an expunged instance: %+v, %v", l, err)
	}
	if r, err := ann.Network.DeleteNetwork(ann.Network.NewDeleteNetworkParams(network)); err != nil || !r.Success {
		t.Errorf("delete the network: %+v, %v", r, err)
	}
	if vols, err := ann.Volume.ListVolumes(ann.Volume.NewListVolumesParams()); err != nil || vols.Count != 0 {
		t.Errorf("volumes are left: %+v, %v", vols, err)
	}
}

// TestSession is the life of a session by a client with cookies.
func TestSession(t *testing.T) {
	s := newServer(t, "off", "")
	s.start()
	if _, err := s.login("admin", "wrong"); err == nil || !strings.Contains(err.Error(), "531") {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := s.login("nobody", adminPassword); err == nil || !strings.Contains(err.Error(), "531") {
		t.Errorf("an unknown user: %v", err)
	}
	c, err := s.login("admin", adminPassword, "/ROOT")
	if err != nil {
		t.Fatal(err)
	}
	if a := c.call("listZones"); a.code != http.StatusOK {
		t.Errorf("with key and cookie: %s", a.body)
	}
	if a := c.call("listEvents", "type", "USER.LOGIN"); !strings.Contains(string(a.body), `"type":"USER.LOGIN"`) {
		t.Errorf("the login is no event: %s", a.body)
	}
	again, err := s.login("admin", adminPassword)
	if err != nil {
		t.Fatal(err)
	}
	if a := again.call("listZones", "sessionkey", "guessed"); a.code != http.StatusUnauthorized {
		t.Errorf("a wrong key: %d", a.code)
	}
	if a := again.call("listZones"); a.code != http.StatusUnauthorized {
		t.Errorf("the session lives after a guess at its key: %d", a.code)
	}
	s.stop()
	s.start()
	if a := c.call("listZones"); a.code != http.StatusOK {
		t.Errorf("after a restart: %s", a.body)
	}
	stale := *c
	if a := c.call("logout"); a.code != http.StatusOK || !strings.Contains(string(a.body), `"description":"success"`) {
		t.Errorf("logout: %s", a.body)
	}
	if a := stale.call("listZones"); a.code != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", a.code)
	}
}

// TestTwoServers: servers on one database are one cloud.
func TestTwoServers(t *testing.T) {
	dsn := mysqlDSN(t)
	a, b := newServer(t, "off", dsn), newServer(t, "off", dsn)
	a.start()
	key, err := os.ReadFile(filepath.Join(a.data, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.data, "secret.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	c, err := a.login("admin", adminPassword)
	if err != nil {
		t.Fatal(err)
	}
	onA, onB := c.at(a, "listZones"), c.at(b, "listZones")
	if onA.code != http.StatusOK || !bytes.Equal(onA.body, onB.body) {
		t.Errorf("a session of A: on A %d %s, on B %d %s", onA.code, onA.body, onB.code, onB.body)
	}
	k := a.adminKeys()
	if _, err := b.sdk(k).Zone.ListZones(b.sdk(k).Zone.NewListZonesParams()); err != nil {
		t.Errorf("keys that A made, on B: %v", err)
	}
	if got := c.at(a, "logout"); got.code != http.StatusOK {
		t.Errorf("logout: %s", got.body)
	}
	if got := c.at(b, "listZones"); got.code != http.StatusUnauthorized {
		t.Errorf("B after the logout on A: %d", got.code)
	}
	a.stop()
	if _, err := b.login("admin", adminPassword); err != nil {
		t.Errorf("B without A: %v", err)
	}
	b.stop()
}

// TestReadmeRecipe runs the shell function that README.md gives for the API.
func TestReadmeRecipe(t *testing.T) {
	s := newServer(t, "off", "")
	s.start()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, _ := strings.Cut(string(text), "\napi() {")
	recipe, _, found := strings.Cut(recipe, "\n}\n")
	if !found {
		t.Fatal("README.md has no api() any more")
	}
	k := s.adminKeys()
	script := "api() {" + strings.ReplaceAll(recipe, "127.0.0.1:8080", s.address) + "\n}\napi listServiceOfferings name=Small%20Instance"
	cmd := exec.Command("bash", "-c", script)
	cmd.Env = append(os.Environ(), "KEY="+k.api, "SECRET="+k.secret)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"name":"Small Instance"`) {
		t.Errorf("%v: %s", err, out)
	}
}
