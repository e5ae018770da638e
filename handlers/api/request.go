package api

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"aerie/services/fault"
)

// maxBody holds user data of 1 MiB in Base64, each + and / escaped, and the rest.
const maxBody = 4 << 20

// readRequest merges the query and the form. The query wins, and of a repeated
// name the first value.
func readRequest(c echo.Context) (url.Values, error) {
	r := c.Request()
	out, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return firsts(out, nil), fault.New(fault.Invalid, "error.query").Because(err)
	}
	form, err := readForm(r)
	return firsts(out, form), err
}

func readForm(r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost || r.Body == nil {
		return nil, nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" && kind != "" {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "error.query").Because(err)
	}
	if len(body) > maxBody {
		return nil, fault.New(fault.Invalid, "error.body_size")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return form, fault.New(fault.Invalid, "error.query").Because(err)
	}
	return form, nil
}

func firsts(query, form url.Values) url.Values {
	out := make(url.Values, len(query)+len(form))
	for _, from := range []url.Values{form, query} {
		for name, values := range from {
			out[name] = values[:1]
		}
	}
	return out
}

// lower gives the parameters their lower-case names; what stands behind a
// bracket keeps its case. Of two spellings the lower-case one counts, then the
// last in byte order, as in command.
func lower(v url.Values) url.Values {
	plain := true
	for name := range v {
		if lowerName(name) != name {
			plain = false
			break
		}
	}
	if plain {
		return v
	}
	out := make(url.Values, len(v))
	from := make(map[string]string, len(v))
	for name, values := range v {
		low := lowerName(name)
		if old, taken := from[low]; !taken || old < name {
			out[low], from[low] = values, name
		}
	}
	return out
}

func lowerName(name string) string {
	base, rest, bracket := strings.Cut(name, "[")
	if !bracket {
		return strings.ToLower(name)
	}
	return strings.ToLower(base) + "[" + rest
}
