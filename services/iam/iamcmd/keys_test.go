package iamcmd_test

import (
	"context"
	"testing"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

func TestKeyPairs(t *testing.T) {
	w := newWorld(t)
	w.ok(w.admin, "createAccount", "username=ann", "password=Secret-1", "firstname=A", "lastname=B", "email=a@b.c", "accounttype=0")
	w.ok(w.admin, "createAccount", "username=bob", "password=Secret-1", "firstname=A", "lastname=B", "email=a@b.c", "accounttype=0")
	ann, bob := w.as("", "ann"), w.as("", "bob")
	id := field(w.ok(ann, "listUsers"), "user", "id")
	made := w.ok(ann, "registerUserKeys", "id="+id, "name=ci", "description=builds", "cidrs=192.0.2.0/24,198.51.100.1", "enddate=2999-01-01",
		"rules[0].rule=list*", "rules[0].permission=allow", "rules[0].description=looks")
	if field(made, "userkeys", "secretkey") == "" || field(made, "userkeys", "enddate") != "2999-01-01T23:59:59+0000" {
		t.Error(made)
	}
	list := w.ok(ann, "listUserKeys")
	key := field(list, "userkeys", "id")
	if field(list, "userkeys", "name") != "ci" || field(list, "userkeys", "secretkey") != "" {
		t.Error(list)
	}
	if rules := w.ok(ann, "listUserKeyRules", "id="+key); field(rules, "keyrule", "rule") != "list*" || field(rules, "keyrule", "permission") != "allow" {
		t.Error(rules)
	}
	if one := w.ok(ann, "getUserKeys", "id="+id); field(one, "userkeys", "apikey") != field(made, "userkeys", "apikey") || field(one, "userkeys", "secretkey") != "" {
		t.Error(one)
	}
	if user := w.ok(w.admin, "listUsers", "id="+id); field(user, "user", "apikey") != field(made, "userkeys", "apikey") {
		t.Error(user)
	}
	for _, name := range []string{"listUserKeys", "deleteUserKeys", "listUserKeyRules"} {
		if _, err := w.call(bob, name, "id="+key); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
			t.Error("a stranger:", name, err)
		}
	}
	if _, err := w.call(ann, "registerUserKeys", "id="+id, "cidrs=here"); fault.Of(err).Fields["cidrs"] == nil {
		t.Error(err)
	}
	_, p, err := w.iam.KeyOwner(t.Context(), field(made, "userkeys", "apikey"), "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	list2, _ := w.reg.Find(ctxOf(t, p), "listUsers")
	denied, _ := w.reg.Find(ctxOf(t, p), "registerUserKeys")
	if list2 == nil || denied != nil {
		t.Error("the rules of the key are not asked")
	}
	w.ok(ann, "deleteUserKeys", "id="+key)
	if list := w.ok(ann, "listUserKeys"); len(list) != 0 {
		t.Error(list)
	}
}

func ctxOf(t *testing.T, p iam.Principal) context.Context { return store.With(t.Context(), p.Actor) }
