package portal

import (
	"net/http"

	"github.com/a-h/templ"

	"aerie/services/compute"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func keyPairs() area {
	return area{
		entries: []entry{{Group: "nav.compute", Key: "nav.keys", Icon: "key-round", Path: "/keys", Needs: "listSSHKeyPairs", Create: "createSSHKeyPair"}},
		routes: func(on routes) {
			on.GET("/keys", func(r *Request) error { return showList(r, keyList(r)) })
			on.both("/keys/new", newKeyPair)
			on.both("/keys/register", registerKeyPair)
			on.both("/keys/:id/delete", deleteKeyPair)
		},
	}
}

func keyList(r *Request) listPage[compute.KeyView] {
	create := r.deeds(
		deed{Command: "registerSSHKeyPair", Key: "register_key", Icon: "upload", Path: r.Path("/keys/register"), Open: true},
		deed{Command: "createSSHKeyPair", Key: "create_key", Icon: "plus", Path: r.Path("/keys/new"), Open: true, Main: true},
	)
	l := listPage[compute.KeyView]{
		ID: "keys", Title: r.T("nav.keys"), Text: r.T("pg.keys.text"), Command: "listSSHKeyPairs", Buttons: create,
		RowID: func(k compute.KeyView) string { return k.ID }, Name: func(k compute.KeyView) string { return k.Name },
		Columns: []column[compute.KeyView]{
			colText(r, "name", func(k compute.KeyView) string { return k.Name }),
			colCode(r, "fingerprint", func(k compute.KeyView) string { return k.Fingerprint }),
		},
		Actions: func(k compute.KeyView) components.Menu {
			return r.menu(deed{Command: "deleteSSHKeyPair", Key: "delete", Icon: "trash-2", Path: r.Path("/keys/", k.ID, "/delete"), Page: true, Danger: true})
		},
		Empty: r.empty("keys", "key-round", create),
	}
	if r.Managing() {
		l.Columns = append(l.Columns, ownerCols(r, func(k compute.KeyView) (string, string) { return k.Account, k.Domain })...)
	}
	return l
}

// ownerCols are the columns of whose a thing is, for those who manage others.
func ownerCols[T any](r *Request, owner func(T) (account, domain string)) []column[T] {
	return []column[T]{
		colText(r, "account", func(v T) string { a, _ := owner(v); return a }),
		optional(colText(r, "domain", func(v T) string { _, d := owner(v); return d })),
	}
}

func keyForm(r *Request, cmd, title string, fields ...components.Field) formPage {
	return formPage{
		Title: r.T(title), Command: cmd, Crumbs: crumbs(r.T("nav.keys"), r.Path("/keys")),
		Form: components.Form{Fields: append([]components.Field{needed(r.in("name", "", ""))}, fields...), Submit: r.T(title), Cancel: r.Path("/keys")},
	}
}

// newKeyPair makes a key pair. The private key is in the answer and nowhere
// else: it is neither kept nor shown again.
func newKeyPair(r *Request) error {
	f := keyForm(r, "createSSHKeyPair", "pg.a.create_key")
	f.Resource = "cloudstack_ssh_keypair"
	if !r.posted() {
		return r.formOr(f, "", nil)
	}
	v, err := r.values(f)
	if err != nil {
		return err
	}
	key, err := one[compute.KeyView](r, f.Command, v)
	if err != nil {
		return r.showForm(f, err)
	}
	r.Response().Header().Set("Cache-Control", "no-store")
	body := templ.Join(
		components.Heading{Title: r.T("pg.keys.made", "name", key.Name)},
		components.Notice{Tone: components.Warn, Title: r.T("pg.secret.once"), Text: r.T("pg.keys.once")},
		boxed(r.T("pg.f.privatekey"), pieces.Stack(
			r.lines("name", key.Name, "fingerprint", components.Code(key.Fingerprint)),
			pieces.Secret("privatekey", r.T("pg.f.privatekey"), key.PrivateKey, 12),
			components.Button{Label: r.T("pg.done"), Href: r.Path("/keys"), Style: components.Primary},
		)),
	)
	return r.Show(Page{Title: r.T("pg.keys.made", "name", key.Name), Crumbs: f.Crumbs, Body: body, Status: http.StatusOK})
}

func registerKeyPair(r *Request) error {
	public := needed(r.in("publickey", "textarea", ""))
	public.Mono, public.Rows, public.Placeholder = true, 5, "ssh-ed25519 AAAA… me@example"
	f := keyForm(r, "registerSSHKeyPair", "pg.a.register_key", public)
	f.Resource, f.Rename = "cloudstack_ssh_keypair", map[string]string{"publickey": "public_key"}
	return r.formOr(f, r.T("pg.keys.registered"), always(r.Path("/keys")))
}

func deleteKeyPair(r *Request) error {
	k, err := find[compute.KeyView](r, "listSSHKeyPairs", r.Param("id"))
	if err != nil {
		return err
	}
	v := vals("name", k.Name)
	if r.Managing() {
		v = vals("name", k.Name, "account", k.Account, "domainid", k.DomainID)
	}
	return r.end(ending{Command: "deleteSSHKeyPair", Params: v, Kind: "keys", Name: k.Name, List: r.Path("/keys"), Crumbs: crumbs(r.T("nav.keys"), r.Path("/keys"))})
}
