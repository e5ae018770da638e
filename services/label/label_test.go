package label_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"

	"aerie/services/command"
	"aerie/services/command/spec"
	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/network"
	"aerie/services/proof"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func TestTheCommandsAreThoseOfCloudStack(t *testing.T) {
	db := storetest.Open(t)
	s := label.New(db, iam.New(db, iam.Options{Argon: iam.Argon{Time: 1, Memory: 64, Threads: 1}}), job.New(db, job.Options{}))
	for _, c := range s.Commands() {
		for _, p := range spec.Differences(c) {
			t.Error(p)
		}
	}
}

// refused asserts that a call fails and that its fault's key is the one.
func refused(t *testing.T, err error, key string) {
	t.Helper()
	if err == nil || fault.Of(err).Key != key {
		t.Errorf("got %v, want %s", err, key)
	}
}

func has(t *testing.T, body string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(body, s) {
			t.Errorf("no %s in %s", s, body)
		}
	}
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func hasNot(t *testing.T, body string, all ...string) {
	t.Helper()
	for _, s := range all {
		if strings.Contains(body, s) {
			t.Errorf("%s in %s", s, body)
		}
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	ann, bob := w.Account("alpha", "ann", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	vm, foreign := w.Deploy(ann, "web"), w.Deploy(bob, "other")
	second := w.Deploy(ann, "db")
	tag := func(ctx context.Context, ids string, more ...string) error {
		_, err := w.Try(ctx, "createTags", append([]string{"resourceids", ids, "resourcetype", "uservm"}, more...)...)
		return err
	}
	w.Must(tag(ann, vm, "tags[0].key", "Env", "tags[0].value", "prod", "tags[1].key", "team", "tags[1].value", "blue", "customer", "acme"))
	for name, c := range map[string]struct {
		err error
		key string
	}{
		"a key that is there, in another case": {tag(ann, vm, "tags[0].key", "env", "tags[0].value", "x"), "error.tag_taken"},
		"one of the resources is foreign":      {tag(ann, second+","+foreign, "tags[0].key", "a", "tags[0].value", "b"), "error.no_entity"},
		"foreign":                              {tag(bob, vm, "tags[0].key", "a", "tags[0].value", "b"), "error.no_entity"},
		"no value":                             {tag(ann, vm, "tags[0].key", "a", "tags[0].value", " "), "error.tag_value"},
		"a key twice":                          {tag(ann, vm, "tags[0].key", "a", "tags[0].value", "1", "tags[1].key", "A", "tags[1].value", "2"), "error.tag_twice"},
		"a long value":                         {tag(ann, vm, "tags[0].key", "a", "tags[0].value", strings.Repeat("x", 256)), "error.too_long"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.err, c.key) })
	}
	_, err := w.Try(ann, "createTags", "resourceids", vm, "resourcetype", "Ship", "tags[0].key", "a", "tags[0].value", "b")
	refused(t, err, "error.choice")
	if n := w.Count(&label.Tag{}, "resource_id IN ?", []string{second, foreign}); n != 0 {
		t.Errorf("%d tags of a request that failed", n)
	}
	has(t, w.JSON(ann, "listTags", "resourcetype", "UserVm", "key", "env"), `"count":1`, `"value":"prod"`, `"customer":"acme"`, `"account":"ann"`, `"resourceid":"`+vm+`"`)
	same(t, w.JSON(bob, "listTags", "listall", "true"), `{}`)
	has(t, w.JSON(ann, "listVirtualMachines", "tags[0].key", "Env", "tags[0].value", "prod", "tags[1].key", "team"), `"count":1`, `"name":"web"`, `"key":"team"`)
	same(t, w.JSON(ann, "listVirtualMachines", "tags[0].key", "Env", "tags[0].value", "test"), `{}`)
	_, err = w.Try(bob, "deleteTags", "resourceids", vm, "resourcetype", "UserVm")
	refused(t, err, "error.no_entity")
	_, err = w.Try(ann, "deleteTags", "resourceids", vm, "resourcetype", "UserVm", "tags[0].key", "team", "tags[0].value", "red")
	refused(t, err, "error.tag_none")
	w.Call(ann, "deleteTags", "resourceids", vm, "resourcetype", "UserVm", "tags[0].key", "team")
	has(t, w.JSON(ann, "listTags"), `"count":1`)
	w.Call(ann, "destroyVirtualMachine", "id", vm) // to a user it is gone, but it can be recovered
	if n := w.Count(&label.Tag{}, "resource_id = ?", vm); n != 1 {
		t.Errorf("%d tags", n)
	}
	w.Gone(w.Admin, second)
	w.Call(w.Admin, "expungeVirtualMachine", "id", vm)
	if n := w.Count(&label.Tag{}, "resource_id = ?", vm); n != 0 {
		t.Errorf("%d tags of an instance that is gone", n)
	}
}

