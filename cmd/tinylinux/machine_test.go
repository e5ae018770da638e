package tinylinux_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// machine is QEMU without hardware help, and its first serial port.
type machine struct {
	t       *testing.T
	dir     string
	console io.Writer
	qmp     string
	ended   chan struct{}

	mu      sync.Mutex
	output  strings.Builder
	seen    int           // how far expect has read
	changed chan struct{} // closed when there is more
}

// TestMain is also the metadata server: QEMU starts this program once for
// each connection of the guest, with the connection as its standard streams.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "answer" {
		if err := answer(os.Args[2]); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// answer serves one request from the files in dir, as CloudStack's router does.
func answer(dir string) error {
	req, err := http.ReadRequest(bufio.NewReader(os.Stdin))
	if err != nil {
		return err
	}
	name := filepath.Join(dir, filepath.FromSlash(req.URL.Path))
	switch want := req.Header.Get("DomU_Request"); want {
	case "":
	case "saved_password":
		name = filepath.Join(dir, "password")
		defer os.Remove(name)
	default:
		name = filepath.Join(dir, "password")
	}
	resp := http.Response{ProtoMajor: 1, ProtoMinor: 1, StatusCode: http.StatusOK, Close: true}
	body, err := os.ReadFile(name)
	if err != nil {
		resp.StatusCode = http.StatusNotFound
	}
	resp.ContentLength = int64(len(body))
	resp.Body = io.NopCloser(strings.NewReader(string(body)))
	return resp.Write(os.Stdout)
}

// image is the built image; without it, or without QEMU, there is no test.
func image(t *testing.T) string {
	t.Helper()
	path := os.Getenv("AERIE_TEST_IMAGE")
	if path == "" {
		path = "../../var/cache/tiny.qcow2"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		missing(t, "no guest image ("+err.Error()+"): run make guest")
	}
	for _, program := range []string{"qemu-system-x86_64", "qemu-img"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, err.Error()+": run cmd/setup/packages.sh run")
		}
	}
	return path
}

func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("AERIE_TEST_REQUIRE") == "all" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// metadata is what the guest's metadata server will say, by path.
type metadata map[string]string

func (m metadata) write(t *testing.T, dir string) {
	t.Helper()
	for path, text := range m {
		name := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// boot starts a guest on a fresh overlay of one GiB. The ports of the guest
// are reachable at the addresses in forward.
func boot(t *testing.T, data metadata, forward map[int]string) *machine {
	t.Helper()
	base := image(t)
	dir := t.TempDir()
	data.write(t, dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(dir, "disk.qcow2")
	if out, err := exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, disk, "1G").CombinedOutput(); err != nil {
		t.Fatalf("qemu-img: %v: %s", err, out)
	}
	network := "user,id=n0,net=169.254.169.0/24,host=169.254.169.253,dhcpstart=169.254.169.15"
	for _, port := range []int{80, 8080} {
		network += fmt.Sprintf(",guestfwd=tcp:169.254.169.254:%d-cmd:%s answer %s", port, self, dir)
	}
	for port, addr := range forward {
		network += fmt.Sprintf(",hostfwd=tcp:%s-:%d", addr, port)
	}
	sockets, err := os.MkdirTemp("", "tiny") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })

	m := &machine{t: t, dir: dir, qmp: filepath.Join(sockets, "qmp"), ended: make(chan struct{}), changed: make(chan struct{})}
	cmd := exec.CommandContext(t.Context(), "qemu-system-x86_64", "-accel", "tcg", "-m", "128", "-nographic", "-monitor", "none",
		"-serial", "stdio", "-qmp", "unix:"+m.qmp+",server=on,wait=off",
		"-drive", "if=virtio,file="+disk, "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
		"-netdev", network, "-device", "virtio-net-pci,netdev=n0,romfile=")
	if m.console, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = m, m
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(m.ended); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-m.ended
		if t.Failed() {
			t.Logf("console:\n%s", m.text())
		}
	})
	return m
}

// Write takes what the guest prints.
func (m *machine) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.output.Write(p)
	close(m.changed)
	m.changed = make(chan struct{})
	return len(p), nil
}

func (m *machine) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.output.String()
}

// expect waits until the console shows want behind what was expected before,
// and returns the text between.
func (m *machine) expect(want string, patience time.Duration) string {
	m.t.Helper()
	late := time.After(patience)
	for {
		m.mu.Lock()
		rest, changed := m.output.String()[m.seen:], m.changed
		if before, _, found := strings.Cut(rest, want); found {
			m.seen += len(before) + len(want)
			m.mu.Unlock()
			return before
		}
		m.mu.Unlock()
		select {
		case <-changed:
		case <-m.ended:
			m.t.Fatalf("the machine ended before it said %q", want)
		case <-late:
			m.t.Fatalf("the console does not say %q after %v", want, patience)
		}
	}
}

// enter types a line.
func (m *machine) enter(line string) {
	m.t.Helper()
	if _, err := io.WriteString(m.console, line+"\n"); err != nil {
		m.t.Fatal(err)
	}
}

// login signs in on the console and leaves a shell behind.
func (m *machine) login(user, password string) {
	m.t.Helper()
	m.expect(" login: ", 30*time.Second)
	m.enter(user)
	m.expect("Password: ", 30*time.Second)
	<-time.After(300 * time.Millisecond) // login forgets what was typed before it hides the echo
	m.enter(password)
	m.expect(user+"@", 30*time.Second)
}

// monitor gives QEMU one command.
func (m *machine) monitor(command string) {
	m.t.Helper()
	conn, err := net.Dial("unix", m.qmp)
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	dec := json.NewDecoder(conn)
	for _, c := range []string{"", "qmp_capabilities", command} {
		if c != "" {
			fmt.Fprintf(conn, `{"execute":%q}`, c)
		}
		var reply struct{ Error any }
		if err := dec.Decode(&reply); err != nil || reply.Error != nil {
			m.t.Fatalf("qmp %s: %v %v", c, err, reply.Error)
		}
	}
}
