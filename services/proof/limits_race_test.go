package proof_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/network"
	"aerie/services/proof"
	"aerie/services/storage"
	"aerie/services/store"
)

// atOnce is how many ask for each kind at once, and granted is how many may
// have it.
const atOnce, granted = 200, 10

// taking is how one of a kind is asked for at a server.
type taking func(w *proof.World, ctx context.Context, i int) error

// asking is a taking by a command.
func asking(command string, params func(w *proof.World, i int) []string) taking {
	return func(w *proof.World, ctx context.Context, i int) error {
		_, _, err := w.Ask(ctx, command, params(w, i)...)
		return err
	}
}

// counting is a taking of kinds that no command makes yet: what every one of
// them will call.
func counting(k iam.Kind) taking {
	return func(w *proof.World, ctx context.Context, _ int) error {
		actor, _ := store.From(ctx)
		return w.DB.Tx(w.Sys(), func(ctx context.Context) error { return w.IAM.Reserve(ctx, actor.Target(), k, k.Unit()) })
	}
}

// race is one kind: how it is taken, how many units one takes, and the rows
// that tell how often it was.
type race struct {
	kind iam.Kind
	tag  string
	unit int64
	take taking
	rows any
}

// TestThreeServersKeepEveryLimit: 200 requests at once, at three servers with
// connections of their own, for the tenth of everything that is limited, by its
// account's limit or its domain's: ten are granted, of every kind.
func TestThreeServersKeepEveryLimit(t *testing.T) {
	w := proof.New(t)
	servers := []*proof.World{w, w.Beside("b"), w.Beside("c")}
	trust(w)
	for n, r := range races(w, site(t, []byte("image"))) {
		name := r.kind.String()
		if r.tag != "" {
			name += " with " + r.tag
		}
		t.Run(name, func(t *testing.T) {
			joe := w.Account(fmt.Sprintf("acme-%d", n), "joe", iam.RoleUser)
			of := limit(w, joe, r, n%2 == 1)
			if got := r.run(t, servers, joe); got != granted {
				t.Error(got, "were granted")
			}
			actor, _ := store.From(joe)
			if r.rows != nil {
				if n := w.Count(r.rows, "account_id = ? OR domain_path = ?", actor.AccountID, actor.DomainPath); n != granted {
					t.Error(n, "are there")
				}
			}
			if l := used(w, of, r); l.Shown() != granted*r.unit || l.Available() != 0 {
				t.Errorf("%d of %d are counted", l.Shown(), l.Max)
			}
		})
	}
}

// races has every kind: the command that takes it, where there is one.
func races(w *proof.World, url string) (out []race) {
	size := tagged(w)
	small, net := w.Small(), w.ID(&network.Offering{}, "availability = ?", "Required")
	deploy := func(offering string) taking {
		return asking("deployVirtualMachine", func(w *proof.World, i int) []string {
			return []string{
				"zoneid", w.Zone.ID, "name", fmt.Sprintf("web-%d", i), "serviceofferingid", offering, "templateid", w.Tiny(),
				"rootdisksize", "1", "startvm", "false",
			}
		})
	}
	by := map[iam.Kind]race{
		iam.Instances: {unit: 1, take: deploy(small), rows: &compute.VM{}}, iam.CPUs: {unit: 1, take: deploy(small), rows: &compute.VM{}},
		iam.Memory: {unit: 512, take: deploy(small), rows: &compute.VM{}}, iam.Volumes: {unit: 1, take: deploy(small), rows: &storage.Volume{}},
		iam.PrimaryStorage: {unit: 1, take: deploy(small), rows: &storage.Volume{}},
		iam.Templates: {unit: 1, rows: &image.Template{}, take: asking("registerTemplate", func(_ *proof.World, i int) []string {
			return register(url, "name", fmt.Sprintf("image-%d", i))
		})},
		iam.Projects: {unit: 1, take: asking("createProject", func(_ *proof.World, i int) []string {
			return []string{"name", fmt.Sprintf("project-%d", i)}
		})},
		iam.Networks: {unit: 1, rows: &network.Network{}, take: asking("createNetwork", func(w *proof.World, i int) []string {
			return []string{"name", fmt.Sprintf("net-%d", i), "zoneid", w.Zone.ID, "networkofferingid", net, "gateway", "10.0.0.1", "netmask", "255.255.255.0"}
		})},
	}
	for _, k := range iam.Kinds() {
		r, ok := by[k]
		if !ok {
			r = race{unit: 1, take: counting(k)}
		}
		r.kind = k
		out = append(out, r)
	}
	for tag, kinds := range map[string][]iam.Kind{"gold": {iam.Instances, iam.CPUs, iam.Memory}, "ssd": {iam.Volumes, iam.PrimaryStorage}} {
		for _, k := range kinds {
			r := by[k]
			r.kind, r.tag, r.take = k, tag, deploy(size)
			if k == iam.Memory {
				r.unit = 64
			}
			out = append(out, r)
		}
	}
	return out
}

// limit lets the account, or its domain, have ten of the kind and any number of
// all others.
func limit(w *proof.World, joe context.Context, r race, domain bool) iam.Subject {
	w.Helper()
	actor, _ := store.From(joe)
	d, err := w.IAM.DomainByID(w.Sys(), actor.DomainID)
	w.Must(err)
	a, err := w.IAM.AccountByID(w.Sys(), actor.AccountID)
	w.Must(err)
	account := iam.Subject{Domain: d, Account: &a}
	for _, k := range iam.Kinds() {
		_, err := w.IAM.SetLimit(w.Sys(), account, k, iam.Unlimited)
		w.Must(err)
	}
	of := account
	if domain {
		of = iam.Subject{Domain: d}
	}
	if r.tag != "" {
		_, err = w.IAM.SetTagLimit(w.Sys(), of, r.kind, r.tag, granted*r.unit)
	} else {
		_, err = w.IAM.SetLimit(w.Sys(), of, r.kind, granted*r.unit)
	}
	w.Must(err)
	return of
}

// run asks 200 times at once and says how often it was granted; all others are
// told of a limit.
func (r race) run(t *testing.T, servers []*proof.World, joe context.Context) int64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	for i := range atOnce {
		wg.Go(func() {
			switch err := r.take(servers[i%len(servers)], joe, i); {
			case err == nil:
				n.Add(1)
			case !fault.Is(err, fault.Limit):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return n.Load()
}

// used is what is counted of a race's kind.
func used(w *proof.World, of iam.Subject, r race) iam.Limit {
	w.Helper()
	if r.tag == "" {
		all, err := w.IAM.Limits(w.Sys(), of)
		w.Must(err)
		return all[r.kind]
	}
	key := of.Domain.Path
	if of.Account != nil {
		key = of.Account.ID
	}
	all, err := w.IAM.TagLimits(w.Sys(), []string{key})
	w.Must(err)
	for _, l := range all[key] {
		if l.Kind == r.kind && l.Tag == r.tag {
			return l
		}
	}
	return iam.Limit{}
}
