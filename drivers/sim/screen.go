package sim

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"sync"

	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"aerie/drivers"
)

// A character is eight by sixteen pixels, as in VGA's text modes.
const (
	cellWidth    = 8
	cellHeight   = 16
	screenWidth  = columns * cellWidth
	screenHeight = rows * cellHeight
)

// The colours of the palette, by index. Those after red are in ANSI's order.
const (
	inkBlack byte = iota
	inkPlain
	inkRed
)

var palette = color.Palette{
	color.RGBA{0, 0, 0, 255},
	color.RGBA{190, 190, 190, 255},
	color.RGBA{224, 80, 80, 255},
	color.RGBA{96, 208, 96, 255},
	color.RGBA{216, 184, 72, 255},
	color.RGBA{96, 144, 240, 255},
	color.RGBA{200, 112, 216, 255},
	color.RGBA{80, 200, 208, 255},
	color.RGBA{255, 255, 255, 255},
}

// glyph is a character's pixels, one bit each, a row per word.
type glyph [cellHeight]uint16

// glyphs are the printable characters of ASCII, from the space on.
var glyphs = sync.OnceValue(func() *[95]glyph {
	var all [95]glyph
	for i := range all {
		all[i] = draw(rune(' ' + i))
	}
	return &all
})

func draw(char rune) (g glyph) {
	at := fixed.P(1, 1+basicfont.Face7x13.Ascent)
	to, mask, from, _, found := basicfont.Face7x13.Glyph(at, char)
	for y := to.Min.Y; found && y < to.Max.Y && y < cellHeight; y++ {
		for x := to.Min.X; x < to.Max.X && x < cellWidth; x++ {
			if _, _, _, alpha := mask.At(from.X+x-to.Min.X, from.Y+y-to.Min.Y).RGBA(); alpha > 0 {
				g[y] |= 1 << x
			}
		}
	}
	return g
}

// newFrame is a black screen.
func newFrame() *image.Paletted {
	return image.NewPaletted(image.Rect(0, 0, screenWidth, screenHeight), palette)
}

// paint draws one character; under the cursor it is inverted.
func paint(frame *image.Paletted, row, col int, c cell) {
	ink, ground := c.ink, inkBlack
	if c.ink&cursorMark != 0 {
		ink, ground = inkBlack, inkPlain
	}
	shape := &glyphs()[min(max(c.char, ' '), '~')-' ']
	for y := range cellHeight {
		line := frame.Pix[(row*cellHeight+y)*frame.Stride+col*cellWidth:][:cellWidth]
		for x := range line {
			line[x] = ground
			if shape[y]>>x&1 == 1 {
				line[x] = ink
			}
		}
	}
}

// paintAll draws what differs from the old screen and returns one rectangle
// for each row that does.
func paintAll(frame *image.Paletted, now, old *screen) []image.Rectangle {
	var dirty []image.Rectangle
	for r := range rows {
		var row image.Rectangle
		for c := range columns {
			if now[r][c] != old[r][c] {
				paint(frame, r, c, now[r][c])
				row = row.Union(cellAt(r, c))
			}
		}
		if !row.Empty() {
			dirty = append(dirty, row)
		}
	}
	return dirty
}

// cellAt is where a character lies on the screen.
func cellAt(row, col int) image.Rectangle {
	return image.Rect(col*cellWidth, row*cellHeight, (col+1)*cellWidth, (row+1)*cellHeight)
}

// Screenshot is a picture of what a viewer would see.
func (h *Host) Screenshot(ctx context.Context, ref drivers.VMRef) (drivers.Picture, error) {
	return call(ctx, h, "Screenshot", ref.ID, func() (drivers.Picture, error) {
		term, err := h.terminal("screenshot", ref.ID)
		if err != nil {
			return drivers.Picture{}, err
		}
		frame, now := newFrame(), term.look(noOutput).screen
		paintAll(frame, &now, new(screen))
		var file bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestSpeed}
		if err := encoder.Encode(&file, frame); err != nil {
			return drivers.Picture{}, drivers.Errorf(drivers.Internal, "screenshot "+ref.ID, "%w", err)
		}
		return drivers.Picture{MIME: "image/png", Data: file.Bytes()}, nil
	})
}
