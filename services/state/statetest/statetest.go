// Package statetest checks state machines and keeps their tables as goldens.
package statetest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aerie/services/state"
)

var update = updateFlag()

// updateFlag shares -update with a test package that already has it.
func updateFlag() func() bool {
	if flag.Lookup("update") == nil {
		flag.Bool("update", false, "write the golden files")
	}
	return func() bool { return flag.Lookup("update").Value.String() == "true" }
}

// Golden compares the machine's table with the file (go test -update writes
// it) and refuses states that cannot be reached from start and dead ends that
// are not declared terminal by an empty row. Without start, the states that no
// event leads to are the starts.
func Golden[S, E ~string](t testing.TB, m state.Machine[S, E], file string, start ...S) {
	t.Helper()
	for _, p := range Problems(m, start...) {
		t.Error(p)
	}
	got := Table(m)
	if update() {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if string(want) != got {
		t.Errorf("%s differs (go test -update writes it); the machine is now:\n%s", file, got)
	}
}

// Problems names the unreachable states and the undeclared dead ends.
func Problems[S, E ~string](m state.Machine[S, E], start ...S) []string {
	var out []string
	if len(start) == 0 {
		start = sources(m)
	}
	if len(start) == 0 {
		out = append(out, "every state is led to: name the start")
	}
	seen := reach(m, start)
	for _, s := range m.States() {
		if !seen[s] {
			out = append(out, fmt.Sprintf("state %s cannot be reached", s))
		}
		if row, declared := m[s]; len(row) == 0 && !declared {
			out = append(out, fmt.Sprintf("state %s is a dead end; if it is meant, give it an empty row", s))
		}
	}
	return out
}

func sources[S, E ~string](m state.Machine[S, E]) []S {
	led := map[S]bool{}
	for from, row := range m {
		for _, to := range row {
			led[to] = led[to] || to != from
		}
	}
	return slices.DeleteFunc(m.States(), func(s S) bool { return led[s] })
}

func reach[S, E ~string](m state.Machine[S, E], from []S) map[S]bool {
	seen := map[S]bool{}
	for todo := slices.Clone(from); len(todo) > 0; {
		s := todo[0]
		todo = todo[1:]
		if seen[s] {
			continue
		}
		seen[s] = true
		for _, to := range m[s] {
			todo = append(todo, to)
		}
	}
	return seen
}

// Table prints the machine, one transition a line, sorted.
func Table[S, E ~string](m state.Machine[S, E]) string {
	wide, event := 0, 0
	for _, s := range m.States() {
		wide = max(wide, len(s))
		for _, e := range m.Events(s) {
			event = max(event, len(e))
		}
	}
	var b strings.Builder
	for _, s := range m.States() {
		if len(m[s]) == 0 {
			fmt.Fprintf(&b, "%-*s  (terminal)\n", wide, s)
		}
		for _, e := range m.Events(s) {
			fmt.Fprintf(&b, "%-*s  %-*s  %s\n", wide, s, event, e, m[s][e])
		}
	}
	return b.String()
}
