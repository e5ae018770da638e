package iamcmd_test

import (
	"testing"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// TestNothingBeforeTheSecondFactor: whoever owes it may call three commands.
func TestNothingBeforeTheSecondFactor(t *testing.T) {
	w := newWorld(t)
	a, _ := store.From(w.admin)
	a.Half = true
	half := store.With(t.Context(), a)
	open := map[string]bool{}
	for _, c := range w.reg.All() {
		if _, err := w.reg.Find(half, c.Name); err == nil {
			open[c.Name] = true
		}
	}
	if len(open) != 3 || !open["setupUserTwoFactorAuthentication"] || !open["validateUserTwoFactorAuthenticationCode"] || !open["listUserTwoFactorAuthenticatorProviders"] {
		t.Error(open)
	}
}

func TestSecondFactorCommands(t *testing.T) {
	w := newWorld(t)
	w.ok(w.admin, "createAccount", "username=ann", "password=Secret-1", "firstname=A", "lastname=B", "email=a@b.c", "accounttype=0")
	ann := w.as("", "ann")
	id := field(w.ok(ann, "listUsers"), "user", "id")
	if p := w.ok(ann, "listUserTwoFactorAuthenticatorProviders"); field(p, "providers", "name") != iam.TOTP {
		t.Error(p)
	}
	if _, err := w.call(ann, "setupUserTwoFactorAuthentication"); fault.Of(err).Key != "error.2fa_session" {
		t.Error("with an API key:", err)
	}
	l, err := w.iam.Login(t.Context(), iam.LoginRequest{Username: "ann", Password: "Secret-1"})
	if err != nil {
		t.Fatal(err)
	}
	browser := iam.WithSession(ann, l.Session.ID)
	if made := w.ok(browser, "setupUserTwoFactorAuthentication", "provider=totp"); len(field(made, "setup2fa", "secretcode")) != 32 || field(made, "setup2fa", "id") != id {
		t.Error(made)
	}
	if _, err := w.call(ann, "validateUserTwoFactorAuthenticationCode", "codefor2fa=1"); err == nil { // with an API key
		t.Error("a code without a session")
	}
	if _, err := w.call(w.admin, "setupUserTwoFactorAuthentication", "userid="+id); err == nil {
		t.Error("root sets it up for another")
	}
	if _, err := w.call(ann, "createUserTwoFactorRecoveryCodes"); err == nil {
		t.Error("recovery codes of nothing")
	}
	u := w.ok(w.admin, "updateUser", "id="+id, "mandate2fa=true")
	if u["user"].(map[string]any)["is2famandated"] != true {
		t.Error(u)
	}
	if off := w.ok(w.admin, "setupUserTwoFactorAuthentication", "enable=false", "userid="+id); field(off, "setup2fa", "secretcode") != "" {
		t.Error(off)
	}
}
