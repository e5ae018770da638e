package components

import (
	"context"
	"regexp"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"aerie/locales"
)

// Option is one choice of a field.
type Option struct {
	Value, Label string
	Help         string // second line of a radio card
	Icon         string
	Disabled     string // the reason
	Group        string // heading inside a select
}

// text is the option inside a select, which has no room for a second line.
func (o Option) text() string {
	if o.Disabled != "" {
		return o.Label + " – " + o.Disabled
	}
	return o.Label
}

// Field is one input of a form with its label, help and error. The zero Type
// is "text"; the others are those of HTML and "textarea", "select", "radio"
// (cards), "checkbox" (one), "checks" (several), "combobox" (text with
// suggestions), "hidden".
type Field struct {
	Name         string
	Label        string // param.<name> in locales unless set
	Help         string
	Error        string
	Type         string
	Value        string
	Values       []string // of "checks" and of a select with Multiple
	Options      []Option
	Required     bool
	Disabled     bool
	ReadOnly     bool
	Multiple     bool
	Autofocus    bool
	Max          int // most characters
	Least, Most  string
	Step         string
	Pattern      string
	Match        string // the value must be exactly this
	Placeholder  string
	Autocomplete string
	Unit         string // behind the input: GiB
	Rows         int    // of a textarea
	Mono         bool
	ID           string // "f-<name>" unless set
	Attrs        templ.Attributes
}

func (f Field) id() string {
	if f.ID != "" {
		return f.ID
	}
	return "f-" + slug(f.Name)
}

func (f Field) label(ctx context.Context) string {
	if f.Label != "" {
		return f.Label
	}
	return locales.Or(ctx, "param."+f.Name, f.Name)
}

func (f Field) optionID(i int) string { return f.id() + "-" + strconv.Itoa(i) }

// describedBy names the elements that explain the input.
func (f Field) describedBy() string {
	switch {
	case f.Error != "" && f.Help != "":
		return f.id() + "-error " + f.id() + "-help"
	case f.Error != "":
		return f.id() + "-error"
	case f.Help != "":
		return f.id() + "-help"
	}
	return ""
}

func (f Field) chosen(value string) bool {
	return f.Value == value || slices.Contains(f.Values, value)
}

// checked tells whether a lone checkbox is ticked.
func (f Field) checked() bool { return f.Value == "true" || f.Value == "on" || f.Value == "1" }

// attributes are those that all kinds of input share.
func (f Field) attributes() templ.Attributes {
	a := templ.Attributes{"id": f.id(), "name": f.Name}
	set := func(name, value string) {
		if value != "" {
			a[name] = value
		}
	}
	flag := func(name string, on bool) {
		if on {
			a[name] = true
		}
	}
	flag("required", f.Required)
	flag("disabled", f.Disabled)
	flag("readonly", f.ReadOnly)
	flag("autofocus", f.Autofocus)
	flag("multiple", f.Multiple)
	set("aria-describedby", f.describedBy())
	set("placeholder", f.Placeholder)
	set("autocomplete", f.Autocomplete)
	set("min", f.Least)
	set("max", f.Most)
	set("step", f.Step)
	set("pattern", f.pattern())
	if f.Error != "" {
		a["aria-invalid"] = "true"
	}
	if f.Max > 0 {
		a["maxlength"] = strconv.Itoa(f.Max)
	}
	if f.Mono {
		a["class"] = "mono"
	}
	for name, value := range f.Attrs {
		a[name] = value
	}
	return a
}

func (f Field) pattern() string {
	if f.Match != "" {
		return regexp.QuoteMeta(f.Match)
	}
	return f.Pattern
}

// inputType is the type attribute of an <input>.
func (f Field) inputType() string {
	switch f.Type {
	case "", "combobox":
		return "text"
	}
	return f.Type
}

// grouped tells whether the field is a <fieldset> of several inputs.
func (f Field) grouped() bool { return f.Type == "radio" || f.Type == "checks" }

// groups lists the headings of a select in their order.
func (f Field) groups() []string {
	var names []string
	for _, o := range f.Options {
		if !slices.Contains(names, o.Group) {
			names = append(names, o.Group)
		}
	}
	return names
}

func (f Field) in(group string) []Option {
	var list []Option
	for _, o := range f.Options {
		if o.Group == group {
			list = append(list, o)
		}
	}
	return list
}

// Section is a part of a form under its own heading.
type Section struct {
	Title  string
	Help   string
	Fields []Field
	Folded bool // behind a summary, unless one of its fields has an error
}

// Form is a whole form: fields, or sections of fields, the error summary and
// the buttons. With children it shows them after the fields.
type Form struct {
	ID       string
	Action   string
	Method   string // "post" unless set
	Fields   []Field
	Sections []Section
	Error    string // what is wrong with the whole
	Submit   string
	Icon     string
	Style    Style // of the submit button; Primary unless set
	Cancel   string
	Hidden   []Pair
	Upload   bool // multipart
	// Check is an address that answers to every change with the summary
	// (price, quota, problems), which takes the place of CheckInto, a CSS selector.
	Check, CheckInto string
}

func (f Form) method() string {
	if f.Method == "" {
		return "post"
	}
	return f.Method
}

func (f Form) id() string {
	if f.ID != "" {
		return f.ID
	}
	return anchor("form", f.Action, f.Submit)
}

func (f Form) all() []Field {
	list := slices.Clone(f.Fields)
	for _, s := range f.Sections {
		list = append(list, s.Fields...)
	}
	return list
}

// Wrong lists the fields that have an error.
func (f Form) Wrong() []Field {
	return slices.DeleteFunc(f.all(), func(x Field) bool { return x.Error == "" })
}

func (s Section) wrong() bool {
	return slices.ContainsFunc(s.Fields, func(f Field) bool { return f.Error != "" })
}

func (f Form) attributes() templ.Attributes {
	a := templ.Attributes{}
	if f.Upload {
		a["enctype"] = "multipart/form-data"
	}
	if f.Check != "" {
		a["hx-get"] = f.Check
		a["hx-trigger"] = "change delay:300ms, input delay:300ms"
		a["hx-target"] = f.CheckInto
		a["hx-swap"] = "outerMorph"
		a["hx-sync"] = "this:replace"
		a["hx-validate"] = "false" // a check must not complain about what is not yet filled in
	}
	return a
}

func (f Form) submit() Button {
	style := f.Style
	if style == Plain {
		style = Primary
	}
	return Button{Label: f.Submit, Icon: f.Icon, Style: style}
}
