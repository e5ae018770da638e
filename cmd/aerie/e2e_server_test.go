package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // to create databases

	"aerie/cmd/tinylinux"
)

// End-to-end tests start the real program. Each server has its own data folder
// and thereby its own prefix for what it makes on the machine, so that tests,
// installations and other people's work leave each other alone.

// Patience, generous: guests are emulated and the machine may be loaded.
const (
	soon     = 20 * time.Second // until a server is ready, or a row changes
	draining = 25 * time.Second // until a server that was told to stop is gone
	aWhile   = 5 * time.Minute  // until a job ends or a guest is up
)

// What the tests know of the program's inside: the file in the data folder with
// the prefix of its names on the machine, and the hook by which it dies.
const (
	prefixFile   = "prefix"
	failpointVar = "AERIE_FAILPOINT"
)

const adminPassword = "an Administrator's p4ssword"

// shared is what the tests of one run share.
var shared struct {
	dir     string // of the program and the database server
	mariadb *exec.Cmd
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.mariadb != nil {
		_ = shared.mariadb.Process.Kill()
		_ = shared.mariadb.Wait()
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

var sharedDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "aerie-e2e-")
	if err == nil {
		shared.dir, err = dir, os.Chmod(dir, 0o755)
	}
	return dir, err
})

// program builds the server once, or takes the one of AERIE_TEST_PROGRAM.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("AERIE_TEST_PROGRAM"); path != "" {
		return path, nil
	}
	dir, err := sharedDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "aerie")
	out, err := exec.Command("go", "build", "-tags", "libvirt_dlopen", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// births starts processes from one thread that lives as long as the tests do,
// so that the kernel ends the processes with it: a test program that is killed
// or panics leaves no server behind.
var births = sync.OnceValue(func() chan<- birth {
	queue := make(chan birth)
	go func() {
		runtime.LockOSThread()
		for b := range queue {
			b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			b.done <- b.cmd.Start()
		}
	}()
	return queue
})

type birth struct {
	cmd  *exec.Cmd
	done chan error
}

func startProcess(cmd *exec.Cmd) error {
	b := birth{cmd, make(chan error, 1)}
	births() <- b
	return <-b.done
}

// require skips the test when it cannot be made here, unless all must be made.
func require(t testing.TB, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("AERIE_TEST_REQUIRE") == "all" {
		t.Fatalf("%s: %v", what, err)
	}
	t.Skipf("%s: %v", what, err)
}

// server is the real program and where it keeps its things.
type server struct {
	t       testing.TB
	name    string
	data    string
	address string
	dsn     string   // empty: SQLite in the data folder
	node    string   // "auto" or "off"
	env     []string // for the next start only

	named         bool // see nameInstances
	adminKeysMade keys // the administrator has one pair at a time

	cmd    *exec.Cmd
	output *output
	exited chan struct{}
	exit   error
}

// output is what a server says, kept for when its test fails.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// tail is the end of what was said, without the calls that went well.
func (o *output) tail() string {
	var lines []string
	for line := range strings.Lines(o.String()) {
		if !strings.Contains(line, `"msg":"api"`) || !strings.Contains(line, `"code":200`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-100):], "")
}

// newServer prepares a server with a fresh data folder, without starting it.
func newServer(t testing.TB, node, dsn string) *server {
	t.Helper()
	dir, err := sharedDir()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.MkdirTemp(dir, "d")
	if err == nil {
		err = os.Chmod(data, 0o755) // QEMU's user has to get to the disks
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, name: filepath.Base(data), data: data, dsn: dsn, node: node, output: &output{}}
	s.address = freeAddress(t)
	if node == "auto" {
		knownAcceleration(t, data)
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("server %s said:\n%s", s.name, s.output.tail())
		}
		if err := errors.Join(sweepMachine(data)...); err != nil {
			t.Log("clean up: ", err)
		}
	})
	return s
}

// beside prepares another server on the same database and data folder.
func (s *server) beside() *server {
	other := &server{
		t: s.t, name: s.name + "'", data: s.data, dsn: s.dsn, node: s.node, output: &output{}, address: freeAddress(s.t),
		named: s.named, adminKeysMade: s.adminKeysMade,
	}
	s.t.Cleanup(func() {
		other.kill()
		if s.t.Failed() {
			s.t.Logf("server %s said:\n%s", other.name, other.output.tail())
		}
	})
	return other
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *server) url(path string) string { return "http://" + s.address + path }

