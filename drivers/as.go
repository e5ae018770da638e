package drivers

// Composite is a driver made of several, such as a host whose machines are
// kept by libvirt and whose routers live in namespaces.
type Composite interface {
	Driver
	Parts() []Driver
}

// As returns d, or the first part of it that has the ability C:
//
//	m, ok := drivers.As[drivers.Meter](d)
func As[C any](d Driver) (C, bool) {
	if c, ok := d.(C); ok {
		return c, true
	}
	if whole, ok := d.(Composite); ok {
		for _, part := range whole.Parts() {
			if c, ok := As[C](part); ok {
				return c, true
			}
		}
	}
	var none C
	return none, false
}

// Join makes one driver of several; the first part that has an ability gives it.
func Join(kind string, parts ...Driver) Driver { return joined{kind, parts} }

type joined struct {
	kind  string
	parts []Driver
}

func (j joined) Kind() string    { return j.kind }
func (j joined) Parts() []Driver { return j.parts }
