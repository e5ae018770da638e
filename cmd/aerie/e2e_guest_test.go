package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/cloudstack-go/v2/cloudstack"
	"nhooyr.io/websocket"

	"aerie/cmd/tinylinux"
)

// realParts skips a test that this machine cannot make: it needs root, libvirt
// and, unless bare is set, the guest image.
func realParts(t testing.TB) {
	t.Helper()
	var err error
	if os.Geteuid() != 0 {
		err = errors.New("the tests do not run as root")
	}
	require(t, "real hosts", err)
	for _, tool := range []string{"virsh", "qemu-img", "ip", "nft", "dnsmasq"} {
		_, err := exec.LookPath(tool)
		require(t, "real hosts", err)
	}
	out, err := hostUp(t.Context())
	if err != nil {
		err = fmt.Errorf("libvirt does not answer: %w: %s", err, out)
	}
	require(t, "real hosts", err)
	keepHost(t)
}

// hostUp starts the machine's libvirt where it does not run.
func hostUp(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return exec.CommandContext(ctx, filepath.Join("..", "setup", "host.sh"), "up").CombinedOutput()
}

// keepHost starts libvirtd again when it dies, as an init system does: version
// 9.0.0 sometimes crashes when clients are killed, and tests kill them.
func keepHost(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			conn, err := net.DialTimeout("unix", "/run/libvirt/libvirt-sock", time.Second)
			if err == nil {
				conn.Close()
				continue
			}
			out, err := hostUp(ctx)
			t.Logf("libvirtd had died: %s%v", out, err)
		}
	}()
}

func guestImageBuilt(t testing.TB) {
	t.Helper()
	_, err := os.Stat(filepath.Join("..", "..", tinylinux.Path))
	require(t, "the guest image (make guest builds it)", err)
}

