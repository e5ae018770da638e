package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"aerie/locales"
	"aerie/services/iam"
)

// form is a form as a page holds it, with what it would send as it stands.
type form struct {
	page, action string
	values       url.Values
}

// formsOf are the forms of a page that change something: one for each place
// that a form's buttons send it to.
func formsOf(path, body string) (out []form) {
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return nil
	}
	byID := map[string]url.Values{}
	for n := range root.Descendants() {
		if n.Data != "form" || !strings.EqualFold(attr(n, "method"), "post") {
			continue
		}
		values := url.Values{}
		byID[attr(n, "id")] = values
		if has(n, "action") {
			out = append(out, form{path, attr(n, "action"), values})
		}
		for field := range n.Descendants() {
			fill(values, field)
			if to := attr(field, "formaction"); to != "" && attr(field, "formmethod") != "get" {
				out = append(out, form{path, to, values})
			}
		}
	}
	delete(byID, "")
	for n := range root.Descendants() { // fields that stand elsewhere
		values := byID[attr(n, "form")]
		if values == nil {
			continue
		}
		fill(values, n)
		if to := attr(n, "formaction"); to != "" && attr(n, "formmethod") != "get" {
			out = append(out, form{path, to, values})
		}
	}
	return out
}

func fill(values url.Values, n *html.Node) {
	name, value := attr(n, "name"), attr(n, "value")
	switch {
	case name == "" || n.Type != html.ElementNode:
	case n.Data == "input" && slices.Contains([]string{"checkbox", "radio"}, attr(n, "type")):
		if has(n, "checked") {
			values.Add(name, value)
		}
	case n.Data == "input":
		values.Add(name, value)
	case n.Data == "textarea":
		if n.FirstChild != nil {
			value = n.FirstChild.Data
		}
		values.Add(name, value)
	case n.Data == "select":
		values.Add(name, chosen(n))
	}
}

// chosen is the option that a browser would send.
func chosen(n *html.Node) string {
	first, found := "", false
	for o := range n.Descendants() {
		if o.Data != "option" || has(o, "disabled") {
			continue
		}
		if has(o, "selected") {
			return attr(o, "value")
		}
		if !found {
			first, found = attr(o, "value"), true
		}
	}
	return first
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// endings are forms that end a session: each goes last.
var endings = []string{"/logout", "/profile/sessions"}

// TestNoControlIsForbidden: whoever is shown a form may send it, in both
// languages and with every word there; what it says may be refused, that it is
// sent may not.
func TestNoControlIsForbidden(t *testing.T) {
	for _, who := range []struct {
		name, domain string
		least        int // forms that somebody of the kind is shown
	}{{"admin", "", 60}, {"dora", "acme", 25}, {"mara", "acme", 25}, {"rita", "acme", 2}} {
		t.Run(who.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			people := s.furnish()
			s.Account("acme", "rita", iam.RoleReadOnlyUser)
			g := s.signIn(t, who.domain, who.name)
			var forms []form
			for _, lang := range []string{"de", "en"} {
				g.cookies["lang"] = &http.Cookie{Name: "lang", Value: lang}
				forms = nil
				for _, p := range g.crawl(people.starts(g)...) {
					if !strings.Contains(p.body, `lang="`+lang+`"`) {
						t.Errorf("%s is not in %s", p.path, lang)
					}
					g.alive(p)
					forms = append(forms, formsOf(p.path, p.body)...)
				}
			}
			g.sendAll(forms, who.least)
		})
	}
	for key := range locales.Missing() {
		t.Errorf("no text for %s", key)
	}
}

// sendAll sends one form of each kind as its page holds it at that time.
func (g *guest) sendAll(forms []form, least int) {
	g.t.Helper()
	slices.SortStableFunc(forms, func(a, b form) int { return late(a) - late(b) })
	sent := map[string]bool{}
	for _, f := range forms {
		kind := g.kindOf(f)
		if sent[kind] || slices.ContainsFunc(endings, func(p string) bool { return strings.HasPrefix(f.action, p) }) {
			continue
		}
		w := g.do(http.MethodGet, f.page, nil)
		now := slices.IndexFunc(formsOf(f.page, w.Body.String()), func(o form) bool { return g.kindOf(o) == kind })
		if w.Code != http.StatusOK || now < 0 {
			continue // gone by what was sent before; another page may have it
		}
		sent[kind] = true
		fresh := formsOf(f.page, w.Body.String())[now]
		to, err := url.Parse(f.page)
		if err == nil {
			to, err = to.Parse(fresh.action)
		}
		if err != nil {
			g.t.Errorf("%s: %v", f.page, err)
			continue
		}
		g.taken(f.page, to.String(), fresh.values)
	}
	if len(sent) < least {
		g.t.Errorf("%d kinds of forms were sent, want %d", len(sent), least)
	}
}

// taken sends a form, which must not be refused for who sends it.
func (g *guest) taken(page, to string, values url.Values) {
	g.t.Helper()
	w := g.do(http.MethodPost, to, values)
	body := w.Body.String()
	switch w.Code {
	case http.StatusSeeOther:
		body = g.do(http.MethodGet, w.Header().Get("Location"), nil).Body.String()
	case http.StatusOK, http.StatusNoContent, http.StatusUnprocessableEntity, http.StatusConflict:
	default:
		g.t.Errorf("%s: POST %s: %d: %s", page, to, w.Code, text(body))
	}
	for _, key := range []string{"error.command", "error.rank"} {
		before, _, _ := strings.Cut(locales.T(g.t.Context(), key, "command", "\x00"), "\x00")
		if strings.Contains(text(body), before) {
			g.t.Errorf("%s: POST %s is told: %s", page, to, before)
		}
	}
}

// late orders what takes things away behind what needs them.
func late(f form) int {
	for i, word := range []string{"delete", "expunge", "destroy", "remove", "disable", "view-as", "switch"} {
		if strings.Contains(f.action, word) {
			return i + 1
		}
	}
	return 0
}

// kindOf is what forms of one kind share.
func (g *guest) kindOf(f form) string {
	path, _, _ := strings.Cut(f.action, "?")
	return g.routeOf(http.MethodPost, path)
}
