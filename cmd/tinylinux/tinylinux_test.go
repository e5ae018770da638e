package tinylinux_test

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aerie/cmd/tinylinux"

	"golang.org/x/crypto/ssh"
)

const userData = `#cloud-config
write_files:
  - path: /etc/motd.d/hello
    content: |
      one
        two
    permissions: "0600"
runcmd:
  - echo "done $(hostname)" > /root/done
`

// TestGuest is one life of an instance: first boot with metadata, use,
// a reboot with a new password, and the power button.
func TestGuest(t *testing.T) {
	signer, public := key(t)
	web, shell := freeAddr(t), freeAddr(t)
	start := time.Now()
	m := boot(t, metadata{
		"latest/meta-data/instance-id":    "i-2-17-VM",
		"latest/meta-data/local-hostname": "web-1.example.org",
		"latest/meta-data/public-keys":    public,
		"latest/user-data":                userData,
	}, map[int]string{80: web, 22: shell})

	m.expect(tinylinux.Ready, 2*time.Minute)
	if line := m.expect("\r\n", time.Second); line != "host=web-1 ip=169.254.169.15" {
		t.Errorf("ready line says %q", line)
	}
	t.Logf("ready after %.1f s", time.Since(start).Seconds())

	if issue := m.expect("Log in", 30*time.Second); !strings.Contains(issue, "web-1") || !strings.Contains(issue, "169.254.169.15") {
		t.Errorf("the login banner lacks name or address: %q", issue)
	}
	m.login(tinylinux.User, tinylinux.Password)
	m.enter("echo h'i' $(id -u)")
	m.expect("hi 1000", 30*time.Second)

	if body := get(t, "http://"+web+"/"); body != "web-1\n" {
		t.Errorf("web server says %q", body)
	}
	if line := greeting(t, shell); !strings.HasPrefix(line, "SSH-2.0-") {
		t.Errorf("port 22 says %q", line)
	}

	for _, user := range []string{"root", "aerie"} {
		if out := run(t, shell, user, ssh.PublicKeys(signer), "whoami"); out != user+"\n" {
			t.Errorf("%s by key: %q", user, out)
		}
	}
	root := func(command string) string { return run(t, shell, "root", ssh.PublicKeys(signer), command) }
	for command, want := range map[string]string{
		"cat /etc/motd.d/hello; stat -c %a /etc/motd.d/hello": "one\n  two\n600\n",
		"cat /root/done":           "done web-1\n",
		"grep -c web-1 /etc/hosts": "1\n",
		"busybox ping -c 1 -W 2 web-1 >/dev/null && echo yes": "yes\n",
		"wget -qO- http://web-1/":                             "web-1\n",
		"i=0; while [ $i -lt 50 ] && [ $(df -m / | awk 'END { print $2 }') -lt 800 ]; do usleep 200000; i=$((i+1)); done; [ $i -lt 50 ] && echo grown": "grown\n",
	} {
		if out := root(command); out != want {
			t.Errorf("%s: %q, want %q", command, out, want)
		}
	}
	if _, err := dial(shell, "aerie", ssh.Password(tinylinux.Password)); err == nil {
		t.Error("the default password opens SSH")
	}

	metadata{"password": "Tr0ub4dor"}.write(t, m.dir)
	root("reboot")
	m.expect(tinylinux.Ready+"host=web-1 ", 2*time.Minute)
	m.login("root", "Tr0ub4dor")
	if out := run(t, shell, "aerie", ssh.Password("Tr0ub4dor"), "whoami"); out != "aerie\n" {
		t.Errorf("the new password over SSH: %q", out)
	}

	start = time.Now()
	m.monitor("system_powerdown")
	select {
	case <-m.ended:
		t.Logf("off after %.1f s", time.Since(start).Seconds())
	case <-time.After(10 * time.Second):
		t.Error("the power button does not end the machine in 10 s")
	}
}

func key(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

// freeAddr is a loopback address nobody listens at.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// greeting is the first line a server says by itself.
func greeting(t *testing.T, addr string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func dial(addr, user string, method ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", addr, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{method}, Timeout: 30 * time.Second,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), //nolint:gosec // the guest made its key a second ago
	})
}

// run gives one command to the guest by SSH.
func run(t *testing.T, addr, user string, method ssh.AuthMethod, command string) string {
	t.Helper()
	client, err := dial(addr, user, method)
	if err != nil {
		t.Fatalf("ssh %s: %v", user, err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	out, err := session.CombinedOutput(command)
	if err != nil && command != "reboot" {
		t.Errorf("%s: %v", command, err)
	}
	return string(out)
}
