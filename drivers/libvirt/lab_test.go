//go:build libvirt_dlopen

package libvirt

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	virt "libvirt.org/go/libvirt"
)

// The tests run in a machine of their own: this program starts itself again in
// fresh mount, process and network namespaces, puts private folders where
// libvirtd keeps its state, and starts a libvirtd there. Everything dies with
// the namespaces. The first process stays as init, because libvirt waits for
// the QEMUs it has orphaned to be reaped.
const (
	labVar  = "AERIE_LIBVIRT_LAB"      // the lab's folder
	initVar = "AERIE_LIBVIRT_LAB_INIT" // set in the first process
)

const labBridge = "abtest"

// noLab is why there is no real libvirtd; empty when there is one.
var noLab string

var labPrograms = []string{"libvirtd", "virtlogd", "qemu-system-x86_64", "qemu-img", "ip"}

func TestMain(m *testing.M) {
	if dir := os.Getenv(labVar); os.Getenv(initVar) != "" {
		code, err := beInit(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, "private libvirtd:", err)
		}
		os.Exit(code)
	} else if dir != "" {
		if err := awaitLibvirtd(); err != nil {
			fmt.Fprintln(os.Stderr, "private libvirtd:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	if noLab = missing(); noLab != "" {
		os.Exit(m.Run())
	}
	os.Exit(runInLab())
}

func missing() string {
	for _, p := range labPrograms {
		if _, err := exec.LookPath(p); err != nil {
			return p + " is not installed"
		}
	}
	if os.Geteuid() != 0 {
		return "a private libvirtd needs root"
	}
	return ""
}

// real skips a test that needs a real libvirtd when there is none.
func real(t testing.TB) {
	t.Helper()
	if noLab == "" {
		return
	}
	if os.Getenv("AERIE_TEST_REQUIRE") == "all" {
		t.Fatal(noLab)
	}
	t.Skip(noLab)
}

func runInLab() int {
	dir, err := os.MkdirTemp("", "aerie-libvirt-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), labVar+"="+dir, initVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGINT)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		return max(1, exit.ExitCode())
	}
	return 0
}

// beInit starts libvirtd and the tests, and reaps whatever ends until the tests do.
func beInit(dir string) (int, error) {
	if err := enterLab(dir); err != nil {
		return 1, err
	}
	if err := os.Unsetenv(initVar); err != nil {
		return 1, err
	}
	tests, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return 1, err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for s := range signals {
			_ = tests.Signal(s)
		}
	}()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1, err
		case pid == tests.Pid && status.Signaled():
			return 128 + int(status.Signal()), nil
		case pid == tests.Pid:
			return status.ExitStatus(), nil
		}
	}
}

// enterLab makes the namespaces look like a fresh Debian host.
func enterLab(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	for name, at := range map[string]string{
		"etc": "/etc/libvirt", "lib": "/var/lib/libvirt", "log": "/var/log/libvirt", "cache": "/var/cache/libvirt", "run": "/run",
	} {
		if err := private(filepath.Join(dir, name), at); err != nil {
			return err
		}
	}
	if err := errors.Join(labFiles(dir), labKVM(dir), labNet()); err != nil {
		return err
	}
	return startLibvirtd()
}

// private puts a copy of the folder (of its structure, for /run) over it.
func private(copied, at string) error {
	if at == "/run" {
		if err := os.Mkdir(copied, 0o755); err != nil {
			return err
		}
	} else if out, err := exec.Command("cp", "-a", at, copied).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %s", at, out)
	}
	return syscall.Mount(copied, at, "", syscall.MS_BIND, "")
}

// labFiles keeps names from being asked of DNS, and lets root in without polkit.
func labFiles(dir string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	for at, text := range map[string]string{"/etc/hosts": "127.0.0.1 localhost " + host + "\n", "/etc/resolv.conf": ""} {
		file := filepath.Join(dir, filepath.Base(at))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(file, at, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	// Of the copy: whatever runs on this machine's own libvirtd is not ours.
	strangers, err := filepath.Glob("/etc/libvirt/qemu/*.xml")
	if err != nil {
		return err
	}
	for _, path := range append(strangers, "/etc/libvirt/qemu/autostart", "/etc/libvirt/qemu/networks/autostart") {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	conf := "auth_unix_rw = \"none\"\nauth_unix_ro = \"none\"\nunix_sock_rw_perms = \"0700\"\n"
	return os.WriteFile("/etc/libvirt/libvirtd.conf", []byte(conf), 0o600)
}

// labKVM makes /dev/kvm readable for everybody: where QEMU may not open it,
// libvirt looks at QEMU anew for every definition, which takes most of a minute.
func labKVM(dir string) error {
	var st syscall.Stat_t
	if syscall.Stat("/dev/kvm", &st) != nil {
		return nil
	}
	node := filepath.Join(dir, "kvm")
	if err := syscall.Mknod(node, syscall.S_IFCHR|0o666, int(st.Rdev)); err != nil {
		return err
	}
	return errors.Join(os.Chmod(node, 0o666), syscall.Mount(node, "/dev/kvm", "", syscall.MS_BIND, ""))
}

func labNet() error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", labBridge, "type", "bridge"},
		{"link", "set", labBridge, "up"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %s", args, out)
		}
	}
	return nil
}

func startLibvirtd() error {
	for _, args := range [][]string{{"virtlogd", "-d"}, {"libvirtd", "-d"}} {
		if err := daemon(args...); err != nil {
			return err
		}
	}
	return nil
}

func awaitLibvirtd() error {
	end := time.Now().Add(30 * time.Second)
	for {
		conn, err := virt.NewConnect("qemu:///system")
		if err == nil {
			_, err = conn.Close()
			return err
		}
		if time.Now().After(end) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// daemon starts a program that goes to the background. Its output goes to a
// file: a pipe would never end.
func daemon(args ...string) error {
	log, err := os.OpenFile("/var/log/libvirt/lab.log", os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%v: %w: %s", args, err, text)
	}
	return nil
}
