package proof_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/proof"
	"aerie/services/store"
)

var update = flag.Bool("update", false, "write testdata/roles.golden anew")

// defaults are the default roles, as columns of the golden table.
var defaults = []struct {
	name, id string
	rank     store.Rank
}{
	{"root", iam.RoleRootAdmin, store.Admin},
	{"support", iam.RoleSupportAdmin, store.Admin},
	{"reader", iam.RoleReadOnlyAdmin, store.Admin},
	{"resource", iam.RoleResourceAdmin, store.DomainAdmin},
	{"domain", iam.RoleDomainAdmin, store.DomainAdmin},
	{"user", iam.RoleUser, store.User},
	{"helper", iam.RoleSupportUser, store.User},
	{"viewer", iam.RoleReadOnlyUser, store.User},
}

// TestWhatDefaultRolesMay holds every command against the reviewed table. A new
// command needs its line: go test ./services/proof -run DefaultRolesMay -update
func TestWhatDefaultRolesMay(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	var b strings.Builder
	fmt.Fprintf(&b, "%-36s", "# command")
	for _, r := range defaults {
		fmt.Fprintf(&b, " %-8s", r.name)
	}
	b.WriteString("\n")
	for _, c := range w.Registry.All() {
		fmt.Fprintf(&b, "%-36s", c.Name)
		for _, r := range defaults {
			mark := "-"
			if _, err := w.Registry.Find(store.With(t.Context(), store.Actor{Rank: r.rank, RoleID: r.id}), c.Name); err == nil {
				mark = "yes"
			}
			fmt.Fprintf(&b, " %-8s", mark)
		}
		b.WriteString("\n")
	}
	var lines []string
	for _, l := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		lines = append(lines, strings.TrimRight(l, " "))
	}
	compareTable(t, lines)
}

// TestDefaultRolesContainOneAnother: who manages users has all that they have;
// otherwise it could not, as nobody gives more than its own. A command for users
// alone would break that.
func TestDefaultRolesContainOneAnother(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	for _, c := range w.Registry.All() {
		if c.Roles&command.User != 0 && c.Roles&command.DomainAdmin == 0 || c.Roles&command.DomainAdmin != 0 && c.Roles&command.Admin == 0 {
			t.Errorf("%s is for a lower type and not for the one above", c.Name)
		}
	}
}

func compareTable(t *testing.T, lines []string) {
	t.Helper()
	const file = "testdata/roles.golden"
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, got := table(strings.Split(strings.TrimSpace(string(raw)), "\n")), table(lines)
	for name, line := range got {
		switch old, known := want[name]; {
		case !known:
			t.Errorf("no line for %s: review who may call it, then run with -update\n%s", name, line)
		case old != line:
			t.Errorf("%s changed:\n%s\n%s", name, old, line)
		}
	}
	for name := range want {
		if got[name] == "" {
			t.Errorf("%s has a line and is no command", name)
		}
	}
}

func table(lines []string) map[string]string {
	out := map[string]string{}
	for _, l := range lines {
		name, _, _ := strings.Cut(l, " ")
		out[name] = l
	}
	return out
}

// TestAReaderChangesNothing: for the Read-Only User every command that changes
// something is refused as if it were not there, and has no effect. Only its own
// second factor is its own business, in a session.
func TestAReaderChangesNothing(t *testing.T) {
	t.Parallel()
	x := newTenants(t)
	reader := x.stranger // with everything that tenants have
	actor, _ := store.From(reader.ctx)
	_, err := x.IAM.UpdateAccount(x.Admin, iam.UpdateAccount{AccountRef: iam.AccountRef{ID: actor.AccountID}, RoleID: new(iam.RoleReadOnlyUser)})
	x.Must(err)
	reader.ctx = x.As("beta", "bob")
	before, changing := x.dump(), 0
	for _, c := range x.Registry.All() {
		if c.Event == "" && !c.Async {
			continue
		}
		changing++
		text, failed := x.ask(reader, c, x.fill(c, reader))
		if !failed || !strings.HasPrefix(text, "432 ") && !strings.HasSuffix(c.Name, "Authentication") && !strings.HasSuffix(c.Name, "AuthenticationCode") {
			t.Errorf("%s answers %s", c.Name, text)
		}
	}
	for table, digest := range x.dump() {
		if digest != before[table] {
			t.Errorf("the reader changed %s", table)
		}
	}
	t.Logf("%d commands", changing)
}

