package main_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"aerie/cmd/tinylinux"
)

// noticed is within what time a user sees what happened behind Aerie's back.
const noticed = 10 * time.Second

// deployed is an instance and the password of its guest.
type deployed struct{ ID, Name, Password, IP string }

// deploys makes an instance and returns when it is powered on.
func (w someone) deploys(t testing.TB, s *server, name, network, keyPair, userData string) deployed {
	t.Helper()
	p := w.deployment(name, network)
	if keyPair != "" {
		p.SetKeypair(keyPair)
	}
	if userData != "" {
		p.SetUserdata(base64.StdEncoding.EncodeToString([]byte(userData)))
	}
	later := s.later(w.keys)
	r, err := later.VirtualMachine.DeployVirtualMachine(p)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		VM struct {
			ID, Name, Password, State string
			NIC                       []struct{ IPAddress string }
		} `json:"virtualmachine"`
	}
	if err := json.Unmarshal(wait(t, later, r.JobID), &got); err != nil || got.VM.State != "Running" || len(got.VM.NIC) != 1 {
		t.Fatalf("deployed: %+v, %v", got, err)
	}
	return deployed{got.VM.ID, got.VM.Name, got.VM.Password, got.VM.NIC[0].IPAddress}
}

// publicKey is a key as a user registers it.
func publicKey(t testing.TB) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) + " ann@laptop"
}

// small is an offering in which a Tiny Linux fits well.
func small(t testing.TB, s *server) string {
	t.Helper()
	admin := s.admin()
	p := admin.ServiceOffering.NewCreateServiceOfferingParams("Tiny", "Tiny")
	p.SetCpunumber(1)
	p.SetCpuspeed(500)
	p.SetMemory(2 * tinylinux.MinMemory)
	o, err := admin.ServiceOffering.CreateServiceOffering(p)
	if err != nil {
		t.Fatal(err)
	}
	return o.Id
}

// TestRealJourney is a user's day with real guests, seen through the API, the
// consoles and, behind Aerie's back, the machine itself.
func TestRealJourney(t *testing.T) {
	realParts(t)
	guestImageBuilt(t)
	s := newServer(t, "auto", "")
	s.start()
	admin := s.admin()
	hostsUp(t, admin)
	ann := joins(t, s, admin, "ann")
	ann.offering = small(t, s)
	before := s.traces(t)
	network := ann.network(t, "net")
	key := publicKey(t)
	if _, err := ann.SSH.RegisterSSHKeyPair(ann.SSH.NewRegisterSSHKeyPairParams("laptop", key)); err != nil {
		t.Fatal(err)
	}
	const userData = "#cloud-config\nwrite_files:\n  - path: /etc/aerie-test\n    content: arrived\n    permissions: \"0644\"\n"
	person := s.visit("ann", ann.password)

	web := ann.deploys(t, s, "web", network, "laptop", userData)
	webLine := person.serial(web.ID)
	db := ann.deploys(t, s, "db", network, "", "")
	dbLine := person.serial(db.ID)

	t.Run("the first guest", func(t *testing.T) {
		webLine.t = t
		webLine.login(tinylinux.User, web.Password)
		for command, want := range map[string]string{
			"echo hi":                    "hi",
			"hostname":                   "web",
			"cat /etc/aerie-test":        "arrived",
			"cat ~/.ssh/authorized_keys": strings.TrimSuffix(key, " ann@laptop"),
			"wget -qO- http://169.254.169.254/latest/meta-data/local-ipv4; echo":       web.IP,
			"wget -qO- http://169.254.169.254/latest/meta-data/instance-id; echo":      web.ID,
			"wget -qO- http://169.254.169.254/latest/meta-data/service-offering; echo": "Tiny",
			"wget -qO- http://169.254.169.254/latest/user-data | head -n 1":            "#cloud-config",
		} {
			if got := webLine.says(command); got != want {
				t.Errorf("%s: %q, want %q", command, got, want)
			}
		}
	})
	t.Run("the second guest", func(t *testing.T) {
		dbLine.t = t
		dbLine.login(tinylinux.User, db.Password)
		for _, host := range []string{"web", web.IP} {
			if got := dbLine.says("wget -qO- http://" + host + "/"); got != "web" {
				t.Errorf("http://%s/ answers %q", host, got)
			}
		}
	})
	if web.Password == db.Password {
		t.Error("two instances have one password")
	}
	s.clean(t)

	t.Run("a stop is graceful", func(t *testing.T) {
		later := s.later(ann.keys)
		began := time.Now()
		r, err := later.VirtualMachine.StopVirtualMachine(later.VirtualMachine.NewStopVirtualMachineParams(web.ID))
		if err != nil {
			t.Fatal(err)
		}
		wait(t, later, r.JobID)
		t.Logf("stopped after %v", time.Since(began).Round(time.Millisecond))
		webLine.t = t
		webLine.expect("aerie-tiny: poweroff") // it was asked, not unplugged
		shows(t, ann.CloudStackClient, web.ID, "Stopped", soon)
		if pids := emulators(web.ID); len(pids) > 0 {
			t.Errorf("its emulator runs: %v", pids)
		}
	})
	t.Run("start again", func(t *testing.T) {
		later := s.later(ann.keys)
		r, err := later.VirtualMachine.StartVirtualMachine(later.VirtualMachine.NewStartVirtualMachineParams(web.ID))
		if err != nil {
			t.Fatal(err)
		}
		wait(t, later, r.JobID)
		line := person.serial(web.ID)
		line.t = t
		line.login(tinylinux.User, web.Password)
		if got := line.says("cat /etc/aerie-test"); got != "arrived" {
			t.Errorf("after its second boot: %q", got)
		}
	})

	t.Run("behind the back", func(t *testing.T) { behind(t, s, ann, web.ID, db.ID) })
	t.Run("a restart of the server", func(t *testing.T) {
		s.stop()
		pids := emulators(web.ID)
		s.start()
		if len(pids) != 1 || !slices.Equal(pids, emulators(web.ID)) {
			t.Errorf("the guest ran as %v and runs as %v", pids, emulators(web.ID))
		}
		shows(t, ann.CloudStackClient, web.ID, "Running", soon)
	})
	t.Run("nothing is left", func(t *testing.T) {
		for _, id := range []string{web.ID, db.ID} {
			p := admin.VirtualMachine.NewDestroyVirtualMachineParams(id)
			p.SetExpunge(true)
			if _, err := admin.VirtualMachine.DestroyVirtualMachine(p); err != nil {
				t.Error(err)
			}
		}
		if r, err := ann.Network.DeleteNetwork(ann.Network.NewDeleteNetworkParams(network)); err != nil || !r.Success {
			t.Errorf("delete the network: %+v, %v", r, err)
		}
		s.clean(t)
		if after := s.traces(t); after != before {
			t.Errorf("before the network was made:\n%s\nafter it was deleted:\n%s", before, after)
		}
	})
	s.stop()
}

