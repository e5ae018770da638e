package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's choice, as HMAC
	"encoding/base64"
	"net/url"
	"sort"
	"strings"
	"time"

	"aerie/services/fault"
	"aerie/services/store"
)

// authenticate finds out who asks: by signature, else by session.
func (h *Handler) authenticate(x *exchange) (store.Actor, error) {
	if x.params.Has("signature") || x.params.Has("apikey") {
		return h.bySignature(x)
	}
	s, err := h.bySession(x)
	if err != nil {
		return store.Actor{}, err
	}
	if s.Unverified && !beforeSecondFactor[x.command] {
		return store.Actor{}, errSecondFactor
	}
	x.ctx = h.Sessions.Enter(x.ctx, s)
	return s.Actor, nil
}

// beforeSecondFactor is what a session may call before its second factor.
var beforeSecondFactor = map[string]bool{
	"validateUserTwoFactorAuthenticationCode": true, "setupUserTwoFactorAuthentication": true,
	"listUserTwoFactorAuthenticatorProviders": true,
}

var errSecondFactor = fault.New(fault.Kind{Name: "second_factor", HTTP: 401, API: 411, CS: 4290}, "error.second_factor")

// bySignature checks the signature and its end. Everything that is wrong looks
// the same.
func (h *Handler) bySignature(x *exchange) (store.Actor, error) {
	secret, actor, err := h.Keys.KeyOwner(x.ctx, x.params.Get("apikey"), x.RealIP())
	known := err == nil && secret != ""
	if !known {
		secret = "an unknown key takes as long as a known one"
		if err != nil && fault.Of(err).Kind.Name == fault.Internal.Name {
			return store.Actor{}, err
		}
	}
	if !signed(x.sent, secret) || !known {
		return store.Actor{}, errRefused
	}
	if !h.inTime(x.ctx, x.params) {
		return store.Actor{}, fault.New(fault.Unauthenticated, "error.unauthenticated").Because(errExpired)
	}
	return actor, nil
}

var errExpired = fault.New(fault.Unauthenticated, "error.expired")

// farthest is how far ahead a strict server lets signatures end.
const farthest = 15 * time.Minute

// inTime checks expires, which version 3 of the signature demands. Without a
// version a signature does not end: some clients send none.
func (h *Handler) inTime(ctx context.Context, params url.Values) bool {
	strict := h.Strict != nil && h.Strict(ctx)
	if params.Get("signatureversion") != "3" {
		return !strict
	}
	until, ok := parseExpires(params.Get("expires"))
	if !ok || !until.After(h.now()) {
		return false
	}
	const slack = time.Minute // clocks differ
	return !strict || until.Before(h.now().Add(farthest+slack))
}

var expiresForms = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07"}

func parseExpires(s string) (time.Time, bool) {
	s = strings.ReplaceAll(s, " ", "+") // an offset's plus that was not escaped
	for _, form := range expiresForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// signed tells whether one of the known ways to sign gives the request's
// signature. Clients differ in the order of mixed-case names and in how they
// escape three characters.
func signed(sent url.Values, secret string) bool {
	given := ""
	for name, values := range sent {
		if strings.EqualFold(name, "signature") {
			given = values[0]
		}
	}
	// A plus that was not escaped has become a space.
	want, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(given, " ", "+"))
	if err != nil || len(want) != sha1.Size {
		want = make([]byte, sha1.Size) // goes the same way, and fails
		given = ""
	}
	ok := false
	for _, text := range canonical(sent) {
		mac := hmac.New(sha1.New, []byte(secret))
		mac.Write([]byte(text))
		if hmac.Equal(mac.Sum(nil), want) {
			ok = true
			break
		}
	}
	return ok && given != ""
}

// escape is how a value is written before it is signed.
type escape func(string) string

// The escapes: of Go's SDK, cmk and Python; of the reference server; of csbench.
var escapes = []escape{
	escapeSDK,
	func(s string) string { return strings.ReplaceAll(escapeSDK(s), "~", "%7E") },
	url.QueryEscape,
}

var sdkEscape = strings.NewReplacer("+", "%20", "%2A", "*")

func escapeSDK(s string) string { return sdkEscape.Replace(url.QueryEscape(s)) }

// canonical returns the texts that may have been signed, each once.
func canonical(sent url.Values) []string {
	names := make([]string, 0, len(sent))
	for name := range sent {
		if !strings.EqualFold(name, "signature") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	orders := [][]string{names}
	byLower := append([]string(nil), names...)
	sort.SliceStable(byLower, func(a, b int) bool { return strings.ToLower(byLower[a]) < strings.ToLower(byLower[b]) })
	for i := range names {
		if names[i] != byLower[i] {
			orders = append(orders, byLower)
			break
		}
	}
	var out []string
	seen := map[string]bool{}
	for _, order := range orders {
		for _, esc := range escapes {
			if text := join(order, sent, esc); !seen[text] {
				seen[text] = true
				out = append(out, text)
			}
		}
	}
	return out
}

func join(names []string, sent url.Values, esc escape) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(esc(sent[name][0]))
	}
	return strings.ToLower(b.String())
}
