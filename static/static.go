// Package static serves the browser's files from the program itself, under
// addresses that carry a hash of the content and so may be cached for ever.
// The vendor folder is filled by npm (see vendor.mjs); without it everything
// builds and the pages still work as plain forms and links.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// vendor* also matches vendor.mjs, so that a clone without npm builds.
//
//go:embed css js img vendor*
var files embed.FS

// Prefix is where Handler is mounted.
const Prefix = "/static/"

const hashLength = 10

type asset struct {
	name     string
	kind     string
	hash     string
	raw      []byte
	compress bool
	packed   func() (br, gz []byte)
}

var assets = sync.OnceValue(func() map[string]*asset {
	found, err := collect(files)
	if err != nil {
		panic(err) // an embedded file system does not fail
	}
	return found
})

func collect(src fs.FS) (map[string]*asset, error) {
	found := map[string]*asset{}
	err := fs.WalkDir(src, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".mjs" {
			return err
		}
		raw, err := fs.ReadFile(src, name)
		if err != nil {
			return err
		}
		found[name] = newAsset(name, raw)
		return nil
	})
	return found, err
}

func newAsset(name string, raw []byte) *asset {
	sum := sha256.Sum256(raw)
	a := &asset{
		name: name, raw: raw, kind: kindOf(name),
		hash: strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:hashLength]),
	}
	a.compress = len(raw) > 512 && !strings.HasPrefix(a.kind, "image/png")
	a.packed = sync.OnceValues(func() ([]byte, []byte) { return pack(raw) })
	return a
}

func kindOf(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		if kind := mime.TypeByExtension(ext); kind != "" {
			return kind
		}
		return "application/octet-stream"
	}
}

// pack compresses a file the first time somebody asks for it.
func pack(raw []byte) (br, gz []byte) {
	var b, g bytes.Buffer
	bw := brotli.NewWriterLevel(&b, brotli.BestCompression)
	_, _ = bw.Write(raw) // a buffer does not fail
	_ = bw.Close()
	gw, _ := gzip.NewWriterLevel(&g, gzip.BestCompression)
	_, _ = gw.Write(raw)
	_ = gw.Close()
	return b.Bytes(), g.Bytes()
}

// URL is the address of a file, such as "css/app.css"; empty if there is no
// such file, which is normal for vendor files that were not fetched.
func URL(name string) string {
	a := assets()[name]
	if a == nil {
		return ""
	}
	return Prefix + a.hash + "/" + name
}

// Handler serves Prefix. The current hash may be cached for ever; an old one
// still gets the file, uncached, so that a page from before an upgrade works.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
		a := assets()[name]
		if a == nil {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r, hash == a.hash)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request, current bool) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if current {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, coding := a.encoded(r.Header.Get("Accept-Encoding"))
	tag := `"` + a.hash + coding + `"`
	h.Set("ETag", tag)
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the client may be gone
	}
}

func (a *asset) encoded(accept string) (body []byte, coding string) {
	if !a.compress {
		return a.raw, ""
	}
	br, gz := a.packed()
	switch {
	case accepts(accept, "br"):
		return br, "br"
	case accepts(accept, "gzip"):
		return gz, "gzip"
	}
	return a.raw, ""
}

// accepts reads Accept-Encoding: the coding is named and its weight is not 0.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		return err != nil || q > 0
	}
	return false
}
