package sim

import (
	"fmt"
	"strings"
	"time"
)

// wish is what a command in the guest wants of its machine.
type wish int

const (
	wishNothing wish = iota
	wishPowerOff
	wishReboot
)

// stage is how far a user has come.
type stage int

const (
	atLogin stage = iota
	atPassword
	atShell
)

// shell is the login and the small shell behind it.
type shell struct {
	guest  guest
	stage  stage
	user   string
	line   []byte
	last   byte
	escape int // how far in a sequence of a cursor key
}

func (s *shell) prompt() string {
	switch s.stage {
	case atPassword:
		return "Password: "
	case atShell:
		sign := "$"
		if s.user == "root" {
			sign = "#"
		}
		return s.user + "@" + s.guest.name + ":~" + sign + " "
	default:
		return s.guest.name + " login: "
	}
}

// key takes one typed byte and returns what to print.
func (s *shell) key(b byte, up time.Duration) (string, wish) {
	before := s.last
	s.last = b
	if s.skips(b) {
		return "", wishNothing
	}
	switch {
	case b == '\n' && before == '\r':
		return "", wishNothing
	case b == '\r' || b == '\n':
		return s.enter(up)
	case b == 0x7f || b == '\b':
		return s.erase(), wishNothing
	case b == 3: // Ctrl-C
		s.line = nil
		return "^C\n" + s.prompt(), wishNothing
	case b == 4 && len(s.line) == 0 && s.stage == atShell: // Ctrl-D
		return s.logout("exit\n"), wishNothing
	case b == 12 && s.stage == atShell: // Ctrl-L
		return "\x1b[H\x1b[2J" + s.prompt() + string(s.line), wishNothing
	case b < ' ' || b > '~' || len(s.line) >= 200:
		return "", wishNothing
	}
	s.line = append(s.line, b)
	if s.stage == atPassword {
		return "", wishNothing
	}
	return string(b), wishNothing
}

// skips swallows the sequences of cursor keys.
func (s *shell) skips(b byte) bool {
	switch {
	case b == 0x1b:
		s.escape = 1
	case s.escape == 1 && (b == '[' || b == 'O'):
		s.escape = 2
	case s.escape == 2 && b >= '0' && b <= '?':
	case s.escape > 0:
		known := s.escape == 2
		s.escape = 0
		return known
	default:
		return false
	}
	return true
}

func (s *shell) erase() string {
	if len(s.line) == 0 {
		return ""
	}
	s.line = s.line[:len(s.line)-1]
	if s.stage == atPassword {
		return ""
	}
	return "\b \b"
}

func (s *shell) logout(farewell string) string {
	s.stage, s.user, s.line = atLogin, "", nil
	return farewell + "\n" + s.prompt()
}

// enter ends a line.
func (s *shell) enter(up time.Duration) (string, wish) {
	line := strings.TrimSpace(string(s.line))
	s.line = nil
	switch s.stage {
	case atLogin:
		if line != "" {
			s.user, s.stage = line, atPassword
		}
		return "\n" + s.prompt(), wishNothing
	case atPassword:
		s.stage = atShell
		return "\nWelcome to a simulated machine. Type help.\n" + s.prompt(), wishNothing
	case atShell:
	}
	if line == "" {
		return "\n" + s.prompt(), wishNothing
	}
	return s.run(line, up)
}

// run runs a command.
func (s *shell) run(line string, up time.Duration) (string, wish) {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "exit", "logout":
		return s.logout("\nlogout\n"), wishNothing
	case "clear":
		return "\x1b[H\x1b[2J" + s.prompt(), wishNothing
	case "poweroff", "halt", "shutdown":
		return "\nThe system will power off now!\n", wishPowerOff
	case "reboot":
		return "\nThe system will reboot now!\n", wishReboot
	}
	text := s.answer(name, strings.TrimSpace(rest), up)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return "\n" + text + s.prompt(), wishNothing
}

// answer is what a command prints.
func (s *shell) answer(name, rest string, up time.Duration) string {
	switch name {
	case "echo":
		return strings.Trim(rest, `"'`) + "\n"
	case "help":
		return "echo hostname whoami uname uptime free ip clear exit reboot poweroff"
	case "hostname":
		return s.guest.name
	case "whoami":
		return s.user
	case "uname":
		return "Linux " + s.guest.name + " 6.12.0-sim x86_64"
	case "uptime":
		return uptime(up)
	case "free":
		return fmt.Sprintf("              total        used        free\nMem:    %11d %11d %11d", s.guest.memory<<10, s.guest.memory<<8, s.guest.memory*768)
	case "ip":
		return s.ip(rest)
	default:
		return "sh: " + name + ": not found"
	}
}

func uptime(up time.Duration) string {
	days, rest := up/(24*time.Hour), up%(24*time.Hour)
	text := fmt.Sprintf("%d:%02d", int(rest.Hours()), int(rest.Minutes())%60)
	if days > 0 {
		text = fmt.Sprintf("%d days, %s", days, text)
	}
	return " up " + text + ",  1 user,  load average: 0.08, 0.03, 0.01"
}

// ip shows the network cards.
func (s *shell) ip(args string) string {
	if !strings.HasPrefix(args, "a") {
		return "usage: ip a"
	}
	var b strings.Builder
	b.WriteString("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN\n    inet 127.0.0.1/8 scope host lo\n")
	for i, n := range s.guest.nics {
		fmt.Fprintf(&b, "%d: eth%d: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP\n    link/ether %s brd ff:ff:ff:ff:ff:ff\n", i+2, i, n.mac)
		if n.ip != "" {
			fmt.Fprintf(&b, "    inet %s scope global dynamic eth%d\n", n.ip, i)
		}
	}
	return b.String()
}
