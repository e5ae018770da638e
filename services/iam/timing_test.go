package iam_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store/storetest"
)

func itoa(n int) string { return strconv.Itoa(n) }

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// TestEveryRefusalCostsAHash compares the time of refusals that must look the
// same, at a hash that costs enough to stand out.
func TestEveryRefusalCostsAHash(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	db := storetest.Open(t)
	s := iam.New(db, iam.Options{Argon: iam.Argon{Memory: 16 * 1024, Time: 1, Threads: 1}})
	if _, err := s.Bootstrap(t.Context(), "secret"); err != nil {
		t.Fatal(err)
	}
	cases := map[string]iam.LoginRequest{
		"wrong password": {Username: "admin", Password: "guess"},
		"unknown user":   {Username: "nobody", Password: "guess"},
		"unknown domain": {Username: "admin", Password: "guess", DomainPath: "none"},
		"empty password": {Username: "admin"},
	}
	fastest := map[string]time.Duration{}
	for what, r := range cases {
		var took []time.Duration
		for i := range 4 { // few enough that no name has to wait
			r.RemoteIP = "192.0.2." + itoa(10*i+len(fastest))
			start := time.Now()
			if _, err := s.Login(t.Context(), r); fault.Of(err).Key != "error.login" {
				t.Fatal(what, err)
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		fastest[what] = took[0] // the least disturbed
	}
	t.Log(fastest)
	base := fastest["wrong password"]
	for what, d := range fastest {
		if d < base/2 || d > base*2 {
			t.Errorf("%s takes %v, a wrong password %v", what, d, base)
		}
	}
}