// TestRightsRevokedBeforeAJobBegins: what somebody asked for does not begin when
// its account, its role or its right is gone meanwhile; what has begun, and
// deletions, go on.
func TestRightsRevokedBeforeAJobBegins(t *testing.T) {
	t.Parallel()
	for what, revoke := range map[string]func(w *proof.World, account store.Actor, role string){
		"the account is disabled": func(w *proof.World, a store.Actor, _ string) {
			_, err := w.IAM.DisableAccount(w.Admin, iam.AccountRef{ID: a.AccountID})
			w.Must(err)
		},
		"the role is disabled": func(w *proof.World, _ store.Actor, role string) {
			w.Call(w.Admin, "disableRole", "id", role)
		},
		"the role does not allow it": func(w *proof.World, _ store.Actor, role string) {
			w.Call(w.Admin, "importRole", "name", "maker", "forced", "true", "rules[0].rule", "list*", "rules[0].permission", "allow")
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := proof.New(t)
			w.Call(w.Admin, "importRole", "name", "maker", "type", "User", "rules[0].rule", "*", "rules[0].permission", "allow")
			role := w.ID(&iam.Role{}, "name = ?", "maker")
			ann := w.Account("d", "ann", role)
			vm := w.Deploy(ann, "kept")
			_, out, err := w.Ask(ann, "stopVirtualMachine", "id", vm)
			w.Must(err)
			_, late, err := w.Ask(ann, "deployVirtualMachine", w.Plan("late")...)
			w.Must(err)
			actor, _ := store.From(ann)
			revoke(w, actor, role)
			w.Clock.Add(time.Second)
			w.Finish()
			for _, a := range []any{out, late} {
				row := w.Job(a.(command.Accepted).JobID)
				if row.Status != job.Failed || row.ErrorKey != "error.revoked" {
					t.Errorf("%s: %s %s", row.Command, row.Status, row.ErrorKey)
				}
			}
			if state := w.VM(vm).State; state != "Running" {
				t.Error("the instance is", state)
			}
			w.Sound()
		})
	}
}

// TestAConsoleEndsWithTheRight: who watches an instance stops when its role does
// not allow consoles any more.
func TestAConsoleEndsWithTheRight(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	w.Call(w.Admin, "importRole", "name", "maker", "type", "User", "rules[0].rule", "createConsoleEndpoint", "rules[0].permission", "allow", "rules[1].rule", "*", "rules[1].permission", "allow")
	ann := w.Account("d", "ann", w.ID(&iam.Role{}, "name = ?", "maker"))
	vm := w.Deploy(ann, "seen")
	var token string
	w.Must(w.DB.Tx(ann, func(ctx context.Context) (err error) {
		token, err = w.Compute.NewTicket(ctx, vm, compute.VNC)
		return err
	}))
	ticket, err := w.Compute.Redeem(t.Context(), token)
	w.Must(err)
	_, err = w.Compute.Entitled(t.Context(), ticket)
	w.Must(err)
	role := w.ID(&iam.Role{}, "name = ?", "maker")
	w.Call(w.Admin, "updateRolePermission", "roleid", role, "ruleid", w.ID(&iam.Permission{}, "pattern = ?", "createConsoleEndpoint"), "permission", "deny")
	if _, err := w.Compute.Entitled(t.Context(), ticket); !fault.Is(err, fault.Forbidden) {
		t.Error("the console goes on:", err)
	}
}
