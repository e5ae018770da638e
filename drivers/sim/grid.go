package sim

import (
	"strconv"
	"strings"
)

// The size of the text screen, as on any PC.
const (
	columns = 80
	rows    = 25
)

// cell is one place of the text screen.
type cell struct {
	char byte
	ink  byte // index into the palette
}

// screen is all that can be seen; the cursor is a mark on its cell.
type screen [rows][columns]cell

// cursorMark is added to the ink under the cursor.
const cursorMark = 0x80

// grid is a text screen that understands line feeds, backspaces and the few
// escape sequences that the guest prints.
type grid struct {
	cells    screen
	row, col int
	ink      byte
	escape   []byte // an unfinished sequence
}

func newGrid() grid {
	g := grid{ink: inkPlain}
	g.clear()
	return g
}

// screen is a copy with the cursor.
func (g *grid) screen() screen {
	s := g.cells
	s[g.row][min(g.col, columns-1)].ink |= cursorMark
	return s
}

func (g *grid) clear() {
	for r := range g.cells {
		g.blank(r)
	}
	g.row, g.col = 0, 0
}

func (g *grid) blank(r int) {
	for c := range g.cells[r] {
		g.cells[r][c] = cell{' ', inkPlain}
	}
}

func (g *grid) put(text string) {
	for i := range len(text) {
		g.putByte(text[i])
	}
}

func (g *grid) putByte(b byte) {
	switch {
	case g.escape != nil:
		g.escaped(b)
	case b == 0x1b:
		g.escape = []byte{b}
	case b == '\n':
		g.feed()
	case b == '\r':
		g.col = 0
	case b == '\b':
		g.col = max(0, g.col-1)
	case b >= ' ' && b < 0x7f:
		if g.col == columns {
			g.col = 0
			g.feed()
		}
		g.cells[g.row][g.col] = cell{b, g.ink}
		g.col++
	}
}

// feed goes one line down and scrolls at the end.
func (g *grid) feed() {
	if g.row < rows-1 {
		g.row++
		return
	}
	copy(g.cells[:], g.cells[1:])
	g.blank(rows - 1)
}

// escaped collects a sequence "ESC [ numbers letter" and obeys it.
func (g *grid) escaped(b byte) {
	g.escape = append(g.escape, b)
	if len(g.escape) == 2 && b == '[' || b >= '0' && b <= '?' && len(g.escape) < 16 {
		return
	}
	numbers := strings.Split(string(g.escape[2:max(2, len(g.escape)-1)]), ";")
	g.escape = nil
	switch b {
	case 'm':
		for _, n := range numbers {
			g.ink = inkOf(n)
		}
	case 'J':
		g.clear()
	case 'H':
		g.row, g.col = 0, 0
	}
}

// inkOf translates a colour number; what is unknown is plain.
func inkOf(number string) byte {
	n, err := strconv.Atoi(number)
	if err != nil || n < 31 || n > 37 {
		return inkPlain
	}
	return inkRed + byte(n-31)
}
