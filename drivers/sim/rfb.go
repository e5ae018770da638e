package sim

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"sync"
	"time"
)

// viewer is one connection of the RFB protocol, version 3.3, 3.7 or 3.8, as
// RFC 6143 has it: no security, raw rectangles.
type viewer struct {
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
	seat *seat

	control bool // the key is held down

	again chan struct{} // something new was asked for, or the viewer is gone
	mu    sync.Mutex
	state viewerState
}

// viewerState is what the viewer has asked for.
type viewerState struct {
	format  pixelFormat
	serial  int // of the last change
	asked   bool
	whole   bool            // not only what changed
	area    image.Rectangle // of the request
	recolor bool            // the colour map is still to be sent
	gone    bool
}

// serveVNC greets and then paints until one side leaves.
func serveVNC(conn net.Conn, s *seat) {
	v := &viewer{
		conn: conn, in: bufio.NewReader(conn), out: bufio.NewWriterSize(conn, 32<<10),
		seat: s, again: make(chan struct{}, 1),
	}
	v.state.format = trueColour32
	err := conn.SetDeadline(time.Now().Add(30 * time.Second))
	if err = errors.Join(err, v.greet(), conn.SetDeadline(time.Time{})); err != nil {
		return
	}
	var reader sync.WaitGroup
	reader.Go(v.listen)
	v.show()
	conn.Close()
	reader.Wait()
}

// greet agrees on a version and on no security, then tells the screen's size.
func (v *viewer) greet() error {
	var version [12]byte
	v.put([]byte("RFB 003.008\n"))
	if err := v.out.Flush(); err != nil {
		return err
	}
	if _, err := io.ReadFull(v.in, version[:]); err != nil {
		return err
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(version[:]), "RFB %03d.%03d\n", &major, &minor); err != nil || major != 3 {
		return fmt.Errorf("version %q", version)
	}
	if err := v.secure(minor); err != nil {
		return err
	}
	if _, err := v.in.ReadByte(); err != nil { // whether the viewer shares: it always does
		return err
	}
	name := "Aerie " + v.seat.id
	v.put(uint16(screenWidth), uint16(screenHeight), trueColour32, uint32(len(name)), []byte(name))
	return v.out.Flush()
}

// secure agrees on the security type "none", in the words of the version.
func (v *viewer) secure(minor int) error {
	if minor < 7 {
		v.put(uint32(1))
		return v.out.Flush()
	}
	v.put([]byte{1, 1})
	if err := v.out.Flush(); err != nil {
		return err
	}
	chosen, err := v.in.ReadByte()
	if err != nil {
		return err
	}
	if chosen != 1 {
		return fmt.Errorf("security type %d", chosen)
	}
	if minor >= 8 {
		v.put(uint32(0))
	}
	return v.out.Flush()
}

// put writes values in network order; the writer keeps the error.
func (v *viewer) put(values ...any) {
	for _, value := range values {
		_ = binary.Write(v.out, binary.BigEndian, value)
	}
}

// change alters the state and has the painter look at it.
func (v *viewer) change(how func(*viewerState)) {
	v.mu.Lock()
	how(&v.state)
	v.state.serial++
	v.mu.Unlock()
	select {
	case v.again <- struct{}{}:
	default:
	}
}

// take is the state; a new colour map is sent once.
func (v *viewer) take() viewerState {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.state
	if s.asked {
		v.state.recolor = false
	}
	return s
}

// answered takes requests back that an update has answered; one that came
// while it was made waits for the next.
func (v *viewer) answered(want viewerState) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state.serial == want.serial {
		v.state.asked, v.state.whole = false, false
	}
}

// listen reads the viewer's messages until it is gone.
func (v *viewer) listen() {
	for {
		if err := v.message(); err != nil {
			v.change(func(s *viewerState) { s.gone = true })
			return
		}
	}
}

// errTooLong ends a connection that would fill the memory.
var errTooLong = errors.New("message too long")

// The messages of a viewer.
const (
	setPixelFormat = 0
	setEncodings   = 2
	updateRequest  = 3
	keyEvent       = 4
	pointerEvent   = 5
	cutText        = 6
)

