package api

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/url"
	"testing"
)

// What any client signs is accepted, and any other value of a parameter is not.
func FuzzSignature(f *testing.F) {
	f.Add("apiKey=k&command=listZones&keyword=a%20b~*%2B", "x")
	f.Add("a=1&A=2&signature=AAAA&details[0].Key=%C3%BC", "")
	f.Fuzz(func(t *testing.T, query, other string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		for name := range v {
			v[name] = v[name][:1]
		}
		signed(v, "secret") // whatever was sent
		for name := range v {
			if len(name) == len("signature") && lowerName(name) == "signature" {
				delete(v, name)
			}
		}
		for _, text := range canonical(v) {
			mac := hmac.New(sha1.New, []byte("secret"))
			mac.Write([]byte(text))
			v.Set("signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			if !signed(v, "secret") {
				t.Fatalf("refused %q", text)
			}
			if signed(v, "other") {
				t.Fatal("any secret does")
			}
		}
		v.Set("added", "1"+other)
		if signed(v, "secret") {
			t.Fatal("a parameter was added")
		}
	})
}
