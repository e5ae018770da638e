package sim

// The keys of X that are no characters but mean something to a terminal.
var specialKeys = map[uint32]string{
	0xff08: "\x7f", 0xffff: "\x7f", 0xff09: "\t", 0xff0d: "\r", 0xff8d: "\r", 0xff1b: "\x1b",
	0xff51: "\x1b[D", 0xff52: "\x1b[A", 0xff53: "\x1b[C", 0xff54: "\x1b[B",
}

const (
	keyControlL = 0xffe3
	keyControlR = 0xffe4
	keypadFirst = 0xffaa // the keypad's characters lie as in ASCII from here
	keypadLast  = 0xffb9
)

// readKey types a key.
func (v *viewer) readKey() error {
	var m struct {
		Down byte
		_    [2]byte
		Key  uint32
	}
	if err := v.read(&m); err != nil {
		return err
	}
	if m.Key == keyControlL || m.Key == keyControlR {
		v.control = m.Down != 0
		return nil
	}
	if m.Down == 0 {
		return nil
	}
	if typed := typed(m.Key, v.control); typed != "" {
		v.seat.keys([]byte(typed))
	}
	return nil
}

// typed is what a terminal receives for a key; modifiers and keys beyond ASCII
// type nothing.
func typed(key uint32, control bool) string {
	if special, ok := specialKeys[key]; ok {
		return special
	}
	if key >= keypadFirst && key <= keypadLast {
		key = key - keypadFirst + '*'
	}
	switch {
	case key < ' ' || key > '~':
		return ""
	case control:
		return string(rune(key & 0x1f))
	default:
		return string(rune(key))
	}
}