// start starts the server and waits until it is ready.
func (s *server) start() {
	s.t.Helper()
	s.launch()
	s.eventually(soon+soon, "ready", func() (bool, error) {
		select {
		case <-s.exited:
			s.t.Fatalf("server %s ended instead of getting ready: %v\n%s", s.name, s.exit, s.output)
		default:
		}
		resp, err := http.Get(s.url("/readyz"))
		if err != nil {
			return false, err
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
	s.nameInstances()
}

// nameInstances gives the names of instances at their hypervisor an end of
// their own, once: servers that start together do not see each other's yet.
func (s *server) nameInstances() {
	s.t.Helper()
	if s.node != "auto" || s.named {
		return
	}
	text, err := os.ReadFile(filepath.Join(s.data, prefixFile))
	if err != nil {
		s.t.Fatal(err)
	}
	admin := s.admin()
	p := admin.Configuration.NewUpdateConfigurationParams("instance.name")
	p.SetValue("E2E" + strings.TrimSpace(string(text)))
	if _, err := admin.Configuration.UpdateConfiguration(p); err != nil {
		s.t.Fatal(err)
	}
	s.named = true
}

func (s *server) launch() {
	s.t.Helper()
	bin, err := program()
	if err != nil {
		s.t.Fatal(err)
	}
	args := []string{"serve", "--data", s.data, "--listen", s.address, "--node", s.node}
	if s.dsn != "" {
		args = append(args, "--database", s.dsn)
	}
	s.cmd = exec.Command(bin, args...)
	s.cmd.Env = append(s.environment(), s.env...)
	s.env = nil
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	s.cmd.WaitDelay = time.Second
	if err := startProcess(s.cmd); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	s.exited = exited
	cmd := s.cmd
	go func() { s.exit = cmd.Wait(); close(exited) }()
}

// environment is the test's, without what would change the server's mind.
func (s *server) environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AERIE_") {
			env = append(env, v)
		}
	}
	image := os.Getenv("AERIE_GUEST_IMAGE")
	if image == "" {
		image, _ = filepath.Abs(filepath.Join("..", "..", tinylinux.Path))
	}
	return append(env, "AERIE_ADMIN_PASSWORD="+adminPassword, "AERIE_GUEST_IMAGE="+image)
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// stop tells the server to stop; it must drain and exit with 0.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.exited:
	case <-time.After(draining):
		s.t.Fatalf("server %s did not stop within %v", s.name, draining)
	}
	if s.exit != nil {
		s.t.Errorf("a server that was told to stop: %v", s.exit)
	}
	s.cmd = nil
}

// died waits for the server to end by itself.
func (s *server) died() {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(aWhile):
		s.t.Fatalf("server %s lives on", s.name)
	}
	s.cmd = nil
}

// run runs another of the program's commands on the server's data.
func (s *server) run(command ...string) (string, error) {
	bin, err := program()
	if err != nil {
		return "", err
	}
	args := append(command, "--data", s.data)
	if s.dsn != "" {
		args = append(args, "--database", s.dsn)
	}
	cmd := exec.Command(bin, args...)
	cmd.Env = s.environment()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// eventually waits for a fact; errors are told when it does not come.
func (s *server) eventually(patience time.Duration, what string, fact func() (bool, error)) {
	s.t.Helper()
	eventually(s.t, patience, what, fact)
}

func eventually(t testing.TB, patience time.Duration, what string, fact func() (bool, error)) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for {
		ok, err := fact()
		if ok {
			return
		}
		select {
		case <-end:
			t.Fatalf("not within %v: %s: %v", patience, what, err)
		case <-tick.C:
		}
	}
}

// knownAcceleration spares a server the seconds of finding out whether this
// machine can accelerate guests: the first one's answer holds for all.
func knownAcceleration(t testing.TB, data string) {
	t.Helper()
	const file = "acceleration.json"
	text, err := os.ReadFile(filepath.Join(shared.dir, file))
	if err != nil {
		t.Cleanup(func() {
			if text, err := os.ReadFile(filepath.Join(data, "libvirt", file)); err == nil {
				_ = os.WriteFile(filepath.Join(shared.dir, file), text, 0o600)
			}
		})
		return
	}
	dir := filepath.Join(data, "libvirt")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, file), text, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// mariadb starts a private MariaDB once, or takes the one of the environment.
var mariadb = sync.OnceValues(func() (dsn string, err error) {
	if dsn := os.Getenv("AERIE_TEST_MYSQL"); dsn != "" {
		return dsn, nil
	}
	for _, tool := range []string{"mariadb-install-db", "mariadbd"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", err
		}
	}
	dir, err := sharedDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "my")
	out, err := exec.Command("mariadb-install-db", "--no-defaults", "--user=root", "--datadir="+filepath.Join(dir, "data"),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	socket := filepath.Join(dir, "sock")
	cmd := exec.Command("mariadbd", "--no-defaults", "--user=root", "--datadir="+filepath.Join(dir, "data"), "--skip-networking",
		"--socket="+socket, "--pid-file="+filepath.Join(dir, "pid"), "--character-set-server=utf8mb4", "--innodb-buffer-pool-size=64M")
	if err := startProcess(cmd); err != nil {
		return "", err
	}
	shared.mariadb = cmd
	return "root@unix(" + socket + ")/", nil
})

// mysqlDSN makes an empty database on MariaDB and returns its address.
func mysqlDSN(t testing.TB) string {
	t.Helper()
	server, err := mariadb()
	require(t, "MariaDB", err)
	db, err := sql.Open("mysql", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), soon)
	t.Cleanup(cancel)
	eventually(t, soon, "MariaDB answers", func() (bool, error) { err := db.PingContext(ctx); return err == nil, err })
	name := fmt.Sprintf("e2e_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := sql.Open("mysql", server)
		if err == nil {
			_, _ = db.Exec("DROP DATABASE " + name)
			_ = db.Close()
		}
	})
	return "mysql:" + server + name
}

// body reads an answer to its end.
func body(t testing.TB, resp *http.Response) []byte {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