// virsh speaks to the machine's libvirt behind the server's back.
func virsh(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("virsh", append([]string{"-q", "-c", "qemu:///system"}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("virsh %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// emulators are the QEMU processes of a machine.
func emulators(id string) []int { return processes("-uuid\x00" + id) }

// wait waits for a job and returns its result; the SDK's own waiting would
// sleep through a guest's first words.
func wait(t testing.TB, cs *cloudstack.CloudStackClient, job string) json.RawMessage {
	t.Helper()
	got := ended(t, cs, job)
	if got.Jobstatus != 1 {
		t.Fatalf("job %s failed: %s", got.Cmd, got.Jobresult)
	}
	return got.Jobresult
}

// ended waits until a job has ended one way or the other.
func ended(t testing.TB, cs *cloudstack.CloudStackClient, job string) (got *cloudstack.QueryAsyncJobResultResponse) {
	t.Helper()
	eventually(t, aWhile, "job "+job+" ends", func() (_ bool, err error) {
		got, err = cs.Asyncjob.QueryAsyncJobResult(cs.Asyncjob.NewQueryAsyncJobResultParams(job))
		return err == nil && got.Jobstatus != 0, err
	})
	return got
}

// stateOf is an instance's state, empty when it is gone.
func stateOf(cs *cloudstack.CloudStackClient, id string) (string, error) {
	p := cs.VirtualMachine.NewListVirtualMachinesParams()
	p.SetId(id)
	l, err := cs.VirtualMachine.ListVirtualMachines(p)
	if err != nil || l.Count == 0 {
		return "", err
	}
	return l.VirtualMachines[0].State, nil
}

// shows waits until an instance is shown in the state.
func shows(t testing.TB, cs *cloudstack.CloudStackClient, id, want string, patience time.Duration) {
	t.Helper()
	began := time.Now()
	eventually(t, patience, want, func() (bool, error) {
		got, err := stateOf(cs, id)
		if err == nil && got != want {
			err = fmt.Errorf("it is %q", got)
		}
		return err == nil, err
	})
	t.Logf("%s after %v", want, time.Since(began).Round(10*time.Millisecond))
}

// visitor is a person at the portal without a browser.
type visitor struct {
	http.Client
	s     *server
	token string // that the portal's forms carry
}

var csrfInput = regexp.MustCompile(`name="_csrf"[^>]*value="([^"]+)"`)

// visit signs in at the portal.
func (s *server) visit(username, password string) *visitor {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	v := &visitor{Client: http.Client{Jar: jar, Timeout: time.Minute}, s: s}
	v.get("/login")
	resp, err := v.PostForm(s.url("/login"), url.Values{"_csrf": {v.token}, "username": {username}, "password": {password}})
	if err != nil {
		s.t.Fatal(err)
	}
	if text := body(s.t, resp); resp.StatusCode != http.StatusOK || resp.Request.URL.Path == "/login" {
		s.t.Fatalf("sign in at %s: %d\n%.2000s", resp.Request.URL, resp.StatusCode, text)
	}
	v.get("/profile")
	return v
}

// get opens a page and remembers the token of its forms.
func (v *visitor) get(path string) string {
	v.s.t.Helper()
	resp, err := v.Get(v.s.url(path))
	if err != nil {
		v.s.t.Fatal(err)
	}
	text := body(v.s.t, resp)
	if resp.StatusCode != http.StatusOK {
		v.s.t.Fatalf("%s: %d\n%.2000s", path, resp.StatusCode, text)
	}
	if m := csrfInput.FindSubmatch(text); m != nil {
		v.token = string(m[1])
	}
	return string(text)
}

// ticket asks for a console as the portal's page does.
func (v *visitor) ticket(vm, kind string) string {
	v.s.t.Helper()
	resp, err := v.PostForm(v.s.url("/console/ticket"), url.Values{"_csrf": {v.token}, "id": {vm}, "kind": {kind}})
	if err != nil {
		v.s.t.Fatal(err)
	}
	text := body(v.s.t, resp)
	var got struct{ Token string }
	if err := json.Unmarshal(text, &got); err != nil || got.Token == "" {
		v.s.t.Fatalf("ticket: %d %.500s", resp.StatusCode, text)
	}
	return got.Token
}

// serial is an instance's serial line.
type serial struct {
	t   testing.TB
	ws  *websocket.Conn
	ctx context.Context

	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
	seen    int
	err     error
}

// serial opens an instance's serial line through the server.
func (v *visitor) serial(vm string) *serial {
	v.s.t.Helper()
	c, _, err := v.s.socket(v.ticket(vm, "serial"))
	if err != nil {
		v.s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(v.s.t.Context()))
	v.s.t.Cleanup(cancel)
	l := &serial{t: v.s.t, ws: c, ctx: ctx, changed: make(chan struct{})}
	go l.read()
	return l
}

func (l *serial) read() {
	for {
		_, b, err := l.ws.Read(l.ctx) // as text what the line said before
		l.mu.Lock()
		l.text.Write(b)
		l.err = err
		close(l.changed)
		l.changed = make(chan struct{})
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// expect waits until the line shows want behind what was expected before, and
// returns the text between.
func (l *serial) expect(want string) string {
	l.t.Helper()
	late := time.After(aWhile)
	for {
		l.mu.Lock()
		rest, changed, err := l.text.String()[l.seen:], l.changed, l.err
		if before, _, found := strings.Cut(rest, want); found {
			l.seen += len(before) + len(want)
			l.mu.Unlock()
			return before
		}
		l.mu.Unlock()
		if err != nil {
			l.t.Fatalf("the console ended before it said %q: %v\n%s", want, err, rest)
		}
		select {
		case <-changed:
		case <-late:
			l.t.Fatalf("the console does not say %q, but\n%s", want, rest)
		}
	}
}

func (l *serial) enter(line string) {
	l.t.Helper()
	if err := l.ws.Write(l.ctx, websocket.MessageBinary, []byte(line+"\n")); err != nil {
		l.t.Fatal(err)
	}
}

// login waits for the guest and signs in.
func (l *serial) login(user, password string) {
	l.t.Helper()
	l.expect(tinylinux.Ready)
	l.expect(" login: ")
	l.enter(user)
	l.expect("Password: ")
	<-time.After(300 * time.Millisecond) // login forgets what was typed before it hides the echo
	l.enter(password)
	l.expect(user + "@")
}

// says runs a command in the guest and returns what it printed. The marks are
// written so that the echo of the command does not look like them.
func (l *serial) says(command string) string {
	l.t.Helper()
	l.enter("echo 'be''gin'; " + command + "; echo 'e''nd'")
	l.expect("begin\r\n")
	return strings.ReplaceAll(strings.TrimSuffix(l.expect("end\r\n"), "\r\n"), "\r\n", "\n")
}
