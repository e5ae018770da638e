package command

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What a result writes, by its tags:
//
//   - json:"name" names the field; embedded structs are laid flat.
//   - Never null: nil pointers, maps, slices and interfaces are left out, and so
//     are empty texts and zero times. A *string is written even when empty, a
//     slice that is empty but not nil as [].
//   - Numbers and booleans are always written, 0 and false too; with
//     json:"name,omitempty" zero is left out.
//   - json:"name,string" writes a number or boolean as a text, which many
//     fields of CloudStack are.
//   - view:"admin" and view:"domainadmin" leave the field out for others.

// encoder appends the JSON of a value as a role may see it.
type encoder func(b []byte, v reflect.Value, role Role) []byte

var (
	rawType   = reflect.TypeFor[json.RawMessage]()
	marshaler = reflect.TypeFor[json.Marshaler]()
	encoders  sync.Map // reflect.Type → encoder
)

// encoderOf returns the encoder of a type; it is made once.
func encoderOf(t reflect.Type) encoder {
	if e, ok := encoders.Load(t); ok {
		return e.(encoder)
	}
	// A type may hold itself: let it find this while its own is being made.
	var once sync.WaitGroup
	once.Add(1)
	var made encoder
	wait := encoder(func(b []byte, v reflect.Value, role Role) []byte {
		once.Wait()
		return made(b, v, role)
	})
	if e, other := encoders.LoadOrStore(t, wait); other {
		return e.(encoder)
	}
	made = makeEncoder(t)
	once.Done()
	encoders.Store(t, made)
	return made
}

func makeEncoder(t reflect.Type) encoder {
	switch {
	case isDate(t):
		return encodeTime
	case t == rawType:
		return func(b []byte, v reflect.Value, _ Role) []byte { return append(b, v.Bytes()...) }
	case t.Implements(marshaler):
		return encodeAny
	}
	switch t.Kind() {
	case reflect.String:
		return func(b []byte, v reflect.Value, _ Role) []byte { return appendText(b, v.String()) }
	case reflect.Bool:
		return func(b []byte, v reflect.Value, _ Role) []byte { return strconv.AppendBool(b, v.Bool()) }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value, _ Role) []byte { return strconv.AppendInt(b, v.Int(), 10) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(b []byte, v reflect.Value, _ Role) []byte { return strconv.AppendUint(b, v.Uint(), 10) }
	case reflect.Float32, reflect.Float64:
		return encodeFloat(t.Bits())
	case reflect.Struct:
		return structEncoder(t)
	case reflect.Slice:
		return sliceEncoder(encoderOf(t.Elem()))
	case reflect.Pointer:
		inner := encoderOf(t.Elem())
		return func(b []byte, v reflect.Value, role Role) []byte {
			if v.IsNil() { // in a slice; fields of structs are left out
				return append(b, "{}"...)
			}
			return inner(b, v.Elem(), role)
		}
	case reflect.Map:
		return mapEncoder(t)
	case reflect.Interface:
		return func(b []byte, v reflect.Value, role Role) []byte {
			if v.IsNil() {
				return append(b, "{}"...)
			}
			return encoderOf(v.Elem().Type())(b, v.Elem(), role)
		}
	default:
		return encodeAny
	}
}

// fieldPlan is what is known of a field before any value comes.
type fieldPlan struct {
	key    []byte // "name":
	index  []int
	view   Role
	absent func(reflect.Value) bool
	enc    encoder
}

func structEncoder(t reflect.Type) encoder {
	var plan []fieldPlan
	walkFields(t, nil, func(f reflect.StructField, index []int, name string) {
		_, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		enc := encoderOf(f.Type)
		if strings.Contains(opts, "string") {
			enc = quoted(enc)
		}
		plan = append(plan, fieldPlan{
			key: append(appendText(nil, name), ':'), index: index, view: viewRole(f.Tag.Get("view")),
			absent: absence(f.Type, strings.Contains(opts, "omitempty")), enc: enc,
		})
	})
	return func(b []byte, v reflect.Value, role Role) []byte {
		b = append(b, '{')
		start := len(b)
		for i := range plan {
			f := &plan[i]
			if f.view != 0 && f.view&role == 0 {
				continue
			}
			fv := v.FieldByIndex(f.index)
			if f.absent(fv) {
				continue
			}
			if len(b) > start {
				b = append(b, ',')
			}
			b = f.enc(append(b, f.key...), fv, role)
		}
		return append(b, '}')
	}
}

// absence tells when a field is left out.
func absence(t reflect.Type, omitempty bool) func(reflect.Value) bool {
	switch {
	case t.Kind() == reflect.String:
		return func(v reflect.Value) bool { return v.Len() == 0 }
	case isDate(t):
		return func(v reflect.Value) bool { return v.IsZero() }
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		if omitempty || t == rawType {
			return func(v reflect.Value) bool { return v.Len() == 0 }
		}
		return func(v reflect.Value) bool { return v.IsNil() }
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface:
		return func(v reflect.Value) bool { return v.IsNil() }
	case omitempty:
		return func(v reflect.Value) bool { return v.IsZero() }
	}
	return func(reflect.Value) bool { return false }
}

func quoted(enc encoder) encoder {
	return func(b []byte, v reflect.Value, role Role) []byte {
		return append(enc(append(b, '"'), v, role), '"')
	}
}

func sliceEncoder(elem encoder) encoder {
	return func(b []byte, v reflect.Value, role Role) []byte {
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = elem(b, v.Index(i), role)
		}
		return append(b, ']')
	}
}

// mapEncoder writes the keys in their order, so that equal maps look equal.
func mapEncoder(t reflect.Type) encoder {
	if t.Key().Kind() != reflect.String {
		return encodeAny
	}
	elem := encoderOf(t.Elem())
	return func(b []byte, v reflect.Value, role Role) []byte {
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		b = append(b, '{')
		start := len(b)
		for _, k := range keys {
			item := v.MapIndex(k)
			if item.Kind() == reflect.Interface && item.IsNil() {
				continue
			}
			if len(b) > start {
				b = append(b, ',')
			}
			b = elem(append(appendText(b, k.String()), ':'), item, role)
		}
		return append(b, '}')
	}
}

func encodeTime(b []byte, v reflect.Value, _ Role) []byte {
	switch t := v.Interface().(type) {
	case time.Time:
		return appendTime(b, t)
	case Time:
		return appendTime(b, t.Time)
	case Date:
		return appendTime(b, t.Time)
	}
	return append(b, `""`...)
}

func encodeFloat(bits int) encoder {
	return func(b []byte, v reflect.Value, _ Role) []byte {
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(b, '0') // JSON has no such number
		}
		format := byte('f')
		if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
			format = 'e'
		}
		return strconv.AppendFloat(b, f, format, -1, bits)
	}
}

func encodeAny(b []byte, v reflect.Value, _ Role) []byte {
	j, err := json.Marshal(v.Interface())
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, j...)
}

// appendText writes a JSON text. Plain ones, nearly all, are copied as they are.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			j, _ := json.Marshal(s)
			return append(b, j...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