// behind does to guests what others may do without asking Aerie.
func behind(t *testing.T, s *server, ann someone, web, db string) {
	t.Run("paused", func(t *testing.T) {
		virsh(t, "suspend", web)
		shows(t, ann.CloudStackClient, web, "Paused", noticed)
		virsh(t, "resume", web)
		shows(t, ann.CloudStackClient, web, "Running", noticed)
	})
	t.Run("emulator killed", func(t *testing.T) {
		pids := emulators(web)
		if len(pids) != 1 {
			t.Fatalf("emulators: %v", pids)
		}
		if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		shows(t, ann.CloudStackClient, web, "Stopped", noticed)
	})
	t.Run("destroyed and undefined", func(t *testing.T) {
		virsh(t, "destroy", db)
		virsh(t, "undefine", db)
		shows(t, ann.CloudStackClient, db, "Stopped", noticed)
	})
	t.Run("while the server is down", func(t *testing.T) {
		start(t, s, ann, db)
		start(t, s, ann, web)
		s.stop()
		virsh(t, "destroy", db)
		virsh(t, "suspend", web)
		s.start()
		shows(t, ann.CloudStackClient, db, "Stopped", time.Minute)
		shows(t, ann.CloudStackClient, web, "Paused", time.Minute)
		virsh(t, "resume", web)
		shows(t, ann.CloudStackClient, web, "Running", noticed)
	})
	s.clean(t)
}

func start(t testing.TB, s *server, ann someone, id string) {
	t.Helper()
	later := s.later(ann.keys)
	r, err := later.VirtualMachine.StartVirtualMachine(later.VirtualMachine.NewStartVirtualMachineParams(id))
	if err != nil {
		t.Fatal(err)
	}
	wait(t, later, r.JobID)
}

// clean fails unless the audit finds nothing.
func (s *server) clean(t testing.TB) {
	t.Helper()
	if out, err := s.run("audit"); err != nil {
		t.Errorf("audit: %v\n%s", err, out)
	}
}

// traces is everything of this installation on the machine, as text.
func (s *server) traces(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.data, prefixFile))
	if err != nil {
		t.Fatal(err)
	}
	prefix := strings.TrimSpace(string(text))
	var files []string
	for _, dir := range []string{"disks", "routers", "libvirt"} {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(s.data, dir), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !isKept(path) {
				files = append(files, strings.TrimPrefix(path, s.data))
			}
			return nil
		}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("machines %v\nnamespaces %v\nlinks %v\nprocesses %d\nfiles %v\n", machinesOf(s.data), namespacesOf(prefix),
		linksOf(prefix), len(processes(filepath.Join(s.data, "routers"))), files)
}

// isKept tells what stays on purpose: images, and notes of what was, such as
// the passwords that guests have taken.
func isKept(path string) bool {
	return isImage(path) || strings.Contains(path, "/taken/") || strings.Contains(path, "/removed/")
}

// isImage tells a template's base image, which stays in its pool for the next
// instance.
func isImage(path string) bool { return strings.Contains(path, "/images/") }
