package sim_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
)

// format is a pixel format on the wire.
type format struct {
	Bits, Depth, Big, True byte
	Max                    [3]uint16
	Shift                  [3]byte
	_                      [3]byte
}

// client is a viewer that keeps what it is sent.
type client struct {
	t      testing.TB
	conn   net.Conn
	in     *bufio.Reader
	format format
	colors []color.RGBA // the colour map
	pixels *image.RGBA
	name   string
}

// view connects to a machine's screen with a version of the protocol.
func view(t testing.TB, h *sim.Host, ref drivers.VMRef, minor int) *client {
	t.Helper()
	at := must(t, h.OpenConsole, drivers.OpenConsole{ID: ref.ID, Kind: drivers.ConsoleVNC})
	conn, err := net.Dial(at.Network, at.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
	if hello := c.take(12); string(hello) != "RFB 003.008\n" {
		t.Fatalf("the server says %q", hello)
	}
	fmt.Fprintf(conn, "RFB 003.%03d\n", minor)
	c.secure(minor)
	c.put(byte(1))
	var size struct{ W, H uint16 }
	c.read(&size)
	c.read(&c.format)
	var n uint32
	c.read(&n)
	c.name = string(c.take(int(n)))
	c.pixels = image.NewRGBA(image.Rect(0, 0, int(size.W), int(size.H)))
	return c
}

func (c *client) secure(minor int) {
	c.t.Helper()
	if minor < 7 {
		if kind := c.take(4); kind[3] != 1 {
			c.t.Fatalf("security %v", kind)
		}
		return
	}
	if kinds := c.take(2); !bytes.Equal(kinds, []byte{1, 1}) {
		c.t.Fatalf("security %v", kinds)
	}
	c.put(byte(1))
	if minor >= 8 {
		if result := c.take(4); !bytes.Equal(result, make([]byte, 4)) {
			c.t.Fatalf("refused: %v", result)
		}
	}
}

func (c *client) take(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c.in, b); err != nil {
		c.t.Fatal(err)
	}
	return b
}

