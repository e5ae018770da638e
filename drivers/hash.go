package drivers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// HashRouter fingerprints what a spec wants: two specs that want the same have
// the same hash, whatever their generation, however their hosts are ordered and
// whether what is empty in them is nil.
func HashRouter(s RouterSpec) string {
	s.Generation = 0
	s.Guest.Upstream, s.Hosts = own(s.Guest.Upstream), own(s.Hosts)
	for i := range s.Hosts {
		h := &s.Hosts[i]
		if len(h.UserData) == 0 {
			h.UserData = nil
		}
		if len(h.Metadata) == 0 {
			h.Metadata = nil
		}
	}
	slices.SortFunc(s.Hosts, func(a, b RouterHost) int { return strings.Compare(a.NIC, b.NIC) })
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a struct of plain fields
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Clone is the spec in memory of its own; what is empty is nil in it.
func (s RouterSpec) Clone() RouterSpec {
	if s.Public != nil {
		public := *s.Public
		s.Public = &public
	}
	s.Guest.Upstream = own(s.Guest.Upstream)
	s.Hosts = own(s.Hosts)
	for i := range s.Hosts {
		h := &s.Hosts[i]
		h.UserData = own(h.UserData)
		metadata := h.Metadata
		h.Metadata = nil
		for k, v := range metadata {
			if h.Metadata == nil {
				h.Metadata = make(map[string]string, len(metadata))
			}
			h.Metadata[k] = v
		}
	}
	return s
}

func own[T any](list []T) []T { return append([]T(nil), list...) }
