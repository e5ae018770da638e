package compute

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/image"
	"aerie/services/store"
)

// UserData is an entry of an account's library of data for guests.
type UserData struct {
	store.Row
	store.Owned
	Name    string
	Params  string // names of its variables, comma-separated
	Content string // base64
}

// TableName is the library's table.
func (UserData) TableName() string { return "user_data" }

// UserDataView is an entry of the library as commands return it.
type UserDataView struct {
	ID string `json:"id"`
	Held
	AccountID string `json:"accountid"`
	Name      string `json:"name"`
	Params    string `json:"params"`
	Content   string `json:"userdata"`
}

// How what a deployment brings goes with what its template is linked to.
const (
	AllowOverride = "ALLOWOVERRIDE" // its own takes the place of the template's
	AppendData    = "APPEND"        // both, as the parts of one message
	DenyOverride  = "DENYOVERRIDE"  // it may not bring any
)

// mostUserData is the longest that the API takes, CloudStack's bound for POST.
const mostUserData = 1048576

// content checks user data: base64 of no more than the setting allows.
func (s *Service) content(ctx context.Context, param, text string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.Param(param, "error.base64")
	}
	if most := s.Settings.userDataMax.Get(ctx); len(text) > min(most, mostUserData) {
		return nil, fault.Param(param, "error.userdata_too_long", "max", most)
	}
	return raw, nil
}

// variable is a name that is also a path of the metadata service.
var variable = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// reserved are the paths that instances have anyway.
var reserved = []string{
	"instance-id", "vm-id", "local-hostname", "public-hostname", "local-ipv4", "public-ipv4", "availability-zone", "service-offering",
	"public-keys", "mac", "cloud-identifier", "hypervisor-host-name",
}

// variables reads the names of an entry's variables.
func variables(list string) ([]string, error) {
	var out []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
		case !variable.MatchString(name) || slices.Contains(reserved, name):
			return nil, fault.Param("params", "error.userdata_variable", "value", name)
		case !slices.Contains(out, name):
			out = append(out, name)
		}
	}
	return out, nil
}

// given is the user data that a request brings.
type given struct {
	Content string            // base64
	ID      string            // of the library
	Values  map[string]string // of the variables
}

func (g given) none() bool { return g.Content == "" && g.ID == "" }

// settled is the user data that a guest gets.
type settled struct {
	Content string // base64
	ID      string
	Values  string // JSON object
}

// settle makes one of what a request brings and what the template is linked
// to, by the template's policy.
func (s *Service) settle(ctx context.Context, o store.Owner, g given, t image.Template) (settled, error) {
	if g.Content != "" && g.ID != "" {
		return settled{}, fault.Param("userdataid", "error.userdata_twice", "other", "userdata")
	}
	var linked *UserData
	if t.UserDataID != "" {
		// The template's owner has shared it with the template.
		u, err := store.Find[UserData](store.System(ctx, "user data of a template"), s.db, t.UserDataID)
		if err != nil {
			return settled{}, err
		}
		linked = &u
	}
	if linked != nil && t.UserDataPolicy == DenyOverride && !g.none() {
		param := "userdata"
		if g.ID != "" {
			param = "userdataid"
		}
		return settled{}, fault.Param(param, "error.userdata_denied", "template", t.Name)
	}
	own, err := s.own(ctx, o, g)
	if err != nil {
		return settled{}, err
	}
	parts := []*UserData{own}
	switch {
	case linked == nil:
	case own == nil:
		parts = []*UserData{linked}
	case t.UserDataPolicy == AppendData:
		parts = []*UserData{linked, own}
	}
	return s.join(ctx, g, parts)
}

// own is what the request itself brings, as an entry; nil for nothing.
func (s *Service) own(ctx context.Context, o store.Owner, g given) (*UserData, error) {
	switch {
	case g.ID != "":
		list, err := gorm.G[UserData](s.db.In(ctx), store.ToHold).Where("id = ? AND account_id = ?", g.ID, o.AccountID).Find(ctx)
		if err == nil && len(list) == 0 {
			err = fault.Absent("userdataid", g.ID)
		}
		if err != nil {
			return nil, err
		}
		return &list[0], nil
	case g.Content != "":
		if _, err := s.content(ctx, "userdata", g.Content); err != nil {
			return nil, err
		}
		return &UserData{Content: g.Content}, nil
	}
	return nil, nil
}

// join puts the parts together and checks that their variables have values.
func (s *Service) join(ctx context.Context, g given, parts []*UserData) (out settled, err error) {
	var data [][]byte
	var names []string
	free := g.ID == "" && g.Content != "" // text of its own may use any
	for _, p := range parts {
		if p == nil {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(p.Content)
		if err != nil {
			return out, err
		}
		data, names = append(data, raw), append(names, listOf(p.Params)...)
	}
	out.ID = g.ID
	if len(data) == 1 && g.none() {
		out.ID = first(parts).ID // the template's
	}
	switch len(data) {
	case 0:
	case 1:
		out.Content = base64.StdEncoding.EncodeToString(data[0])
	default:
		out.Content = base64.StdEncoding.EncodeToString(merge(data...))
		if _, err := s.content(ctx, "userdata", out.Content); err != nil {
			return out, err
		}
	}
	out.Values, err = values(g.Values, names, free)
	return out, err
}

// values checks the values of variables: each that there is has one, and there
// are no others, unless any may be used.
func values(given map[string]string, names []string, free bool) (string, error) {
	for _, name := range names {
		if _, ok := given[name]; !ok {
			return "", fault.Param("userdatadetails", "error.userdata_value_needed", "name", name)
		}
	}
	total := 0
	for name, value := range given {
		total += len(name) + len(value)
		switch {
		case !variable.MatchString(name) || slices.Contains(reserved, name) || !free && !slices.Contains(names, name):
			return "", fault.Param("userdatadetails", "error.userdata_variable", "value", name)
		case total > mostValues:
			return "", fault.Param("userdatadetails", "error.too_long", "max", mostValues)
		}
	}
	if len(given) == 0 {
		return "", nil
	}
	b, err := json.Marshal(given)
	return string(b), err
}

// mostValues is how many bytes the variables of an instance take together.
const mostValues = 32768

func listOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}
