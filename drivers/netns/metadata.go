package netns

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// version is how a metadata path may begin: EC2's dates and CloudStack's own.
var version = regexp.MustCompile(`\A(latest|1\.0|20\d\d-\d\d-\d\d)\z`)

// metadata answers as CloudStack's virtual router and EC2 do:
//
//	/latest/user-data
//	/latest/meta-data/        the keys
//	/latest/meta-data/<key>   also as /latest/<key>, which old scripts ask
func (s *service) metadata(w http.ResponseWriter, r *http.Request) {
	host, ok := s.guest(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	text, ok := lookupData(r.URL.Path, host.Metadata, host.UserData)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, text)
}

// lookupData finds the content of a path.
func lookupData(at string, metadata map[string]string, userData []byte) (string, bool) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	if first == "" {
		return "latest\n", rest == ""
	}
	if !version.MatchString(first) {
		return "", false
	}
	switch key := strings.TrimSuffix(rest, "/"); key {
	case "":
		return "meta-data\nuser-data\n", true
	case "user-data":
		return string(userData), len(userData) > 0
	case "meta-data":
		return index(metadata, "")
	default:
		key = strings.TrimPrefix(key, "meta-data/")
		if text, ok := metadata[key]; ok {
			return text, true
		}
		return index(metadata, key+"/")
	}
}

// index lists what is directly below a directory, as EC2 does: a name that
// leads further ends in a slash.
func index(metadata map[string]string, dir string) (string, bool) {
	var names []string
	for key := range metadata {
		below, ok := strings.CutPrefix(key, dir)
		if !ok {
			continue
		}
		if name, _, deeper := strings.Cut(below, "/"); deeper {
			below = name + "/"
		}
		names = append(names, below)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "\n"), len(names) > 0 || dir == ""
}
