package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"aerie/drivers"
	"aerie/drivers/libvirt"
	"aerie/drivers/netns"
	"aerie/services/doctor"
	"aerie/services/store"
)

type doctorCommand struct {
	state
	JSON bool `name:"json" help:"Print the results as JSON."`
}

var errSick = errors.New("this machine cannot be a host as it is")

// Run examines this machine.
func (c doctorCommand) Run(ctx context.Context, out io.Writer) error {
	m, done, err := c.machine()
	if err != nil {
		return err
	}
	defer done()
	all := doctor.Examine(ctx, m)
	if err := c.print(out, all); err != nil {
		return err
	}
	if doctor.Sick(all) {
		return errSick
	}
	return nil
}

func (c doctorCommand) print(out io.Writer, all []doctor.Result) error {
	if c.JSON {
		return printJSON(out, all)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Level, r.Check, r.Text)
		if r.Mend != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", r.Mend)
		}
	}
	return w.Flush()
}

// printJSON prints a list, an empty one as [].
func printJSON[T any](out io.Writer, all []T) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(append([]T{}, all...))
}

// machine is this machine as doctor looks at it. It leaves nothing behind.
func (c doctorCommand) machine() (doctor.Machine, func(), error) {
	temp, err := os.MkdirTemp("", "aerie-doctor-")
	if err != nil {
		return doctor.Machine{}, nil, err
	}
	var opened *libvirt.Driver
	done := func() {
		if opened != nil {
			_ = opened.Close()
		}
		_ = os.RemoveAll(temp)
	}
	pool, err := newNode(c.state, slog.New(slog.DiscardHandler)).pool()
	if err != nil {
		pool = c.path("disks")
	}
	return doctor.Machine{
		UID: os.Geteuid(), Find: findTool, Namespaces: netns.Try, Synced: synced, Free: free, Data: c.Data, Pool: pool, Schema: c.schema,
		Emulator: func() (doctor.Emulator, error) { return libvirt.FindEmulator() },
		Open: func(ctx context.Context) (drivers.Driver, error) {
			opened, err = libvirt.Open(ctx, libvirt.Config{StateDir: temp})
			if err != nil {
				return nil, err
			}
			return opened, nil
		},
		Image: func() error { _, err := bundled(c.state); return err },
	}, done, nil
}

// findTool looks where drivers do.
func findTool(name string) error {
	_, err := exec.LookPath(name)
	if err != nil {
		_, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	return err
}

func free(dir string) (int64, error) {
	var st syscall.Statfs_t
	err := syscall.Statfs(dir, &st)
	return int64(st.Bavail) * int64(st.Bsize), err
}

// synced asks the kernel whether a time service keeps its clock.
func synced() (bool, error) {
	var t unix.Timex
	_, err := unix.Adjtimex(&t)
	return t.Status&unix.STA_UNSYNC == 0, err
}

// schema is the database's version; an SQLite file that is not there is not made.
func (c doctorCommand) schema(ctx context.Context) (have, want int64, err error) {
	if path, lite := strings.CutPrefix(c.dsn(), "sqlite:"); lite {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return 0, 0, nil
		}
	}
	db, err := store.Open(ctx, store.Config{DSN: c.dsn(), Key: make([]byte, 32)})
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	return db.Version(ctx)
}
