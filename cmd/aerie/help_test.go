package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestHelpOnlyHelps: a command that is asked about does nothing.
func TestHelpOnlyHelps(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"version", "--help"}, {"version", "-h"}} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code != 0 || errs.Len() > 0 {
			t.Errorf("%q: %d, %s", args, code, &errs)
		}
		if text := out.String(); !strings.Contains(text, "Usage: aerie") || strings.Contains(text, "aerie "+version) {
			t.Errorf("%q: %s", args, text)
		}
	}
	var out, errs bytes.Buffer
	if code := run([]string{"version", "--no-such"}, &out, &errs); code == 0 || strings.Contains(out.String(), "aerie "+version) {
		t.Errorf("an unknown flag: %d, %s", code, &out)
	}
}