func (c *client) read(into any) {
	c.t.Helper()
	if err := binary.Read(c.in, binary.BigEndian, into); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) put(values ...any) {
	c.t.Helper()
	var b bytes.Buffer
	for _, v := range values {
		binary.Write(&b, binary.BigEndian, v)
	}
	if _, err := c.conn.Write(b.Bytes()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) setFormat(f format) {
	c.format = f
	c.put([]byte{0, 0, 0, 0}, f)
}

// ask requests an update of an area.
func (c *client) ask(incremental bool, area image.Rectangle) {
	c.put(byte(3), incremental, uint16(area.Min.X), uint16(area.Min.Y), uint16(area.Dx()), uint16(area.Dy()))
}

// update reads one answer and returns its rectangles.
func (c *client) update() (rects []image.Rectangle) {
	c.t.Helper()
	for {
		switch kind := c.take(1)[0]; kind {
		case 1:
			c.readColors()
			continue
		case 0:
		default:
			c.t.Fatalf("message %d", kind)
		}
		c.take(1)
		var n uint16
		c.read(&n)
		for range n {
			rects = append(rects, c.rectangle())
		}
		return rects
	}
}

func (c *client) readColors() {
	var m struct {
		_        byte
		First, N uint16
	}
	c.read(&m)
	c.colors = make([]color.RGBA, m.N)
	for i := range c.colors {
		var rgb [3]uint16
		c.read(&rgb)
		c.colors[i] = color.RGBA{byte(rgb[0] >> 8), byte(rgb[1] >> 8), byte(rgb[2] >> 8), 255}
	}
}

func (c *client) rectangle() image.Rectangle {
	c.t.Helper()
	var m struct {
		X, Y, W, H uint16
		Encoding   int32
	}
	c.read(&m)
	if m.Encoding != 0 {
		c.t.Fatalf("encoding %d", m.Encoding)
	}
	r := image.Rect(int(m.X), int(m.Y), int(m.X)+int(m.W), int(m.Y)+int(m.H))
	size := int(c.format.Bits / 8)
	wire := c.take(r.Dx() * r.Dy() * size)
	known := map[string]color.RGBA{}
	for i := 0; i < len(wire); i += size {
		at := string(wire[i : i+size])
		rgba, ok := known[at]
		if !ok {
			rgba = c.pixel(wire[i : i+size])
			known[at] = rgba
		}
		n := i / size
		c.pixels.SetRGBA(r.Min.X+n%r.Dx(), r.Min.Y+n/r.Dx(), rgba)
	}
	return r
}

// pixel translates a pixel from the wire.
func (c *client) pixel(wire []byte) color.RGBA {
	var v uint32
	for i, x := range wire {
		if c.format.Big != 0 {
			i = len(wire) - 1 - i
		}
		v |= uint32(x) << (8 * i)
	}
	if c.format.True == 0 {
		return c.colors[v]
	}
	part := func(i int) byte {
		most := uint32(c.format.Max[i])
		return byte((v >> c.format.Shift[i] & most) * 255 / most)
	}
	return color.RGBA{part(0), part(1), part(2), 255}
}

// whole asks for the whole screen and reads it.
func (c *client) whole() {
	c.t.Helper()
	c.ask(false, c.pixels.Rect)
	c.update()
}

// keys types text; "\r" is Enter.
func (c *client) keys(text string) {
	for _, r := range text {
		key := uint32(r)
		switch r {
		case '\r':
			key = 0xff0d
		case '\b':
			key = 0xff08
		}
		c.put([]byte{4, 1, 0, 0}, key, []byte{4, 0, 0, 0}, key)
	}
}

// same compares the viewer's pixels with a screenshot, within what the colour
// depth allows.
func (c *client) same(h *sim.Host, ref drivers.VMRef, tolerance int) error {
	shot, err := png.Decode(bytes.NewReader(must(c.t, h.Screenshot, ref).Data))
	if err != nil {
		return err
	}
	if shot.Bounds() != c.pixels.Bounds() {
		return fmt.Errorf("the screen is %v, the picture %v", c.pixels.Bounds(), shot.Bounds())
	}
	palette := shot.(*image.Paletted)
	for i, index := range palette.Pix {
		want := palette.Palette[index].(color.RGBA)
		got := c.pixels.Pix[4*i:]
		if off(want.R, got[0]) > tolerance || off(want.G, got[1]) > tolerance || off(want.B, got[2]) > tolerance {
			return fmt.Errorf("pixel %d is %v, want %v", i, got[:3], want)
		}
	}
	return nil
}

func off(a, b byte) int { return max(int(a)-int(b), int(b)-int(a)) }

// follow reads incremental updates until the screen is as in the screenshot.
func (c *client) follow(h *sim.Host, ref drivers.VMRef) {
	c.t.Helper()
	for c.same(h, ref, 0) != nil {
		c.ask(true, c.pixels.Rect)
		c.update()
	}
}

func TestVNCSpeaksEveryVersionAndFormat(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	ref := start(t, h, spec(1, localPool))
	for _, minor := range []int{3, 7, 8} {
		c := view(t, h, ref, minor)
		if c.name != "Aerie "+ref.ID {
			t.Errorf("the screen is named %q", c.name)
		}
		c.whole()
		if err := c.same(h, ref, 0); err != nil {
			t.Errorf("version 3.%d: %v", minor, err)
		}
	}
	for name, test := range map[string]struct {
		format    format
		tolerance int
	}{
		"32 bits, big end first": {format{32, 24, 1, 1, [3]uint16{255, 255, 255}, [3]byte{16, 8, 0}, [3]byte{}}, 0},
		"32 bits, noVNC's order": {format{32, 24, 0, 1, [3]uint16{255, 255, 255}, [3]byte{0, 8, 16}, [3]byte{}}, 0},
		"16 bits":                {format{16, 16, 0, 1, [3]uint16{31, 63, 31}, [3]byte{11, 5, 0}, [3]byte{}}, 5},
		"16 bits, big end first": {format{16, 15, 1, 1, [3]uint16{31, 31, 31}, [3]byte{10, 5, 0}, [3]byte{}}, 5},
		"8 bits":                 {format{8, 8, 0, 1, [3]uint16{7, 7, 3}, [3]byte{0, 3, 6}, [3]byte{}}, 45},
		"a colour map":           {format{8, 8, 0, 0, [3]uint16{}, [3]byte{}, [3]byte{}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := view(t, h, ref, 8)
			c.whole()
			c.setFormat(test.format)
			c.ask(true, c.pixels.Rect) // the format alone makes everything new
			c.update()
			if err := c.same(h, ref, test.tolerance); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVNCSendsOnlyWhatChanged(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	ref := start(t, h, spec(1, localPool))
	c := view(t, h, ref, 8)
	c.whole()
	c.ask(true, c.pixels.Rect)
	c.keys("x")
	rects := c.update()
	if len(rects) != 1 || rects[0].Dx() != 16 || rects[0].Dy() != 16 {
		t.Errorf("for one letter and its cursor came %v", rects)
	}
	c.follow(h, ref)
}

func TestVNCKeepsToTheArea(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	ref := start(t, h, spec(1, localPool))
	c := view(t, h, ref, 8)
	area := image.Rect(5, 9, 300, 250)
	c.ask(false, area)
	for _, r := range c.update() {
		if !r.In(area) {
			t.Errorf("%v is outside of %v", r, area)
		}
	}
	c.follow(h, ref) // what was left out comes when asked for
}

func TestVNCTypesIntoTheShell(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	ref := start(t, h, spec(1, localPool))
	c, other := view(t, h, ref, 8), view(t, h, ref, 8)
	c.put([]byte{2, 0, 0, 2}, int32(-223), int32(5))                     // encodings
	c.put([]byte{5, 1, 0, 10, 0, 10})                                    // pointer
	c.put([]byte{6, 0, 0, 0}, uint32(5), []byte("paste"))                // clipboard
	c.put([]byte{6, 0, 0, 0}, int32(-8), []byte{0, 0, 0, 0, 1, 2, 3, 4}) // extended clipboard
	c.keys("root\rsecret\recho Hello, Wordl\b\bld\r")
	for _, viewer := range []*client{c, other} {
		viewer.whole()
		viewer.follow(h, ref)
	}
	if text := serialText(t, h, ref, "\r\nHello, World\r\n"); strings.Contains(text, "secret") {
		t.Errorf("the terminal shows %q", text)
	}
}

func TestVNCShowsTheBoot(t *testing.T) {
	begin := time.Unix(1_800_000_000, 0)
	var passed atomic.Int64
	h := open(t, sim.Options{
		Now:  func() time.Time { return begin.Add(time.Duration(passed.Load())) },
		Boot: 10 * time.Second,
	}).Host("a")
	ref := start(t, h, spec(1, localPool))
	c := view(t, h, ref, 8)
	c.whole()
	for lit := c.lit(); passed.Add(int64(2*time.Second)) <= int64(10*time.Second); lit = c.lit() {
		c.ask(true, c.pixels.Rect)
		c.update()
		if c.lit() <= lit {
			t.Errorf("after %v the screen shows no more than before", time.Duration(passed.Load()))
		}
	}
	c.follow(h, ref)
}

// lit counts the pixels that are not black.
func (c *client) lit() int {
	return len(c.pixels.Pix)/4 - bytes.Count(c.pixels.Pix, []byte{0, 0, 0, 255})
}

func TestVNCEndsWithItsMachine(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	ref := start(t, h, spec(1, localPool))
	c := view(t, h, ref, 8)
	c.keys("root\r\rreboot\r")
	c.whole()
	must(t, h.StopVM, drivers.StopVM{ID: ref.ID, Force: true})
	if _, err := io.Copy(io.Discard, c.in); err != nil {
		t.Errorf("the server does not hang up: %v", err)
	}
	must(t, h.StartVM, ref)
	view(t, h, ref, 8).whole()
}

func TestVNCHangsUpOnNonsense(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	ref := start(t, h, spec(1, localPool))
	for name, nonsense := range map[string][]any{
		"an unknown message":      {byte(99)},
		"a format of 24 bits":     {[]byte{0, 0, 0, 0}, format{Bits: 24, True: 1}},
		"a colour beyond its bit": {[]byte{0, 0, 0, 0}, format{Bits: 8, True: 1, Max: [3]uint16{255, 255, 255}, Shift: [3]byte{200, 8, 0}}},
		"a clipboard of 2 GiB":    {[]byte{6, 0, 0, 0}, uint32(1<<31 - 1)},
		"the least number":        {[]byte{6, 0, 0, 0}, uint32(1 << 31)},
	} {
		t.Run(name, func(t *testing.T) {
			c := view(t, h, ref, 8)
			c.put(nonsense...)
			if _, err := io.Copy(io.Discard, c.in); err != nil {
				t.Errorf("the server does not hang up: %v", err)
			}
		})
	}
	c := view(t, h, ref, 8)
	c.ask(false, image.Rect(60000, 60000, 65535, 65535))
	if rects := c.update(); len(rects) != 0 {
		t.Errorf("beyond the screen is %v", rects)
	}
}
