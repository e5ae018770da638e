package sim

import (
	"math"
	"sync"
	"time"
)

// keptOutput is how much of the guest's output a serial console shows again.
const keptOutput = 32 << 10

// terminal is the guest's one terminal, seen on the screen and on the serial
// line alike. It comes to life when first looked at.
type terminal struct {
	run    *stopwatch
	length time.Duration // of a boot
	guest  guest

	mu      sync.Mutex
	grid    grid
	out     []byte        // the last of all that was printed
	outEnd  int64         // how much was printed ever
	changed chan struct{} // closed at the next change
	closed  bool

	born  time.Duration // when the boot began
	lines []bootLine    // still to come
	shell shell
}

func newTerminal(g guest, run *stopwatch, born, length time.Duration) *terminal {
	t := &terminal{run: run, length: length, guest: g, grid: newGrid(), changed: make(chan struct{})}
	t.boot(born)
	return t
}

// boot starts the guest again at a time of its stopwatch.
func (t *terminal) boot(born time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.born, t.lines = born, bootLines(t.guest)
	t.shell = shell{guest: t.guest}
	t.print("\x1b[H\x1b[2J")
	t.touch()
}

// close ends all views.
func (t *terminal) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.touch()
}

// touch tells the views that something changed.
func (t *terminal) touch() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// print shows text; a line feed begins a new line at its start.
func (t *terminal) print(text string) {
	text = crlf(text)
	t.grid.put(text)
	t.out = append(t.out, text...)
	t.outEnd += int64(len(text))
	if len(t.out) > 2*keptOutput {
		t.out = append([]byte(nil), t.out[len(t.out)-keptOutput:]...)
	}
}

// advance prints what is due and tells when the next line is.
func (t *terminal) advance() (next time.Duration) {
	up := t.run.elapsed() - t.born
	printed := false
	for len(t.lines) > 0 && t.lines[0].due(t.length) <= up {
		t.print(t.lines[0].text + "\n")
		t.lines, printed = t.lines[1:], true
		if len(t.lines) == 0 {
			t.print("Aerie Linux 1 (simulated) " + t.guest.name + " ttyS0\n\n")
			t.print(t.shell.prompt())
		}
	}
	if printed {
		t.touch()
	}
	if len(t.lines) == 0 {
		return 0
	}
	return max(time.Millisecond, t.lines[0].due(t.length)-up)
}

// view is what one who looks on gets.
type view struct {
	screen  screen
	out     []byte // since the offset that was asked for
	outEnd  int64
	changed <-chan struct{}
	next    time.Duration // until the next line by itself; 0 for never
	closed  bool
}

// noOutput is the offset of a look at the screen alone.
const noOutput = math.MaxInt64

// look shows the terminal and the output after an offset.
func (t *terminal) look(offset int64) view {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.advance()
	missed := max(0, min(int64(len(t.out)), t.outEnd-offset))
	return view{
		screen: t.grid.screen(), out: append([]byte(nil), t.out[int64(len(t.out))-missed:]...), outEnd: t.outEnd,
		changed: t.changed, next: next, closed: t.closed,
	}
}

// keys types into the terminal and returns what the guest wants done.
func (t *terminal) keys(typed []byte) wish {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advance()
	if len(typed) == 0 || t.closed || len(t.lines) > 0 || !t.run.runs() {
		return wishNothing
	}
	up := t.run.elapsed() - t.born
	for _, b := range typed {
		text, w := t.shell.key(b, up)
		t.print(text)
		if w != wishNothing {
			t.touch()
			return w
		}
	}
	t.touch()
	return wishNothing
}

func crlf(text string) string {
	var b []byte
	for i := range len(text) {
		if text[i] == '\n' {
			b = append(b, '\r')
		}
		b = append(b, text[i])
	}
	return string(b)
}
