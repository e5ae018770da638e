package main

import (
	"log/slog"
	"slices"
	"testing"

	"aerie/services/command"
	"aerie/services/proof"
)

// TestTheProofIsOfThisProgram: the harnesses of services/proof run on every
// saga and every command that the program has.
func TestTheProofIsOfThisProgram(t *testing.T) {
	a, err := open(t.Context(), state{Data: t.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	w := proof.New(t)
	names := func(all []*command.Command) (list []string) {
		for _, c := range all {
			list = append(list, c.Name)
		}
		return list
	}
	for what, lists := range map[string][2][]string{
		"sagas":    {a.jobs.Kinds(), w.Engine.Kinds()},
		"commands": {names(a.registry.All()), names(w.Registry.All())},
	} {
		have, proven := lists[0], lists[1]
		for _, name := range have {
			if !slices.Contains(proven, name) {
				t.Errorf("%s: %s is not proven", what, name)
			}
		}
	}
}
