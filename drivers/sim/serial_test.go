package sim_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
)

func serial(t testing.TB, h *sim.Host, ref drivers.VMRef) net.Conn {
	t.Helper()
	at := must(t, h.OpenConsole, drivers.OpenConsole{ID: ref.ID, Kind: drivers.ConsoleSerial})
	conn, err := net.Dial(at.Network, at.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn
}

// serialText is what a newcomer on the serial line is shown, up to a word.
func serialText(t testing.TB, h *sim.Host, ref drivers.VMRef, until string) string {
	t.Helper()
	return session(t, serial(t, h, ref), "", until)
}

// session types a line, waits for what it must print and returns all that came.
func session(t testing.TB, conn net.Conn, typed, want string) string {
	t.Helper()
	io.WriteString(conn, typed)
	var got strings.Builder
	chunk := make([]byte, 1024)
	for !strings.Contains(got.String(), want) {
		n, err := conn.Read(chunk)
		got.Write(chunk[:n])
		if err != nil {
			t.Fatalf("after %q: %v, instead of %q came %q", typed, err, want, got.String())
		}
	}
	return got.String()
}

func TestSerialSession(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	must(t, center.Host("b").ApplyRouter, network(1)) // the router is on another host
	ref := start(t, h, spec(1, localPool))
	conn := serial(t, h, ref)
	for _, step := range []struct{ typed, want string }{
		{"", "Aerie Linux 1 (simulated) web ttyS0\r\n\r\nweb login: "},
		{"\r", "web login: "},
		{"me\r\n", "Password: "},
		{"secret\r\n", "me@web:~$ "},
		{"\r", "me@web:~$ "},
		{"echo 'a b'\r", "\r\na b\r\n"},
		{"hostname\r", "\r\nweb\r\n"},
		{"whoami\r", "\r\nme\r\n"},
		{"uname -a\r", "Linux web"},
		{"uptime\r", " up 0:00"},
		{"free\r", "524288"},
		{"ip a\r", "link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\r\n    inet 10.1.1.20/24"},
		{"ip r\r", "usage"},
		{"\x1b[A\x1bOBhe\x7felp\r", "poweroff"},
		{"rm -rf /\x03", "^C\r\nme@web:~$ "},
		{"nonsense\r", "sh: nonsense: not found"},
		{"clear\r", "\x1b[H\x1b[2Jme@web:~$ "},
		{"half\x0c", "\x1b[H\x1b[2Jme@web:~$ half"},
		{"\x7f\x7f\x7f\x7f\x04", "web login: "},
		{"root\r\r", "root@web:~# "},
		{"exit\r", "web login: "},
		{"root\r\rreboot\r", "SeaBIOS"},
		{"", "web login: "},
		{"root\r\rpoweroff\r", "power off now"},
	} {
		session(t, conn, step.typed, step.want)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the line of a machine that is off: %v", err)
	}
	if p := power(t, h, ref); p != drivers.PowerOff {
		t.Errorf("after poweroff it is %s", p)
	}
}

func TestPausedGuestHearsNothing(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	ref := start(t, h, spec(1, localPool))
	center.PauseVM("a", ref.ID)
	conn := serial(t, h, ref)
	session(t, conn, "lost\r", "login: ")
	time.Sleep(20 * time.Millisecond)
	must(t, h.StartVM, ref)
	session(t, conn, "heard\r", "Password: ")
	if text := serialText(t, h, ref, "Password: "); strings.Contains(text, "lost") {
		t.Errorf("the paused guest shows %q", text)
	}
}

func TestLongOutputIsCutAtItsStart(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	ref := start(t, h, spec(1, localPool))
	conn := serial(t, h, ref)
	session(t, conn, "root\r\r", "# ")
	for range 600 {
		session(t, conn, "echo "+strings.Repeat("x", 150)+"\r", "# ")
	}
	session(t, conn, "echo the end\r", "\nthe end\r\n")
	if text := serialText(t, h, ref, "\nthe end\r\n"); len(text) > 65<<10 {
		t.Errorf("a newcomer gets %d bytes", len(text))
	}
}
