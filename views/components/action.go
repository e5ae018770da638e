package components

import "strconv"

// Level is a rung of the confirmation ladder.
type Level int

// The rungs: what can be undone is not asked about.
const (
	Never    Level = iota // at once
	Ask                   // a small question beside the button: Stop, Reboot
	Dialog                // a dialog that lists the impact: Destroy
	TypeName              // the same, and the name must be typed: Expunge
)

// Confirm is the question before an action.
type Confirm struct {
	Level  Level
	Title  string   // "Stop web-1?"
	Text   string   // what will happen
	Impact []string // what else is lost
	Name   string   // what must be typed for TypeName; sent as "confirm"
}

// Action is one thing a user can do: a form that posts, or a link.
type Action struct {
	Label    string
	Icon     string
	Post     string // the address to post to
	Href     string // or the page to go to
	Fields   []Pair // hidden inputs of the form
	Style    Style
	Confirm  Confirm
	Disabled string // the reason; a disabled action stays visible
	Small    bool
	IconOnly bool
	// Page asks on a page of its own (Href), shown as a dialog where possible.
	// In long lists it saves one dialog per row.
	Page bool
	// Full reloads the page with the answer instead of showing only the
	// <hx-partial> pieces of a 202.
	Full bool
}

func (a Action) id() string { return anchor("ask", a.Post, a.Label) }

func (a Action) button() Button {
	return Button{
		Label: a.Label, Icon: a.Icon, Style: a.Style, Small: a.Small,
		IconOnly: a.IconOnly, Disabled: a.Disabled,
	}
}

func (a Action) link() Button {
	b := a.button()
	b.Href = a.Href
	if a.Page {
		b.Attrs = map[string]any{"data-dialog": a.Href, "aria-haspopup": "dialog"}
	}
	return b
}

// opener is the button that shows the question. The popover works without
// script; with it, a dialog becomes modal.
func (a Action) opener() Button {
	b := a.button()
	b.Type = "button"
	b.Attrs = map[string]any{"popovertarget": a.id()}
	if a.Confirm.Level >= Dialog {
		b.Attrs["data-modal"] = a.id()
		b.Attrs["aria-haspopup"] = "dialog"
	}
	return b
}

func (a Action) confirmed() Button {
	style := a.Style
	if a.Confirm.Level >= Dialog {
		style = Danger
	} else if style == Plain || style == Quiet {
		style = Primary
	}
	return Button{Label: a.Label, Style: style, Small: a.Confirm.Level == Ask}
}

// posted is the action's form; a page of its own is left by it.
func (d ConfirmDialog) posted() Action {
	a := d.Action
	a.Full = a.Full || !d.Inline
	return a
}

// Menu is the actions of one thing: one inline, the rest behind "⋯".
type Menu struct {
	ID      string // unique on the page
	Name    string // what the actions are about, for screen readers
	Inline  *Action
	Actions []Action
	Small   bool
	// Label shows the menu's button as a word instead of "⋯".
	Label string
	Icon  string
	Style Style
}

func (m Menu) inline() Action {
	a := *m.Inline
	a.Small = m.Small
	return a
}

// item is the look of an action inside the menu.
func (m Menu) item(a Action) Action {
	a.Small, a.IconOnly = false, false
	return a
}

func (m Menu) reason(i int) string { return m.ID + "-why-" + strconv.Itoa(i) }
