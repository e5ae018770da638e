package main_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/cloudstack-go/v2/cloudstack"

	"aerie/services/command/spec"
)

// every calls each command at least once, in the order of a person's work. A
// line is a command with its parameters:
//
//	command name=value tags.key=value list=one,two > variable=path.in.the.answer
//
// "@name" changes who speaks, $variable stands for what an answer held before,
// and 'quotes' hold spaces. "~command" is asked by hand: this version of the SDK
// cannot read, or cannot ask for, what CloudStack itself answers there.
// "!command" is refused in CloudStack's way, as what it needs, a directory or a
// session of a browser, is not there; its own tests have that.
//
//go:embed testdata/every.txt
var every string

// TestEveryCommand: the unmodified SDK calls every command that Aerie has, and
// can read each answer.
func TestEveryCommand(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		t.Parallel() // most of the time the SDK sleeps before it asks for a job
		s := newServer(t, "off", dsn)
		s.start()
		admin := s.admin()
		hostsUp(t, admin)
		ann := joins(t, s, admin, "ann")
		k := &script{
			t: t, methods: methods(), said: map[string]bool{},
			who:  map[string]*cloudstack.CloudStackClient{"admin": admin, "ann": ann.CloudStackClient},
			vars: map[string]string{"zone": ann.zone, "template": ann.template, "offering": ann.offering, "netoffering": ann.networkOffering, "site": s.url("")},
		}
		for n, line := range strings.Split(every, "\n") {
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			if err := k.do(line); err != nil {
				t.Errorf("line %d, %s: %v", n+1, line, err)
			}
		}
		k.complete(admin)
		s.stop()
	})
}

type script struct {
	t       testing.TB
	methods map[string]method
	who     map[string]*cloudstack.CloudStackClient
	speaker *cloudstack.CloudStackClient
	vars    map[string]string
	said    map[string]bool
}

// method is where the SDK has a command.
type method struct{ service, name string }

// methods are the SDK's, by their commands' names in small letters.
func methods() map[string]method {
	out := map[string]method{}
	client := reflect.TypeFor[cloudstack.CloudStackClient]()
	for i := range client.NumField() {
		f := client.Field(i)
		if f.Type.Kind() != reflect.Interface {
			continue
		}
		for j := range f.Type.NumMethod() {
			m := f.Type.Method(j)
			if m.Type.NumIn() == 1 && m.Type.NumOut() == 2 && m.Type.In(0).Kind() == reflect.Pointer {
				out[strings.ToLower(m.Name)] = method{f.Name, m.Name}
			}
		}
	}
	return out
}

// complete: nothing that the server has was left out.
func (k *script) complete(admin *cloudstack.CloudStackClient) {
	k.t.Helper()
	apis, err := admin.APIDiscovery.ListApis(admin.APIDiscovery.NewListApisParams())
	if err != nil {
		k.t.Fatal(err)
	}
	known := spec.Commands()
	for _, a := range apis.Apis {
		if _, ours := known[a.Name]; ours && !k.said[a.Name] {
			k.t.Errorf("%s was not called", a.Name)
		}
	}
}

func (k *script) do(line string) error {
	if strings.HasPrefix(line, "@") {
		k.speaker = k.who[line[1:]]
		return nil
	}
	line, takes, _ := strings.Cut(line, " > ")
	words := quoted(line)
	command := strings.TrimLeft(words[0], "~!")
	ask := k.call
	if words[0][0] == '~' {
		ask = k.custom
	}
	answer, err := ask(command, words[1:])
	if refused := err != nil && strings.HasPrefix(err.Error(), "CloudStack API error "); refused && words[0][0] == '!' {
		err = nil
	}
	if err != nil {
		return err
	}
	k.said[command] = true
	for _, take := range strings.Fields(takes) {
		name, path, _ := strings.Cut(take, "=")
		if k.vars[name] = at(answer, path); k.vars[name] == "" {
			return fmt.Errorf("%s is not in %v", path, answer)
		}
	}
	return nil
}

// call asks by the SDK, or by hand where it has no such command.
func (k *script) call(command string, words []string) (any, error) {
	m, ok := k.methods[strings.ToLower(command)]
	if !ok {
		return k.custom(command, words)
	}
	f := reflect.ValueOf(*k.speaker).FieldByName(m.service).MethodByName(m.name)
	p := reflect.New(f.Type().In(0).Elem())
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		if err := set(p, name, k.meant(value)); err != nil {
			return nil, err
		}
	}
	out := f.Call([]reflect.Value{p})
	if err, _ := out[1].Interface().(error); err != nil {
		return nil, err
	}
	return asJSON(out[0].Interface())
}

func (k *script) custom(command string, words []string) (any, error) {
	p := &cloudstack.CustomServiceParams{}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		p.SetParam(name, k.meant(value))
	}
	var out map[string]any
	service, ok := k.speaker.Custom.(*cloudstack.CustomService)
	if !ok {
		return nil, fmt.Errorf("%T cannot ask for anything", k.speaker.Custom)
	}
	return out, service.CustomRequest(command, p, &out)
}

func asJSON(v any) (out any, err error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(b, &out)
}

// meant is a value with its variables.
func (k *script) meant(value string) string {
	parts := strings.Split(value, ",")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, "$"); ok {
			name, rest, _ := strings.Cut(name, "/")
			if parts[i] = k.vars[name]; rest != "" {
				parts[i] += "/" + rest
			}
		}
	}
	return strings.Join(parts, ",")
}

// set gives a parameter by the SDK's setter; name.key is an entry of a map.
func set(p reflect.Value, name, value string) error {
	name, key, inMap := strings.Cut(name, ".")
	setter := func(prefix string) reflect.Value {
		for i := range p.NumMethod() {
			if strings.EqualFold(p.Type().Method(i).Name, prefix+name) {
				return p.Method(i)
			}
		}
		return reflect.Value{}
	}
	f := setter("Set")
	if !f.IsValid() {
		return fmt.Errorf("the SDK does not know %s", name)
	}
	if inMap {
		return setEntry(f, setter("Get"), key, value)
	}
	v := reflect.New(f.Type().In(0)).Elem()
	switch v.Kind() {
	case reflect.String:
		v.SetString(value)
	case reflect.Bool:
		v.SetBool(value == "true")
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return err
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return err
		}
		v.SetFloat(n)
	case reflect.Slice:
		v.Set(reflect.ValueOf(strings.Split(value, ",")))
	default:
		return fmt.Errorf("%s is %s", name, v.Type())
	}
	f.Call([]reflect.Value{v})
	return nil
}

func setEntry(set, get reflect.Value, key, value string) error {
	entries, ok := get.Call(nil)[0].Interface().(map[string]string)
	if !ok {
		return fmt.Errorf("%s belongs to no map of texts but %s", key, set.Type().In(0))
	}
	if entries == nil {
		entries = map[string]string{}
	}
	entries[key] = value
	set.Call([]reflect.Value{reflect.ValueOf(entries)})
	return nil
}

// at finds a.0.b.
func at(v any, path string) string {
	for _, step := range strings.Split(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return ""
			}
			v = in[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// quoted are the words of a line; quotes keep spaces.
func quoted(line string) (words []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 { // between quotes
			words[len(words)-1] += part
			continue
		}
		fresh := strings.Split(part, " ")
		if len(words) > 0 {
			words[len(words)-1] += fresh[0]
			fresh = fresh[1:]
		}
		words = append(words, fresh...)
	}
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}
