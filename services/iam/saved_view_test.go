package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"aerie/services/fault"
	"aerie/services/iam"
)

// TestSavedViews: everyone has its own, and nothing is left of a removed user's.
func TestSavedViews(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	_, ann := w.account(d.ID, "ann", iam.RoleUser)
	w.account(d.ID, "bob", iam.RoleUser)
	asAnn, asBob := w.as("d", "ann"), w.as("d", "bob")
	first, err := w.SaveView(asAnn, "events", " errors ", "level=ERROR&q=web")
	if err != nil || first.Name != "errors" || first.Query != "level=ERROR&q=web" {
		t.Fatal(first, err)
	}
	_, err = w.SaveView(asAnn, "events", "errors", "level=WARN")
	w.must(err)
	_, err = w.SaveView(asAnn, "jobs", "errors", "status=failed")
	w.must(err)
	got, err := w.SavedViews(asAnn, "events")
	if err != nil || len(got) != 1 || got[0].ID != first.ID || got[0].Query != "level=WARN" {
		t.Error(got, err)
	}
	for what, see := range map[string]func() ([]iam.SavedView, error){
		"bob":               func() ([]iam.SavedView, error) { return w.SavedViews(asBob, "events") },
		"the administrator": func() ([]iam.SavedView, error) { return w.SavedViews(w.admin, "events") },
	} {
		if got, err := see(); len(got) != 0 || err != nil {
			t.Error(what, "sees", got, err)
		}
	}
	w.wantKind(w.DropView(asBob, first.ID), fault.NotFound, "another's view")
	for what, bad := range map[string][2]string{
		"no name": {" ", "a=b"}, "a long name": {strings.Repeat("x", 65), "a=b"}, "nothing to save": {"x", ""}, "no query": {"x", "a=%zz"}, "too much": {"x", "a=" + strings.Repeat("b", 2000)},
	} {
		_, err := w.SaveView(asAnn, "events", bad[0], bad[1])
		w.wantKind(err, fault.Invalid, what)
	}
	for i := range 19 {
		_, err := w.SaveView(asAnn, "events", fmt.Sprint(i), "a=b")
		w.must(err)
	}
	_, err = w.SaveView(asAnn, "events", "one more", "a=b")
	w.wantKind(err, fault.Invalid, "the 21st")
	w.must(w.DropView(asAnn, first.ID))
	w.must(w.DeleteUser(w.admin, ann.ID))
	var left int64
	w.must(w.DB().In(w.sys()).Model(&iam.SavedView{}).Count(&left).Error)
	if left != 0 {
		t.Error(left, "are left of a removed user")
	}
}
