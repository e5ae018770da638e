package compute

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"strings"
)

// merge makes one message of several parts, in the form that cloud-init takes
// apart again (MIME multi-part archive).
func merge(parts ...[]byte) []byte {
	sum := sha256.New()
	for _, p := range parts {
		_, _ = sum.Write(p) // a hash does not fail
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	// The same parts make the same message, whichever server makes it.
	if err := w.SetBoundary("aerie-" + hex.EncodeToString(sum.Sum(nil)[:16])); err != nil {
		panic(err) // letters, digits and a dash are a boundary
	}
	for i, p := range parts {
		h := textproto.MIMEHeader{}
		kind, content := partOf(p)
		h.Set("Content-Type", kind)
		h.Set("MIME-Version", "1.0")
		h.Set("Content-Transfer-Encoding", "base64")
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=\"part-%03d\"", i+1))
		// A later part adds to the lists of an earlier one instead of replacing them.
		h.Set("X-Merge-Type", "list(append)+dict(no_replace,recurse_list)+str()")
		if strings.HasPrefix(kind, "multipart/") { // an archive's own encoding stands in its parts
			h.Del("Content-Transfer-Encoding")
		}
		out, err := w.CreatePart(h)
		if err != nil {
			panic(err) // a buffer does not fail
		}
		if !strings.HasPrefix(kind, "multipart/") {
			content = []byte(lines76(content))
		}
		_, _ = out.Write(content)
	}
	_ = w.Close()
	return append([]byte("Content-Type: multipart/mixed; boundary=\""+w.Boundary()+"\"\nMIME-Version: 1.0\n\n"), body.Bytes()...)
}

// lines76 is base64 in lines as mail has them (RFC 2045).
func lines76(data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	return b.String() + text
}

// beginnings tell what a part is, as cloud-init reads its first line.
var beginnings = []struct{ prefix, kind string }{
	{"## template: jinja", "text/jinja2"},
	{"#cloud-config-archive", "text/cloud-config-archive"},
	{"#cloud-config", "text/cloud-config"},
	{"#cloud-boothook", "text/cloud-boothook"},
	{"#include-once", "text/x-include-once-url"},
	{"#include", "text/x-include-url"},
	{"#part-handler", "text/part-handler"},
	{"#!", "text/x-shellscript"},
}

// partOf is the type of a part and its content: the body of what is an archive
// already.
func partOf(data []byte) (kind string, content []byte) {
	for _, b := range beginnings {
		if bytes.HasPrefix(data, []byte(b.prefix)) {
			return b.kind, data
		}
	}
	if m, err := mail.ReadMessage(bytes.NewReader(data)); err == nil && strings.HasPrefix(m.Header.Get("Content-Type"), "multipart/") {
		var body bytes.Buffer
		if _, err := body.ReadFrom(m.Body); err == nil {
			return m.Header.Get("Content-Type"), body.Bytes()
		}
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) { // gzip, RFC 1952
		return "application/gzip", data
	}
	return "text/plain", data
}
