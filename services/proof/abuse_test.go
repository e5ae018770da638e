package proof_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/proof"
	"aerie/services/store"
)

// TestAbuseOfLoginsAndSessions are the ways in which somebody might get in, stay
// in, or act as somebody else, and the tests that refuse them. Each is looked up,
// so that none goes away unseen.
func TestAbuseOfLoginsAndSessions(t *testing.T) {
	for _, abuse := range []struct {
		what  string
		tests string // folder: names
	}{
		{"01 a signature that has expired, or never does", "handlers/api: TestExpires TestSignatures"},
		{"02 a call sent again", "handlers/api: TestAskingTwiceWithATokenMakesOne"},
		{"03 parameters twice, recased, encoded anew", "handlers/api: TestSignatures TestASignatureInAForm"},
		{"04 timing tells of users", "services/iam: TestEveryRefusalCostsAHash"},
		{"05 a planted session", "handlers/session: TestSessionFixation; services/iam: TestSecondFactor"},
		{"06 a session outlives its end", "services/iam: TestStatesShutOutAtOnce TestSessions"},
		{"07 forms of foreign pages", "handlers/session: TestCSRF; handlers/api: TestSessions"},
		{"08 guessing passwords and codes", "services/iam: TestDelay TestDelayOfManyAddresses TestDelayOfAnAddress TestDelayHoldsAgainstManyAtOnce TestCodesWait"},
		{"09 filters of directories", "services/iam: TestFiltersAreEscaped"},
		{"10 empty passwords at directories", "services/iam: TestLDAPLogin"},
		{"11 directories without encryption, or in disguise", "services/iam: TestLDAPTransport"},
		{"12 forged words of a provider", "services/signon: TestOIDCRefused TestEmailBinds"},
		{"13 anything before the second factor", "services/iam/iamcmd: TestNothingBeforeTheSecondFactor; handlers/api: TestLogoutAndSecondFactor"},
		{"14 the link to a new password", "services/proof: TestResetLinks TestWhoGetsNoResetLink TestResetsAreCounted"},
		{"15 a forged X-Forwarded-For", "handlers/session: TestClientIP"},
		{"16 a port that nobody expects", "handlers/api: TestIntegration; cmd/aerie: TestServerStartsAndStops"},
	} {
		t.Run(abuse.what, func(t *testing.T) {
			for _, part := range strings.Split(abuse.tests, "; ") {
				folder, names, _ := strings.Cut(part, ": ")
				for name := range strings.FieldsSeq(names) {
					if !hasTest(t, folder, name) {
						t.Errorf("%s has no %s any more", folder, name)
					}
				}
			}
		})
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	is := regexp.MustCompile(`(?m)^func ` + name + `\(`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if is.Match(text) {
			return true
		}
	}
	return false
}

// resets is a world in which ann may have her password reset.
func resets(t *testing.T) *proof.World {
	w := proof.New(t)
	for name, v := range map[string]string{
		"user.password.reset.enabled": "true", "user.password.reset.smtp.host": "mail.test", "user.password.reset.email.sender": "cloud@portal.test",
	} {
		_, err := w.Config.Set(w.Admin, name, v)
		w.Must(err)
	}
	w.Account("dept", "ann", iam.RoleUser)
	w.Must(w.DB.Tx(w.Sys(), func(ctx context.Context) error {
		return w.DB.In(ctx).Model(&iam.User{}).Where("username = ?", "ann").Update("email", "ann@example.org").Error
	}))
	return w
}

func forget(w *proof.World, name string) error {
	_, _, err := w.Registry.CallPublic(w.Context(), "forgotPassword", "192.0.2.7", url.Values{"username": {name}, "domain": {"dept"}})
	return err
}

// links are the addresses in the mails that wait, the latest last.
func links(w *proof.World) (out []*url.URL) {
	w.Helper()
	var rows []job.Row
	w.Must(w.DB.In(w.Sys()).Where("object = ?", "mail").Order("id").Find(&rows).Error)
	for _, r := range rows {
		var p struct{ Text string }
		w.Must(json.Unmarshal([]byte(r.State), &p))
		text, err := w.DB.Reveal(store.Secret(p.Text))
		w.Must(err)
		u, err := url.Parse(regexp.MustCompile(`https?://\S+`).FindString(text))
		w.Must(err)
		out = append(out, u)
	}
	return out
}

func useLink(w *proof.World, name string, u *url.URL, password string) error {
	_, _, err := w.Registry.CallPublic(w.Context(), "resetPassword", "192.0.2.7",
		url.Values{"username": {name}, "domain": {"dept"}, "token": {u.Query().Get("token")}, "password": {password}})
	return err
}

// TestResetLinks: a link leads to the portal whatever the asker sent, works once,
// for its user, for a while, and ends all sessions.
func TestResetLinks(t *testing.T) {
	w := resets(t)
	w.Account("dept", "bob", iam.RoleUser)
	in := func(password string) (iam.Login, error) {
		return w.IAM.Login(w.Context(), iam.LoginRequest{Username: "ann", Password: password, DomainPath: "dept", RemoteIP: "192.0.2.1"})
	}
	before, err := in("Test-password-1")
	w.Must(err)
	w.Must(forget(w, "ann"))
	w.Must(forget(w, "ann"))
	all := links(w)
	if len(all) != 2 || all[1].Host != "portal.test" || all[1].Scheme != "https" || all[1].Path != iam.ResetPage {
		t.Fatal(all)
	}
	if n := w.Count(&job.Row{}, "state LIKE ?", "%"+all[1].Query().Get("token")+"%"); n != 0 {
		t.Error("the token lies open")
	}
	forged := *all[1]
	forged.RawQuery = "token=guessed"
	for what, try := range map[string]struct {
		name string
		link *url.URL
	}{"the link before": {"ann", all[0]}, "another user": {"bob", all[1]}, "a guess": {"ann", &forged}, "nobody": {"zoe", all[1]}} {
		if err := useLink(w, try.name, try.link, "Other-password-2"); fault.Of(err).Key != "error.reset_token" {
			t.Error(what, err)
		}
	}
	_, err = w.Config.Set(w.Admin, "user.password.policy.minimum.length", "12")
	w.Must(err)
	if err := useLink(w, "ann", all[1], "short"); fault.Of(err).Fields["password"] == nil {
		t.Error("against the policy:", err)
	}
	w.Must(useLink(w, "ann", all[1], "Other-password-2"))
	if err := useLink(w, "ann", all[1], "Other-password-3"); fault.Of(err).Key != "error.reset_token" {
		t.Error("used twice:", err)
	}
	if _, err := w.IAM.SessionActor(w.Context(), before.Token); err == nil {
		t.Error("a session of before lives")
	}
	if _, err := in("Test-password-1"); err == nil {
		t.Error("the old password works")
	}
	_, err = in("Other-password-2")
	w.Must(err)

	w.Must(forget(w, "ann"))
	w.Clock.Add(31 * time.Minute)
	if err := useLink(w, "ann", links(w)[2], "Other-password-4"); fault.Of(err).Key != "error.reset_token" {
		t.Error("too late:", err)
	}
}

// TestWhoGetsNoResetLink: nobody learns who is there, and directories keep their
// own passwords.
func TestWhoGetsNoResetLink(t *testing.T) {
	w := resets(t)
	w.Account("dept", "bob", iam.RoleUser) // has no address
	w.Account("dept", "eve", iam.RoleUser)
	w.Account("dept", "lea", iam.RoleUser)
	w.Must(w.DB.Tx(w.Sys(), func(ctx context.Context) error {
		g := w.DB.In(ctx)
		if err := g.Model(&iam.User{}).Where("username = ?", "eve").Updates(map[string]any{"email": "eve@example.org", "state": iam.Disabled}).Error; err != nil {
			return err
		}
		return g.Model(&iam.User{}).Where("username = ?", "lea").Updates(map[string]any{"email": "lea@example.org", "source": iam.LDAP}).Error
	}))
	for _, name := range []string{"zoe", "bob", "eve", "lea"} {
		if err := forget(w, name); err != nil {
			t.Error(name, "is told of:", err)
		}
	}
	if all := links(w); len(all) != 0 {
		t.Error("mailed", all)
	}
	_, err := w.Config.Set(w.Admin, "user.password.reset.enabled", "false")
	w.Must(err)
	if err := forget(w, "ann"); fault.Of(err).Key != "error.reset_off" {
		t.Error("switched off:", err)
	}
}

// TestResetsAreCounted: nobody is buried in mail.
func TestResetsAreCounted(t *testing.T) {
	w := resets(t)
	refused := 0
	for range 100 {
		if err := forget(w, "ann"); fault.Is(err, fault.TooMany) {
			refused++
		}
	}
	if n := len(links(w)); n > 10 || refused != 100-n {
		t.Errorf("%d mails, %d refused", n, refused)
	}
}

// TestPasswordPolicy: a domain's rules hold for new passwords, whoever sets them.
func TestPasswordPolicy(t *testing.T) {
	w := proof.New(t)
	w.Account("dept", "ann", iam.RoleUser)
	dept := w.ID(&iam.Domain{}, "name = ?", "dept")
	for setting, refused := range map[string]string{
		"minimum.length=12": "Short-1", "minimum.uppercase.letters=2": "one-Upper-case-1", "minimum.lowercase.letters=3": "AB-cd-EF-123",
		"minimum.digits=2": "Only-one-digit-1", "minimum.special.characters=2": "Only-one1", "allowPasswordToContainUsername=false": "My-ANN-password-1",
		"regex=[a-z]+": "Not-these-1",
	} {
		name, value, _ := strings.Cut(setting, "=")
		name = "user.password.policy." + name
		w.Call(w.Admin, "updateConfiguration", "name", name, "value", value, "domainid", dept)
		id := w.ID(&iam.User{}, "username = ?", "ann")
		if _, err := w.Try(w.Admin, "updateUser", "id", id, "password", refused); fault.Of(err).Fields["password"] == nil {
			t.Errorf("%s: %q: %v", setting, refused, err)
		}
		if _, err := w.Try(w.Admin, "createAccount", "username", "new", "password", refused, "firstname", "N", "lastname", "N", "email", "n@example.org", "accounttype", "0", "domainid", dept); fault.Of(err).Fields["password"] == nil && !strings.Contains(setting, "Username") {
			t.Errorf("%s: a new account: %v", setting, err)
		}
		if _, err := w.Try(w.Admin, "updateUser", "id", w.ID(&iam.User{}, "username = ?", "admin"), "password", refused, "currentpassword", "secret"); fault.Of(err).Fields["password"] != nil {
			t.Errorf("%s holds in another domain: %v", setting, err)
		}
		w.Call(w.Admin, "resetConfiguration", "name", name, "domainid", dept)
	}
}