// TestEveryListFiltersByTags: what carries tags shows them and is found by them.
func TestEveryListFiltersByTags(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	w.Deploy(w.Admin, "web")
	for _, c := range []struct{ kind, id, list string }{
		{"Volume", w.ID(&storage.Volume{}, "1 = 1"), "listVolumes"},
		{"Network", w.ID(&network.Network{}, "1 = 1"), "listNetworks"},
		{"PublicIpAddress", w.ID(&network.PublicIP{}, "1 = 1"), "listPublicIpAddresses"},
		{"Template", w.Tiny(), "listTemplates"},
		{"Zone", w.Zone.ID, "listZones"},
		{"Project", project(w, w.Admin, "apollo"), "listProjects"},
	} {
		w.Call(w.Admin, "createTags", "resourceids", c.id, "resourcetype", c.kind, "tags[0].key", "k", "tags[0].value", "v1")
		body := w.JSON(w.Admin, c.list, "tags[0].key", "k", "tags[0].value", "v1", "templatefilter", "all")
		has(t, body, `"count":1`, c.id, `"tags":[{"key":"k","value":"v1","resourcetype":"`+c.kind)
		hasNot(t, w.JSON(w.Admin, c.list, "tags[0].key", "k", "tags[0].value", "v2", "templatefilter", "all"), c.id)
	}
	user := w.Account("alpha", "ann", iam.RoleUser)
	for kind, id := range map[string]string{"Zone": w.Zone.ID, "Template": w.Tiny()} {
		_, err := w.Try(user, "createTags", "resourceids", id, "resourcetype", kind, "tags[0].key", "mine", "tags[0].value", "v")
		refused(t, err, "error.no_entity")
	}
}

// TestListsAskOnce: labels cost the same however many rows a list has.
func TestListsAskOnce(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	tagged := func(name string) {
		id := w.Deploy(w.Admin, name)
		w.Call(w.Admin, "createTags", "resourceids", id, "resourcetype", "UserVm", "tags[0].key", "k", "tags[0].value", "v")
	}
	count := func() int64 {
		before := w.DB.Statements()
		w.JSON(w.Admin, "listVirtualMachines", "showicon", "true")
		return w.DB.Statements() - before
	}
	tagged("a")
	one := count()
	tagged("b")
	tagged("c")
	if three := count(); three != one {
		t.Errorf("%d statements for three, %d for one", three, one)
	}
}

