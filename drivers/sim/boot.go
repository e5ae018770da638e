package sim

import (
	"fmt"
	"time"
)

// guest is what the guest knows of itself.
type guest struct {
	name   string
	cpus   int
	memory int // MiB
	nics   []guestNIC
}

type guestNIC struct{ mac, ip string }

// bootLine is a line of the boot and when it shows, as a part of the whole.
type bootLine struct {
	at   float64
	text string
}

const ok = "[  \x1b[32mOK\x1b[0m  ] "

// bootLines is what the guest prints while it boots.
func bootLines(g guest) []bootLine {
	lines := []bootLine{
		{0, "SeaBIOS (version aerie-sim-1.0)"},
		{0.02, "Booting from Hard Disk..."},
		{0.10, kernel(0, "Linux version 6.12.0-sim (aerie@build) #1 SMP PREEMPT_DYNAMIC")},
		{0.11, kernel(0, "Command line: root=/dev/vda1 ro console=tty0 console=ttyS0")},
		{0.14, kernel(0.004, "tsc: Fast TSC calibration using PIT")},
		{0.17, kernel(0.012, "Memory: %dK/%dK available", g.memory*1000, g.memory*1024)},
		{0.20, kernel(0.051, "smp: Brought up 1 node, %d CPUs", g.cpus)},
		{0.25, kernel(0.122, "PCI: Using configuration type 1 for base access")},
		{0.30, kernel(0.310, "virtio_blk virtio1: [vda] 4194304 512-byte logical blocks")},
	}
	for i, n := range g.nics {
		lines = append(lines, bootLine{0.34, kernel(0.35, "virtio_net virtio%d eth%d: %s", i+2, i, n.mac)})
	}
	return append(lines,
		bootLine{0.40, kernel(0.512, "EXT4-fs (vda1): mounted filesystem r/w")},
		bootLine{0.45, kernel(0.630, "systemd[1]: Detected virtualization aerie-sim.")},
		bootLine{0.52, ok + "Started Journal Service."},
		bootLine{0.58, ok + "Reached target Local File Systems."},
		bootLine{0.66, ok + "Started Network Configuration."},
		bootLine{0.74, ok + "Finished Cloud-init: local stage."},
		bootLine{0.82, ok + "Started OpenSSH server daemon."},
		bootLine{0.90, ok + "Finished Cloud-init: final stage."},
		bootLine{0.95, ok + "Reached target Multi-User System."},
		bootLine{1, ""},
	)
}

func kernel(at float64, format string, args ...any) string {
	return fmt.Sprintf("[%12.6f] ", at) + fmt.Sprintf(format, args...)
}

// due is when a line shows in a boot of that length.
func (l bootLine) due(length time.Duration) time.Duration {
	return time.Duration(l.at * float64(length))
}
