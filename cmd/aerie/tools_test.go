package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aerie/services/command"
	"aerie/services/doctor"
)

// tool runs the program in this process.
func tool(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(args, &o, &e)
	return code, o.String(), e.String()
}

func TestMigrateAndAudit(t *testing.T) {
	data := t.TempDir()
	if code, _, errs := tool(t, "audit", "--data", filepath.Join(data, "none")); code != 1 || !strings.Contains(errs, "no database") {
		t.Errorf("audit without a database: %d %s", code, errs)
	}
	if code, out, _ := tool(t, "migrate", "--check", "--data", data); code != 1 || !strings.HasPrefix(out, "schema 0, this program wants") {
		t.Errorf("check before: %d %s", code, out)
	}
	if code, _, _ := tool(t, "audit", "--data", data); code != 1 {
		t.Errorf("audit of an old schema: %d", code)
	}
	if code, _, errs := tool(t, "migrate", "--data", data); code != 0 {
		t.Fatalf("migrate: %d %s", code, errs)
	}
	if code, out, _ := tool(t, "migrate", "--check", "--data", data); code != 0 {
		t.Errorf("check after: %d %s", code, out)
	}
	if code, out, errs := tool(t, "audit", "--data", data); code != 0 || !strings.Contains(out, "no findings") {
		t.Errorf("audit: %d %s %s", code, out, errs)
	}
	if code, out, _ := tool(t, "audit", "--json", "--data", data); code != 0 || strings.TrimSpace(out) != "[]" {
		t.Errorf("audit --json: %d %s", code, out)
	}
}

// TestKeyOfSecrets: a server with another key than the database's does not start.
func TestKeyOfSecrets(t *testing.T) {
	data := t.TempDir()
	key, other := strings.Repeat("0a", 32), strings.Repeat("0b", 32)
	t.Setenv("AERIE_SECRET_KEY", key)
	if code, _, errs := tool(t, "migrate", "--data", data); code != 0 {
		t.Fatalf("migrate: %d %s", code, errs)
	}
	if existsAt(filepath.Join(data, "secret.key")) {
		t.Error("a key file was made beside the key of the environment")
	}
	for _, args := range [][]string{{"migrate"}, {"audit"}, {"serve", "--listen", "127.0.0.1:0", "--node", "off"}} {
		for _, env := range []string{other, ""} {
			t.Setenv("AERIE_SECRET_KEY", env)
			if code, _, errs := tool(t, append(args, "--data", data)...); code != 1 || !strings.Contains(errs, "AERIE_SECRET_KEY") {
				t.Errorf("%v with another key: %d %s", args, code, errs)
			}
		}
	}
	t.Setenv("AERIE_SECRET_KEY", "a password")
	if code, _, errs := tool(t, "migrate", "--data", data); code != 1 || !strings.Contains(errs, "AERIE_SECRET_KEY") || strings.Contains(errs, "a password") {
		t.Errorf("a key that is none: %d %s", code, errs)
	}
	t.Setenv("AERIE_SECRET_KEY", key)
	if code, _, errs := tool(t, "audit", "--data", data); code != 0 {
		t.Errorf("the same key again: %d %s", code, errs)
	}
}

func TestDocs(t *testing.T) {
	code, out, errs := tool(t, "docs")
	if code != 0 || !strings.Contains(out, "\n## deployVirtualMachine\n") || !strings.Contains(out, "| serviceofferingid | uuid | **required**") {
		t.Errorf("docs: %d %s %.500s", code, errs, out)
	}
	code, out, _ = tool(t, "docs", "--json")
	var all []command.API
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 0 || len(all) < 50 {
		t.Errorf("docs --json: %d, %d commands, %v", code, len(all), err)
	}
}

func TestDoctor(t *testing.T) {
	data := filepath.Join(t.TempDir(), "var")
	code, out, _ := tool(t, "doctor", "--json", "--data", data)
	var all []doctor.Result
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) < 10 {
		t.Fatalf("%v in %s", err, out)
	}
	if want := doctor.Sick(all); (code == 1) != want {
		t.Errorf("exit code %d, sick %v", code, want)
	}
	if existsAt(data) {
		t.Error("the data folder was made")
	}
}

func existsAt(path string) bool {
	m, _ := filepath.Glob(path)
	return len(m) > 0
}

// TestBenches runs the benches that need no host, for a moment.
func TestBenches(t *testing.T) {
	for _, args := range [][]string{
		{"bench", "sim", "--clients", "3", "--for", "300ms"},
		{"bench", "lists", "--rows", "20", "--rows", "600", "--rounds", "2"},
	} {
		code, out, errs := tool(t, args...)
		if code != 0 || strings.Contains(out, "findings") && !strings.Contains(out, " 0 findings") {
			t.Errorf("%v: %d\n%s%s", args, code, out, errs)
		}
	}
}

// TestDoorsAreTimed: commands and calls of drivers are in the metrics.
func TestDoorsAreTimed(t *testing.T) {
	r, err := newRig(t.Context(), "", false, vast())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	}()
	if _, _, err := r.client.get(t.Context(), "listZones"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		families, err := r.metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]bool{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				have[f.GetName()+labelled(m.GetLabel())] = true
			}
		}
		if have["aerie_command_seconds listZones"] && have["aerie_driver_seconds ProbeHost"] && have["aerie_db_commits_total"] && have["aerie_db_waits_total read"] {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there are %v", have)
		}
	}
}

// labelled is the value of the first label that names something.
func labelled[L interface {
	GetName() string
	GetValue() string
}](labels []L) string {
	for _, l := range labels {
		switch l.GetName() {
		case "command", "method", "pool":
			return " " + l.GetValue()
		}
	}
	return ""
}
