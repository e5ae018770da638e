package iam_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
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

// TestEveryRefusalCostsAHash: refusals that must look the same take the same
// time. What they take is told by the memory that a hash needs, which no other
// work on the machine changes.
func TestEveryRefusalCostsAHash(t *testing.T) {
	const memory = 16 << 20
	s := iam.New(storetest.Open(t), iam.Options{Argon: iam.Argon{Memory: memory >> 10, Time: 1, Threads: 1}})
	if _, err := s.Bootstrap(t.Context(), "secret"); err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]iam.LoginRequest{
		"wrong password": {Username: "admin", Password: "guess"},
		"unknown user":   {Username: "nobody", Password: "guess"},
		"unknown domain": {Username: "admin", Password: "guess", DomainPath: "none"},
		"empty password": {Username: "admin"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := s.Login(t.Context(), r); fault.Of(err).Key != "error.login" {
			t.Fatal(what, err)
		}
		runtime.ReadMemStats(&after)
		if hashes := float64(after.TotalAlloc-before.TotalAlloc) / memory; hashes < 1 || hashes > 1.5 {
			t.Errorf("%s costs %.2f hashes, want one", what, hashes)
		}
	}
}
