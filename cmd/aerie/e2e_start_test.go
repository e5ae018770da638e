package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServerStartsAndStops: what scripts and init systems count on.
func TestServerStartsAndStops(t *testing.T) {
	s := newServer(t, "off", "")
	s.start()
	if resp, err := http.Get(s.url("/healthz")); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("healthz: %v, %v", resp, err)
	} else {
		resp.Body.Close()
	}
	resp, err := http.Get(s.url("/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(body(t, resp)); !strings.Contains(text, "go_goroutines ") {
		t.Errorf("metrics: %.200s", text)
	}
	for _, file := range []string{"secret.key", "aerie.db"} {
		info, err := os.Stat(filepath.Join(s.data, file))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is readable by others: %v, %v", file, info, err)
		}
	}
	if out := s.output.String(); strings.Contains(out, adminPassword) {
		t.Errorf("the password that was given is printed: %s", out)
	}
	s.stop()
	s.start()
	s.admin()
	s.kill()
	s.start()
	s.admin()
	s.stop()
}

// TestFirstPassword: without one in the environment it is made, printed once
// and kept for the owner alone.
func TestFirstPassword(t *testing.T) {
	s := newServer(t, "off", "")
	s.env = []string{"AERIE_ADMIN_PASSWORD="}
	s.start()
	file := filepath.Join(s.data, "admin-password")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info, err)
	}
	password := strings.TrimSpace(string(text))
	if !strings.Contains(s.output.String(), password) {
		t.Error("the password is not printed")
	}
	if _, err := s.login("admin", password); err != nil {
		t.Error(err)
	}
	s.stop()
	s.output = &output{}
	s.env = []string{"AERIE_ADMIN_PASSWORD="}
	s.start()
	if strings.Contains(s.output.String(), password) {
		t.Error("the password is printed again")
	}
}