func (v *viewer) message() error {
	kind, err := v.in.ReadByte()
	if err != nil {
		return err
	}
	switch kind {
	case setPixelFormat:
		return v.readFormat()
	case setEncodings:
		var m struct {
			_ byte
			N uint16
		}
		if err := v.read(&m); err != nil {
			return err
		}
		return v.skip(4 * int64(m.N)) // raw is always understood
	case updateRequest:
		return v.readRequest()
	case keyEvent:
		return v.readKey()
	case pointerEvent:
		return v.skip(5) // a text console has no pointer
	case cutText:
		return v.readCut()
	default:
		return fmt.Errorf("message %d", kind)
	}
}

func (v *viewer) read(into any) error { return binary.Read(v.in, binary.BigEndian, into) }

func (v *viewer) skip(n int64) error {
	_, err := io.CopyN(io.Discard, v.in, n)
	return err
}

func (v *viewer) readFormat() error {
	var m struct {
		_      [3]byte
		Format pixelFormat
	}
	if err := v.read(&m); err != nil {
		return err
	}
	if err := m.Format.check(); err != nil {
		return err
	}
	v.change(func(s *viewerState) {
		s.format, s.whole = m.Format, true
		s.recolor = m.Format.TrueColour == 0
	})
	return nil
}

func (v *viewer) readRequest() error {
	var m struct {
		Incremental         byte
		X, Y, Width, Height uint16
	}
	if err := v.read(&m); err != nil {
		return err
	}
	x, y := int(m.X), int(m.Y)
	area := image.Rect(x, y, x+int(m.Width), y+int(m.Height))
	v.change(func(s *viewerState) {
		if s.asked {
			area = area.Union(s.area)
		}
		s.asked, s.area = true, area
		s.whole = s.whole || m.Incremental == 0
	})
	return nil
}

// readCut drops the clipboard. A negative length is the extended clipboard's.
func (v *viewer) readCut() error {
	var m struct {
		_ [3]byte
		N int32
	}
	if err := v.read(&m); err != nil {
		return err
	}
	n := int64(m.N)
	if n < 0 {
		n = -n
	}
	if n > 16<<20 {
		return errTooLong
	}
	return v.skip(n)
}

// show answers requests with what has changed since the last answer.
func (v *viewer) show() {
	var sent screen // as the viewer has it; an empty cell is one it has not
	frame := newFrame()
	for {
		look, want := v.seat.term.look(noOutput), v.take()
		if want.gone || look.closed {
			return
		}
		if want.asked && want.whole {
			forget(&sent, want.area)
		}
		if want.asked {
			rects := clip(paintAll(frame, &look.screen, &sent), want.area)
			if len(rects) > 0 || want.whole {
				keep(&sent, &look.screen, want.area)
				v.answered(want)
				if v.send(frame, rects, want) != nil {
					return
				}
				continue
			}
		}
		look.wait(v.again)
	}
}

// forget makes all cells unsent that the area touches.
func forget(sent *screen, area image.Rectangle) {
	for r := range rows {
		for c := range columns {
			if cellAt(r, c).Overlaps(area) {
				sent[r][c] = cell{}
			}
		}
	}
}

// keep notes which cells the viewer has got in full.
func keep(sent, now *screen, area image.Rectangle) {
	for r := range rows {
		for c := range columns {
			if cellAt(r, c).In(area) {
				sent[r][c] = now[r][c]
			}
		}
	}
}

func clip(all []image.Rectangle, area image.Rectangle) []image.Rectangle {
	var in []image.Rectangle
	for _, r := range all {
		if r = r.Intersect(area); !r.Empty() {
			in = append(in, r)
		}
	}
	return in
}

// send writes one update.
func (v *viewer) send(frame *image.Paletted, rects []image.Rectangle, want viewerState) error {
	if err := v.conn.SetWriteDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if want.recolor {
		v.put(want.format.colourMap())
	}
	v.put([]byte{0, 0}, uint16(len(rects)))
	pixels, line := want.format.pixels(), make([]byte, 0, 4*screenWidth)
	for _, r := range rects {
		v.put(uint16(r.Min.X), uint16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), uint32(0))
		for y := r.Min.Y; y < r.Max.Y; y++ {
			line = line[:0]
			for _, index := range frame.Pix[y*frame.Stride+r.Min.X : y*frame.Stride+r.Max.X] {
				line = append(line, pixels[index]...)
			}
			_, _ = v.out.Write(line) // the writer keeps the error
		}
	}
	return v.out.Flush()
}
