package portal

import (
	"strings"

	"aerie/services/compute"
	"aerie/views/components"
)

// instanceForms are what is changed of a stopped instance on a page of its own.
func instanceForms(on routes) {
	on.both("/instances/:id/keys", resetInstanceKeys)
	on.both("/instances/:id/affinity", changeInstanceAffinity)
	on.both("/instances/:id/userdata", resetInstanceUserData)
}

// stoppedDeeds are the ways to those pages.
func (r *Request) stoppedDeeds(vm compute.View) []components.Action {
	gone := vm.State == compute.Destroyed || vm.State == compute.Expunging || vm.State == compute.Broken
	if gone {
		return nil
	}
	off := ""
	switch {
	case vm.JobID != "":
		off = r.T("instance.busy")
	case vm.State != compute.Stopped:
		off = r.T("instance.needs", "states", r.T("state.stopped"))
	}
	base := r.Path("/instances/", vm.ID)
	return r.deeds(
		deed{Command: "resetSSHKeyForVirtualMachine", Key: "reset_keys", Icon: "key-round", Path: base + "/keys", Open: true, Off: off},
		deed{Command: "updateVMAffinityGroup", Key: "change_affinity", Icon: "boxes", Path: base + "/affinity", Open: true, Off: off},
		deed{Command: "resetUserDataForVirtualMachine", Key: "reset_userdata", Icon: "file-text", Path: base + "/userdata", Open: true, Off: off},
	)
}

// ofOwner asks for what belongs to an instance's owner.
func (r *Request) ofOwner(vm compute.View, list string) ([]choice, error) {
	v := vals()
	if r.Managing() {
		v = vals("account", vm.Account, "domainid", vm.DomainID)
	}
	return entries[choice](r, list, v)
}

func resetInstanceKeys(r *Request) error {
	vm, err := theInstance(r)
	if err != nil {
		return err
	}
	keys, err := r.ofOwner(vm, "listSSHKeyPairs")
	if err != nil {
		return err
	}
	field := r.in("keypairs", "checks", "")
	field.Values = picked(vm.KeyPairs)
	for _, k := range keys {
		field.Options = append(field.Options, components.Option{Value: k.Name, Label: k.Name})
	}
	if len(keys) == 0 {
		field.Help = r.T("pg.h.no_keys")
	}
	f := formPage{
		Title: r.T("pg.a.reset_keys"), Text: r.T("pg.instance.keys_text"), Command: "resetSSHKeyForVirtualMachine", Crumbs: instanceWay(r, vm), Fixed: vals("id", vm.ID),
		Form: components.Form{Fields: []components.Field{field}, Submit: r.T("pg.a.reset_keys"), Cancel: r.Path("/instances/", vm.ID)},
	}
	return r.formOr(f, "", toJob(r.Path("/instances/", vm.ID)))
}

func changeInstanceAffinity(r *Request) error {
	vm, err := theInstance(r)
	if err != nil {
		return err
	}
	groups, err := r.ofOwner(vm, "listAffinityGroups")
	if err != nil {
		return err
	}
	field := r.in("affinitygroupids", "checks", "")
	field.Options = optionsOf(groups)
	for _, a := range vm.AffinityGroups {
		field.Values = append(field.Values, a.ID)
	}
	f := formPage{
		Title: r.T("pg.a.change_affinity"), Text: r.T("pg.instance.affinity_text"), Command: "updateVMAffinityGroup", Crumbs: instanceWay(r, vm), Fixed: vals("id", vm.ID),
		Form: components.Form{Fields: []components.Field{field}, Submit: r.T("pg.a.save"), Cancel: r.Path("/instances/", vm.ID)},
	}
	return r.formOr(f, "", toJob(r.Path("/instances/", vm.ID)))
}

func resetInstanceUserData(r *Request) error {
	vm, err := theInstance(r)
	if err != nil {
		return err
	}
	library, err := r.ofOwner(vm, "listUserData")
	if err != nil {
		return err
	}
	text := r.in(userDataField, "textarea", "")
	text.Mono, text.Rows, text.Placeholder = true, 10, "#cloud-config"
	values := r.in(userDataValues, "textarea", "")
	values.Mono, values.Rows, values.Placeholder = true, 3, "name=value"
	f := formPage{
		Title: r.T("pg.a.reset_userdata"), Text: r.T("pg.instance.userdata_text"), Command: "resetUserDataForVirtualMachine", Crumbs: instanceWay(r, vm), Fixed: vals("id", vm.ID),
		Form: components.Form{
			Fields: []components.Field{r.pick("userdataid", vm.UserDataID, optionsOf(library), false), values, text},
			Submit: r.T("pg.a.reset_userdata"), Cancel: r.Path("/instances/", vm.ID),
		},
	}
	if !r.posted() || !r.May(f.Command) {
		return r.formOr(f, "", nil)
	}
	v, err := r.values(f)
	if err != nil {
		return err
	}
	plainUserData(v)
	if _, err := r.Call(f.Command, v); err != nil {
		return r.showForm(f, err)
	}
	r.flash(flash{Tone: components.OK, Text: r.T("portal.saved")})
	return r.goTo(r.Path("/instances/", vm.ID))
}

// userDataValues holds lines of name=value; the command wants a map.
const userDataValues = "userdata_values"

// plainUserData makes of what people type what commands take.
func plainUserData(v map[string][]string) {
	get := func(name string) string { return strings.Join(v[name], "") }
	if text := get(userDataField); text != "" {
		v["userdata"] = []string{encoded(text)}
	}
	for line := range strings.Lines(get(userDataValues)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			v["userdatadetails[0]."+strings.TrimSpace(name)] = []string{strings.TrimSpace(value)}
		}
	}
	delete(v, userDataField)
	delete(v, userDataValues)
}
