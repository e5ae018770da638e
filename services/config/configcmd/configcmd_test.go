package configcmd_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"aerie/locales"
	"aerie/services/command"
	"aerie/services/command/spec"
	"aerie/services/compute"
	"aerie/services/config"
	"aerie/services/config/configcmd"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/job"
	"aerie/services/mail"
	"aerie/services/network"
	"aerie/services/project"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// declared is all settings that services declare.
func declared(db *store.DB) *config.Service {
	c := config.New(db)
	compute.DeclareSettings(c)
	network.DeclareSettings(c)
	image.DeclareSettings(c)
	iam.DeclareSettings(c)
	project.DeclareSettings(c)
	mail.New(db, job.New(db, job.Options{}), nil).Sender(c, "project", "Project Defaults")
	storage.DeclareSettings(c)
	return c
}

func TestEverySettingIsExplained(t *testing.T) {
	for _, d := range declared(storetest.Open(t)).All() {
		for _, lang := range []string{"en", "de"} {
			key := "config." + d.Name
			if got := locales.T(locales.With(t.Context(), lang), key); got == key || got == "" {
				t.Errorf("%s has no text in %s", key, lang)
			}
		}
	}
}

func TestSettingsAreChangedAndReset(t *testing.T) {
	db := storetest.Open(t)
	r := &command.Registry{DB: db}
	r.Add((&configcmd.Service{Config: declared(db)}).Commands()...)
	for _, kind := range []string{"zone", "cluster", "storagepool", "imagestore", "account", "domain"} {
		r.Ref(kind, func(context.Context, string) (bool, error) { return true, nil })
	}
	r.Check()
	ctx := store.With(t.Context(), store.Actor{UserID: "u", Rank: store.Admin})
	call := func(name string, params ...string) (any, error) {
		v := url.Values{}
		for i := 0; i < len(params); i += 2 {
			v.Set(params[i], params[i+1])
		}
		_, out, err := r.Call(ctx, name, v)
		return out, err
	}
	for _, c := range []struct {
		command, value, want string
	}{{"updateConfiguration", "60", "60"}, {"listConfigurations", "", "60"}, {"resetConfiguration", "", "600"}, {"listConfigurations", "", "600"}} {
		out, err := call(c.command, "name", "Network.GC.wait", "value", c.value)
		if err != nil {
			t.Fatal(c.command, err)
		}
		v, ok := out.(configcmd.View)
		if list, isList := out.(command.List[configcmd.View]); isList && len(list.Items) == 1 {
			v, ok = list.Items[0], true
		}
		if !ok || v.Value != c.want || v.Default != "600" || !strings.Contains(v.Description, "Seconds") {
			t.Errorf("%s: %+v", c.command, out)
		}
	}
	for _, bad := range [][]string{
		{"name", "no.such", "value", "1"},
		{"name", "network.gc.wait", "value", "soon"},
		{"name", "network.gc.wait", "value", "1", "zoneid", "0197aaaa-0000-7000-8000-000000000000"},
	} {
		if _, err := call("updateConfiguration", bad...); !fault.Is(err, fault.Invalid) {
			t.Error(bad, err)
		}
	}
	var rows []event.Row
	if err := db.In(store.System(ctx, "test")).Where("type = ?", "CONFIGURATION.VALUE.EDIT").Order("id").Find(&rows).Error; err != nil || len(rows) != 2 {
		t.Fatal(len(rows), err)
	}
	if got := *rows[0].BeforeChange + *rows[0].AfterChange; got != `{"value":"600"}{"value":"60"}` || rows[0].ResourceID != "network.gc.wait" {
		t.Error("the audit says", got, rows[0].ResourceID)
	}
}

func TestTheCommandsAreThoseOfCloudStack(t *testing.T) {
	for _, c := range (&configcmd.Service{}).Commands() {
		for _, p := range spec.Differences(c) {
			t.Error(p)
		}
	}
}
