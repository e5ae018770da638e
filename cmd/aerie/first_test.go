package main

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"aerie/services/iam"
)

// TestFirstPasswordIsKnown: wherever a first start ends, the next one leaves an
// administrator whose password is in the file.
func TestFirstPasswordIsKnown(t *testing.T) {
	t.Setenv("AERIE_ADMIN_PASSWORD", "")
	ctx := t.Context()
	a, err := open(ctx, state{Data: t.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if err := a.db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	file := a.path("admin-password")
	if err := os.Mkdir(file, 0o700); err != nil { // it cannot be written
		t.Fatal(err)
	}
	if _, err := a.first(ctx, false); err == nil {
		t.Error("a password was made that is nowhere")
	}
	if _, err := a.iam.Root(ctx); err == nil {
		t.Fatal("there is an administrator whose password nobody knows")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("of a start that died\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	password, err := a.first(ctx, false)
	if err != nil || password != "of a start that died" {
		t.Fatalf("the next start: %q %v", password, err)
	}
	if _, err := a.iam.Login(ctx, iam.LoginRequest{Username: "admin", Password: password}); err != nil {
		t.Error(err)
	}
	if password, err := a.first(ctx, false); err != nil || password != "" {
		t.Errorf("a further start: %q %v", password, err)
	}
	if text, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(text)) != "of a start that died" {
		t.Errorf("%q %v", text, err)
	}
}

// TestFirstPasswordOfTwo: of two servers that start at once with folders of
// their own, the one that came second keeps no password that is none.
func TestFirstPasswordOfTwo(t *testing.T) {
	t.Setenv("AERIE_ADMIN_PASSWORD", "")
	ctx := t.Context()
	dir := t.TempDir()
	a, err := open(ctx, state{Data: dir}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if err := a.db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	mine, err := a.firstPassword()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := a.firstPassword(); err != nil || again != mine || len(mine) < 12 {
		t.Errorf("%q, then %q %v", mine, again, err)
	}
	if fi, err := os.Stat(a.path("admin-password")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Error(fi, err)
	}
	if _, err := a.iam.Bootstrap(ctx, "the other one's"); err != nil {
		t.Fatal(err)
	}
	if password, err := a.bootstrap(ctx, mine); err != nil || password != "" {
		t.Errorf("%q %v", password, err)
	}
	if _, err := os.Stat(a.path("admin-password")); err == nil {
		t.Error("a password that is none is kept")
	}
}
