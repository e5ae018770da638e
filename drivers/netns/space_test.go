package netns

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aerie/drivers"
)

func TestThreadsStayHome(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	w.apply(s)
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if _, err := w.ListRouters(context.Background(), drivers.ListRouters{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		if at, err := os.Readlink(task); err == nil && at != home {
			t.Errorf("%s is in %s, not at home in %s", task, at, home)
		}
	}
}

func TestSpaceDo(t *testing.T) {
	w := newWorld(t)
	ns, err := openSpace(w.host)
	if err != nil {
		t.Fatal(err)
	}
	want := errors.New("of the visit")
	if err := ns.do(func() error { return want }); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
	ns.close()
	if err := ns.do(func() error { t.Error("inside of nothing"); return nil }); err == nil {
		t.Error("a closed namespace can be entered")
	}
}

// A crash between making the file and mounting the namespace leaves a file.
func TestHalfMadeSpace(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	name := w.router(s.ID).name
	if err := os.WriteFile(filepath.Join(spaceDir, name), nil, 0o444); err != nil {
		t.Fatal(err)
	}
	w.apply(s)
	w.wantUp(true)
}

func TestStateIsPrivate(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	w.apply(s)
	info, err := os.Stat(w.state)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	info, err = os.Stat(filepath.Join(w.router(s.ID).dir, "state.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]Config{
		"relative directory": {StateDir: "here"},
		"directory of lines": {StateDir: dir + "\nuser=root"},
		"long prefix":        {StateDir: dir, Prefix: "aerie"},
		"capital prefix":     {StateDir: dir, Prefix: "AE"},
	} {
		if _, err := Open(c); drivers.KindOf(err) != drivers.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNamesFit(t *testing.T) {
	for _, prefix := range []string{"a", "ae", "abcd"} {
		d := &Driver{prefix: prefix, dir: "/d"}
		r := d.router(newID())
		for _, name := range []string{r.name, r.guest, r.public} {
			if len(name) > 15 || !strings.HasPrefix(name, prefix) || !drivers.IsLink(name) {
				t.Errorf("%q", name)
			}
		}
	}
}

func TestLocks(t *testing.T) {
	var l locks
	release, err := l.hold(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.hold(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	other()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { _, err := l.hold(ctx, "a"); failed <- err }()
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	if release, err = l.hold(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	release()
	if len(l.held) != 0 {
		t.Errorf("%d locks are left", len(l.held))
	}
}