func TestDetails(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	ann, bob := w.Account("alpha", "ann", iam.RoleUser), w.Account("beta", "bob", iam.RoleDomainAdmin)
	vm := w.Deploy(ann, "web")
	vol := w.ID(&storage.Volume{}, "vm_id = ?", vm)
	add := func(ctx context.Context, kind, id string, more ...string) error {
		_, err := w.Try(ctx, "addResourceDetail", append([]string{"resourcetype", kind, "resourceid", id, "details[0].key", "color", "details[0].value", "red"}, more...)...)
		return err
	}
	w.Must(add(w.Admin, "Volume", vol))
	w.Must(add(w.Admin, "Volume", vol, "details[0].value", "green")) // a key that is there gets the new value
	has(t, w.JSON(ann, "listResourceDetails", "resourcetype", "volume", "resourceid", vol), `"count":1`, `"value":"green"`, `"account":"ann"`)
	same(t, w.JSON(bob, "listResourceDetails", "resourcetype", "volume", "resourceid", vol), `{}`)
	refused(t, add(bob, "Volume", vol), "error.no_entity")
	refused(t, add(w.Admin, "Ship", vol), "error.choice")

	w.Must(add(w.Admin, "Volume", vol, "details[0].key", "hidden", "fordisplay", "false"))
	hasNot(t, w.JSON(ann, "listResourceDetails", "resourcetype", "Volume"), "hidden")
	has(t, w.JSON(w.Admin, "listResourceDetails", "resourcetype", "Volume", "listall", "true", "fordisplay", "false"), "hidden", `"count":1`)

	// An instance's details are a part of its row.
	w.Must(add(w.Admin, "UserVm", vm))
	refused(t, add(w.Admin, "UserVm", vm, "fordisplay", "false"), "error.detail_shown")
	has(t, w.JSON(ann, "listVirtualMachines", "id", vm), `"details":{"color":"red"}`)
	has(t, w.JSON(ann, "listResourceDetails", "resourcetype", "UserVm", "resourceid", vm), `"count":1`, `"key":"color"`)
	_, err := w.Try(ann, "listResourceDetails", "resourcetype", "UserVm")
	refused(t, err, "error.detail_resource")
	_, err = w.Try(w.Admin, "removeResourceDetail", "resourcetype", "UserVm", "resourceid", vm, "key", "shape")
	refused(t, err, "error.detail_none")
	w.Call(w.Admin, "removeResourceDetail", "resourcetype", "UserVm", "resourceid", vm, "key", "color")
	hasNot(t, w.JSON(ann, "listVirtualMachines", "id", vm), "color")

	_, err = w.Try(w.Admin, "removeResourceDetail", "resourcetype", "Volume", "resourceid", vol, "key", "shape")
	refused(t, err, "error.detail_none")
	w.Call(w.Admin, "removeResourceDetail", "resourcetype", "Volume", "resourceid", vol)
	if n := w.Count(&label.Detail{}, "1 = 1"); n != 0 {
		t.Errorf("%d details are left", n)
	}
	has(t, w.JSON(ann, "listDetailOptions", "resourcetype", "UserVm", "resourceid", vm), `"cpuNumber":""`)
	_, err = w.Try(bob, "listDetailOptions", "resourcetype", "UserVm", "resourceid", vm)
	refused(t, err, "error.no_entity")

	// Of an operator's things only root administrators set details.
	w.Must(add(w.Admin, "Zone", w.Zone.ID))
	has(t, w.JSON(ann, "listZones"), `"color":"red"`)
	refused(t, add(bob, "Zone", w.Zone.ID), "error.no_entity")
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	ann, bob := w.Account("alpha", "ann", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	vm := w.Deploy(ann, "web")
	note := func(ctx context.Context, more ...string) (label.NoteView, error) {
		out, err := w.Try(ctx, "addAnnotation", append([]string{"entitytype", "VM", "entityid", vm, "annotation", "slow disk"}, more...)...)
		v, _ := out.(label.NoteView)
		return v, err
	}
	own, err := note(ann)
	w.Must(err)
	if own.Username != "ann" || own.EntityName != "web" || own.Type != "VM" || own.AdminsOnly {
		t.Errorf("%+v", own)
	}
	secret, err := note(w.Admin, "annotation", "bad payer", "adminsonly", "true")
	w.Must(err)
	_, err = note(bob)
	refused(t, err, "error.no_entity")
	_, err = note(ann, "adminsonly", "true")
	refused(t, err, "error.admin_only")
	_, err = note(ann, "annotation", " ")
	refused(t, err, "error.required")
	_, err = note(ann, "entitytype", "UserVm")
	refused(t, err, "error.choice")

	mine := w.JSON(ann, "listAnnotations", "entitytype", "VM", "entityid", vm)
	has(t, mine, `"count":1`, "slow disk")
	has(t, w.JSON(w.Admin, "listAnnotations", "entitytype", "VM", "entityid", vm), `"count":2`)
	has(t, w.JSON(w.Admin, "listAnnotations", "annotationfilter", "self"), `"count":1`, "bad payer")
	same(t, w.JSON(bob, "listAnnotations"), `{}`)
	_, err = w.Try(ann, "listAnnotations", "entityid", vm)
	refused(t, err, "error.required")
	has(t, w.JSON(ann, "listVirtualMachines"), `"hasannotations":true`)

	_, err = w.Try(ann, "removeAnnotation", "id", secret.ID)
	refused(t, err, "error.no_entity")
	_, err = w.Try(bob, "removeAnnotation", "id", own.ID)
	refused(t, err, "error.no_entity")
	_, _, err = w.Ask(ann, "updateAnnotationVisibility", "id", own.ID, "adminsonly", "true")
	refused(t, err, "error.command")
	w.Call(w.Admin, "updateAnnotationVisibility", "id", secret.ID, "adminsonly", "false")
	has(t, w.JSON(ann, "listAnnotations"), `"count":2`)
	_, err = w.Try(ann, "removeAnnotation", "id", secret.ID)
	refused(t, err, "error.annotation_author")
	gone := w.Call(ann, "removeAnnotation", "id", own.ID).(label.NoteView)
	if gone.Removed.IsZero() {
		t.Error("nothing tells that it is removed")
	}
	w.Call(w.Admin, "removeAnnotation", "id", secret.ID)
	has(t, w.JSON(ann, "listVirtualMachines"), `"hasannotations":false`)
}

func picture(width, height int) string {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height)))
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestIcons(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	ann, bob := w.Account("alpha", "ann", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	vm := w.Deploy(ann, "web")
	upload := func(ctx context.Context, image string, more ...string) error {
		_, err := w.Try(ctx, "uploadResourceIcon", append([]string{"resourceids", vm, "resourcetype", "UserVm", "base64image", image}, more...)...)
		return err
	}
	good := picture(8, 8)
	w.Must(upload(ann, good))
	w.Must(upload(ann, "data:image/png;base64,"+good)) // again, as browsers say it
	svg := base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`))
	raw, _ := base64.StdEncoding.DecodeString(picture(64, 64))
	for name, c := range map[string]struct{ image, key string }{
		"no base64":    {"%%%", "error.base64"},
		"a script":     {svg, "error.icon_format"},
		"too large":    {picture(1025, 1), "error.icon_size"},
		"half of it":   {base64.StdEncoding.EncodeToString(raw[:len(raw)/2]), "error.icon_format"},
		"nothing":      {"", "error.required"},
		"no such type": {good, "error.choice"},
	} {
		t.Run(name, func(t *testing.T) {
			kind := "UserVm"
			if c.key == "error.choice" {
				kind = "Volume"
			}
			refused(t, upload(ann, c.image, "resourcetype", kind), c.key)
		})
	}
	refused(t, upload(bob, good), "error.no_entity")
	list := fmt.Sprintf(`{"count":1,"resourceicon":[{"base64image":"%s","resourceid":"%s","resourcetype":"UserVm"}]}`, good, vm)
	if got := w.JSON(ann, "listResourceIcon", "resourceids", vm, "resourcetype", "UserVm"); got != list {
		t.Errorf("%s\nwant\n%s", got, list)
	}
	_, err := w.Try(bob, "listResourceIcon", "resourceids", vm, "resourcetype", "UserVm")
	refused(t, err, "error.no_entity")
	hasNot(t, w.JSON(ann, "listVirtualMachines"), "base64image")
	has(t, w.JSON(ann, "listVirtualMachines", "showicon", "true"), `"icon":{"base64image":"`+good)
	_, err = w.Try(bob, "deleteResourceIcon", "resourceids", vm, "resourcetype", "UserVm")
	refused(t, err, "error.no_entity")
	w.Call(ann, "deleteResourceIcon", "resourceids", vm, "resourcetype", "UserVm")
	same(t, w.JSON(ann, "listResourceIcon", "resourceids", vm, "resourcetype", "UserVm"), `{}`)
}

// TestIconsEverywhere: every list that has icons shows them when asked.
func TestIconsEverywhere(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	w.Deploy(w.Admin, "web")
	var u iam.User
	w.Must(w.DB.In(w.Sys()).Take(&u).Error)
	domain := w.ID(&iam.Domain{}, "1 = 1")
	for _, c := range []struct{ kind, id, list string }{
		{"User", u.ID, "listUsers"},
		{"Account", u.AccountID, "listAccounts"},
		{"Domain", domain, "listDomains"},
		{"Zone", w.Zone.ID, "listZones"},
		{"Template", w.Tiny(), "listTemplates"},
		{"Network", w.ID(&network.Network{}, "1 = 1"), "listNetworks"},
		{"UserVm", w.ID(&compute.VM{}, "1 = 1"), "listVirtualMachines"},
		{"Project", project(w, w.Admin, "apollo"), "listProjects"},
	} {
		w.Call(w.Admin, "uploadResourceIcon", "resourceids", c.id, "resourcetype", c.kind, "base64image", picture(2, 2))
		has(t, w.JSON(w.Admin, c.list, "showicon", "true", "templatefilter", "all"), `"resourcetype":"`+c.kind)
		hasNot(t, w.JSON(w.Admin, c.list, "templatefilter", "all"), "base64image")
	}
}

// TestCommentsEverywhere: every kind that takes comments tells in its list that
// there are some.
func TestCommentsEverywhere(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	w.Deploy(w.Admin, "web")
	w.JSON(w.Admin, "createSSHKeyPair", "name", "key")
	w.JSON(w.Admin, "createDiskOffering", "name", "disk", "disksize", "1")
	w.JSON(w.Admin, "createInstanceGroup", "name", "group")
	w.JSON(w.Admin, "registerUserData", "name", "data", "userdata", "eA==")
	list := map[string]string{
		"INSTANCE_GROUP": "listInstanceGroups", "USER_DATA": "listUserData",
		"VM": "listVirtualMachines", "VOLUME": "listVolumes", "NETWORK": "listNetworks", "PUBLIC_IP_ADDRESS": "listPublicIpAddresses",
		"TEMPLATE": "listTemplates", "SSH_KEYPAIR": "listSSHKeyPairs", "ZONE": "listZones", "POD": "listPods", "CLUSTER": "listClusters",
		"HOST": "listHosts", "DOMAIN": "listDomains", "SERVICE_OFFERING": "listServiceOfferings", "DISK_OFFERING": "listDiskOfferings",
		"NETWORK_OFFERING": "listNetworkOfferings", "PRIMARY_STORAGE": "listStoragePools", "SECONDARY_STORAGE": "listImageStores", "VR": "listRouters",
	}
	for _, kind := range w.Labels.Names(0) {
		command, ok := list[kind]
		if !ok {
			t.Errorf("nobody knows the list of %s", kind)
			continue
		}
		before := w.JSON(w.Admin, command, "listall", "true", "templatefilter", "all")
		hasNot(t, before, `"hasannotations":true`)
		_, rest, _ := strings.Cut(before, `"id":"`)
		w.Call(w.Admin, "addAnnotation", "entitytype", kind, "entityid", rest[:36], "annotation", "x")
		has(t, w.JSON(w.Admin, command, "listall", "true", "templatefilter", "all"), `"hasannotations":true`)
	}
}

// TestLabelsGoWithTheirAccount: what an account has put on things that stay goes
// with it.
func TestLabelsGoWithTheirAccount(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	w.Account("", "root2", iam.RoleRootAdmin)
	second := w.As("", "root2")
	w.Call(second, "addAnnotation", "entitytype", "ZONE", "entityid", w.Zone.ID, "annotation", "x")
	id := w.ID(&iam.Account{}, "name = ?", "root2")
	w.Call(w.Admin, "uploadResourceIcon", "resourceids", id, "resourcetype", "Account", "base64image", picture(2, 2))
	w.Call(w.Admin, "deleteAccount", "id", id)
	if n := w.Count(&label.Note{}, "1 = 1") + w.Count(&label.Picture{}, "1 = 1"); n != 0 {
		t.Errorf("%d labels are left", n)
	}
}

// TestTagsInAnyCase: a filter finds tags however they are written, in every
// script, and a pattern is text.
func TestTagsInAnyCase(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	zone := func(more ...string) string { return w.JSON(w.Admin, "listZones", more...) }
	w.Call(w.Admin, "createTags", "resourceids", w.Zone.ID, "resourcetype", "Zone",
		"tags[0].key", "Größe", "tags[0].value", "Übergroß", "tags[1].key", "A_c", "tags[1].value", "50%")
	for name, c := range map[string]struct {
		key, value string
		found      bool
	}{
		"as it is":         {"Größe", "Übergroß", true},
		"capitals":         {"GRÖßE", "ÜBERGROß", true},
		"small letters":    {"größe", "übergroß", true},
		"the key alone":    {"gRÖßE", "", true},
		"another value":    {"größe", "groß", false},
		"signs are text":   {"abc", "", false},
		"signs in capital": {"a_C", "50%", true},
		"no pattern":       {"a_c", "5%", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Contains(zone("tags[0].key", c.key, "tags[0].value", c.value), w.Zone.ID); got != c.found {
				t.Errorf("the list of zones: %v", got)
			}
			if got := w.JSON(w.Admin, "listTags", "key", c.key, "value", c.value) != "{}"; got != c.found {
				t.Errorf("the list of tags: %v", got)
			}
		})
	}
	// A tag that is older than the columns is found as it stands.
	w.Must(w.DB.Tx(w.Sys(), func(ctx context.Context) error {
		old := map[string]any{"key_fold": "Größe", "value_fold": "Übergroß"} // as SQLite lowers it
		return w.DB.In(ctx).Model(&label.Tag{}).Where("tag_key = ?", "Größe").UpdateColumns(old).Error
	}))
	has(t, zone("tags[0].key", "Größe", "tags[0].value", "Übergroß"), w.Zone.ID)
}

// project makes a project of the actor's and returns its id.
func project(w *proof.World, ctx context.Context, name string) string {
	return w.Call(ctx, "createProject", "name", name, "displaytext", name).(command.Accepted).ID
}

// member is an account as its next request finds it, with its projects.
func member(w *proof.World, ctx context.Context) context.Context {
	actor, _ := store.From(ctx)
	p, err := w.IAM.Standing(w.Context(), actor.UserID)
	w.Must(err)
	return store.With(w.Context(), p.Actor)
}

// TestLabelsOfProjects: members label their project, strangers do not see it, and
// what is the project's tells so.
func TestLabelsOfProjects(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	ann, eve := w.Account("alpha", "ann", iam.RoleUser), w.Account("beta", "eve", iam.RoleUser)
	id := project(w, ann, "apollo")
	ann = member(w, ann)
	tag := []string{"resourceids", id, "resourcetype", "project", "tags[0].key", "Env", "tags[0].value", "Prod"}
	icon := []string{"resourceids", id, "resourcetype", "Project", "base64image", picture(2, 2)}
	for name, params := range map[string][]string{"createTags": tag, "uploadResourceIcon": icon} {
		_, err := w.Try(eve, name, params...)
		refused(t, err, "error.no_entity")
		w.Call(ann, name, params...)
	}
	_, err := w.Try(ann, "addAnnotation", "entitytype", "PROJECT", "entityid", id, "annotation", "x")
	refused(t, err, "error.choice")
	has(t, w.JSON(ann, "listProjects", "tags[0].key", "env", "tags[0].value", "prod"), `"count":1`, id, `"key":"Env"`, `"resourcetype":"Project"`, `"project":"apollo"`, `"projectid":"`+id)
	has(t, w.JSON(ann, "listProjectAccounts", "projectid", id), `"key":"Env"`)
	has(t, w.JSON(ann, "listTags", "projectid", id), `"count":1`, `"projectid":"`+id)
	hasNot(t, w.JSON(ann, "listProjects"), "base64image")
	has(t, w.JSON(ann, "listProjects", "showicon", "true"), `"icon":{"base64image":"`)
	same(t, w.JSON(ann, "listProjects", "tags[0].key", "env", "tags[0].value", "test"), `{}`)
	same(t, w.JSON(eve, "listTags", "listall", "true"), `{}`)
	_, err = w.Try(eve, "listResourceIcon", "resourceids", id, "resourcetype", "Project")
	refused(t, err, "error.no_entity")

	g := w.Call(ann, "createInstanceGroup", "name", "crew", "projectid", id).(compute.GroupView)
	if g.Project != "apollo" || g.ProjectID != id || g.Account != "" {
		t.Errorf("whose: %+v", g.Held)
	}
	w.Call(ann, "deleteProject", "id", id)
	w.Finish()
	if n := w.Count(&label.Tag{}, "1 = 1") + w.Count(&label.Picture{}, "1 = 1"); n != 0 {
		t.Errorf("%d labels of a project that is gone", n)
	}
}

// TestLabelsGoWithWhatTheAccountHad: whoever wrote them.
func TestLabelsGoWithWhatTheAccountHad(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	ann, bob := w.Account("alpha", "ann", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	for _, of := range []context.Context{ann, bob} {
		w.Call(of, "createInstanceGroup", "name", "crew")
		w.Call(of, "createSSHKeyPair", "name", "key")
		w.Call(of, "registerUserData", "name", "data", "userdata", "I2Nsb3VkLWNvbmZpZwo=")
		w.Call(of, "createAffinityGroup", "name", "apart", "type", "host anti-affinity")
	}
	first := func(ctx context.Context, name string) string {
		_, rest, _ := strings.Cut(w.JSON(ctx, name), `"id":"`)
		return rest[:36]
	}
	for kind, name := range map[string]string{"INSTANCE_GROUP": "listInstanceGroups", "SSH_KEYPAIR": "listSSHKeyPairs", "USER_DATA": "listUserData"} {
		for _, by := range []context.Context{ann, w.Admin} {
			w.Call(by, "addAnnotation", "entitytype", kind, "entityid", first(ann, name), "annotation", "x")
		}
		w.Call(bob, "addAnnotation", "entitytype", kind, "entityid", first(bob, name), "annotation", "x")
	}
	w.Call(w.Admin, "deleteAccount", "id", w.ID(&iam.Account{}, "name = ?", "ann"))
	w.Finish()
	if n := w.Count(&label.Note{}, "1 = 1"); n != 3 {
		t.Errorf("%d comments are left, want bob's three", n)
	}
}
