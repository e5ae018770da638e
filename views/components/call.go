package components

import (
	"slices"
	"strings"
)

// ShowCall writes a form as the calls that do the same: curl, cmk, Terraform.
type ShowCall struct {
	Command  string // deployVirtualMachine
	Params   []Pair // in the order of the form; empty values are left out
	Endpoint string // https://cloud.example/client/api
	// Resource is the Terraform resource, such as "cloudstack_instance";
	// Rename maps parameters to its attributes, "" leaves one out.
	Resource string
	Rename   map[string]string
	Open     bool
}

func (s ShowCall) id() string { return anchor("call", s.Command) }

func (s ShowCall) params() []Pair {
	return slices.DeleteFunc(slices.Clone(s.Params), func(p Pair) bool { return p.Value == "" })
}

// texts are the languages in which the call is shown.
func (s ShowCall) texts() []Pair {
	list := []Pair{{"curl", s.curl()}, {"cmk", s.cmk()}}
	if s.Resource != "" {
		list = append(list, Pair{"Terraform", s.terraform()})
	}
	return list
}

// curl needs the key in the environment: nothing secret is ever shown.
func (s ShowCall) curl() string {
	lines := []string{
		"curl -G " + quote(s.Endpoint),
		"--data-urlencode " + quote("command="+s.Command),
	}
	for _, p := range s.params() {
		lines = append(lines, "--data-urlencode "+quote(p.Name+"="+p.Value))
	}
	lines = append(lines, "--data-urlencode response=json",
		`--data-urlencode "apiKey=$AERIE_API_KEY"`, `--data-urlencode "signature=$AERIE_SIGNATURE"`)
	return strings.Join(lines, " \\\n  ")
}

// cmk splits a command into its verb and its noun, as cloudmonkey wants it.
func (s ShowCall) cmk() string {
	at := strings.IndexFunc(s.Command, func(r rune) bool { return r >= 'A' && r <= 'Z' })
	words := s.Command
	if at > 0 {
		words = s.Command[:at] + " " + strings.ToLower(s.Command[at:])
	}
	lines := []string{"cmk " + words}
	for _, p := range s.params() {
		lines = append(lines, p.Name+"="+quote(p.Value))
	}
	return strings.Join(lines, " \\\n  ")
}

func (s ShowCall) terraform() string {
	var pairs []Pair
	width := 0
	for _, p := range s.params() {
		if to, ok := s.Rename[p.Name]; ok {
			p.Name = to
		}
		if p.Name != "" {
			pairs = append(pairs, p)
			width = max(width, len(p.Name))
		}
	}
	var b strings.Builder
	b.WriteString("resource \"" + s.Resource + "\" \"main\" {\n")
	for _, p := range pairs {
		b.WriteString("  " + p.Name + strings.Repeat(" ", width-len(p.Name)) + " = \"" + hcl.Replace(p.Value) + "\"\n")
	}
	b.WriteString("}")
	return b.String()
}

var hcl = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "${", "$${", "%{", "%%{")

// quote makes a word safe for a shell, and leaves plain words as they are.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("-_./:=@,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
