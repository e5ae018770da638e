package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aerie/drivers"
	"aerie/services/compute"
	"aerie/services/infra"
)

// benchConsoleServer is the other process of benchConsole: a server whose only
// instance has its console at the source. It prints the socket's address, then
// for every number that it reads so many tickets, and ends with its input.
type benchConsoleServer struct {
	Source string `arg:""`
}

// tap is a host's ability to tell where a console is.
type tap string

func (tap) Kind() string { return "tap" }

// OpenConsole names the source.
func (t tap) OpenConsole(context.Context, drivers.OpenConsole) (drivers.ConsoleEndpoint, error) { //nolint:unparam // the contract
	return drivers.ConsoleEndpoint{Network: "tcp", Address: string(t)}, nil
}

// Run serves consoles.
func (c benchConsoleServer) Run(ctx context.Context, out io.Writer) (err error) {
	r, err := newRig(ctx, "", false, vast())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	r.compute.Fleet = infra.NewFleet(r.db, map[string]infra.Opener{"sim": func(ctx context.Context, h infra.Host) (drivers.Driver, error) {
		d, err := r.node.simulated(ctx, h)
		return drivers.Join("bench", tap(c.Source), d), err
	}})
	what, err := r.choose(ctx)
	if err != nil {
		return err
	}
	row, err := r.run(ctx, "deployVirtualMachine", what...)
	if err != nil {
		return err
	}
	answers := json.NewEncoder(out)
	at := "ws" + strings.TrimPrefix(strings.TrimSuffix(r.client.base, "/client/api"), "http") + compute.ConsoleSocket
	if err := answers.Encode(at); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		all, err := r.mint(row.ObjectID, n)
		if err != nil {
			return err
		}
		if err := answers.Encode(all); err != nil {
			return err
		}
	}
	return nil
}

// mint makes tickets.
func (r *rig) mint(vmID string, n int) (all []string, err error) {
	for range n {
		err := r.db.Tx(r.admin, func(ctx context.Context) error {
			token, err := r.compute.NewTicket(ctx, vmID, drivers.ConsoleVNC)
			all = append(all, token)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// family is a process with all its descendants.
func family(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if f := statOf(path); len(f) > 1 {
			id, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			parent, err2 := strconv.Atoi(f[1])
			if err == nil && err2 == nil {
				children[parent] = append(children[parent], id)
			}
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// statOf is the fields of a process's stat after its name: state, parent …
func statOf(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest)
}

// cpuOf is the CPU time of a family, ended members included; the kernel tells
// it in hundredths of a second (proc(5), fields 14 to 17).
func cpuOf(pid int) (sum time.Duration) {
	for _, id := range family(pid) {
		f := statOf(fmt.Sprintf("/proc/%d/stat", id))
		if len(f) < 15 {
			continue
		}
		for _, ticks := range f[11:15] {
			n, err := strconv.ParseInt(ticks, 10, 64)
			if err == nil {
				sum += time.Duration(n) * 10 * time.Millisecond
			}
		}
	}
	return sum
}

// memoryOf is the proportional set size of a family in MB.
func memoryOf(pid int) (sum float64) {
	for _, id := range family(pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", id))
		if err != nil {
			continue
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
				kib, _ := strconv.ParseFloat(f[1], 64)
				sum += kib / 1000
			}
		}
	}
	return sum
}
