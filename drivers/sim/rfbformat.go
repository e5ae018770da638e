package sim

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// pixelFormat is how a viewer wants its pixels, as it lies on the wire.
type pixelFormat struct {
	Bits, Depth                     byte
	BigEndian, TrueColour           byte
	RedMax, GreenMax, BlueMax       uint16
	RedShift, GreenShift, BlueShift byte
	_                               [3]byte
}

// trueColour32 is the format of the server.
var trueColour32 = pixelFormat{
	Bits: 32, Depth: 24, TrueColour: 1,
	RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 16, GreenShift: 8, BlueShift: 0,
}

func (f pixelFormat) check() error {
	switch {
	case f.Bits != 8 && f.Bits != 16 && f.Bits != 32:
		return fmt.Errorf("%d bits per pixel", f.Bits)
	case f.TrueColour == 0 && f.Bits != 8:
		return fmt.Errorf("a colour map of %d bits", f.Bits)
	case f.TrueColour == 0:
		return nil
	}
	for _, c := range []struct {
		most  uint16
		shift byte
	}{{f.RedMax, f.RedShift}, {f.GreenMax, f.GreenShift}, {f.BlueMax, f.BlueShift}} {
		if bits.Len16(c.most)+int(c.shift) > int(f.Bits) {
			return fmt.Errorf("a colour of %d<<%d in %d bits", c.most, c.shift, f.Bits)
		}
	}
	return nil
}

// pixels is the palette in the viewer's format.
func (f pixelFormat) pixels() [][]byte {
	all := make([][]byte, len(palette))
	for i := range palette {
		all[i] = f.pixel(i)
	}
	return all
}

func (f pixelFormat) pixel(index int) []byte {
	value := uint32(index)
	if f.TrueColour != 0 {
		r, g, b, _ := palette[index].RGBA()
		value = scale(r, f.RedMax)<<f.RedShift | scale(g, f.GreenMax)<<f.GreenShift | scale(b, f.BlueMax)<<f.BlueShift
	}
	var order binary.AppendByteOrder = binary.LittleEndian
	if f.BigEndian != 0 {
		order = binary.BigEndian
	}
	switch f.Bits {
	case 8:
		return []byte{byte(value)}
	case 16:
		return order.AppendUint16(nil, uint16(value))
	default:
		return order.AppendUint32(nil, value)
	}
}

func scale(c uint32, most uint16) uint32 { return (c*uint32(most) + 0x7fff) / 0xffff }

// colourMap is the message that fills the viewer's palette.
func (f pixelFormat) colourMap() []byte {
	m := []byte{1, 0, 0, 0}
	m = binary.BigEndian.AppendUint16(m, uint16(len(palette)))
	for _, c := range palette {
		r, g, b, _ := c.RGBA()
		for _, part := range []uint32{r, g, b} {
			m = binary.BigEndian.AppendUint16(m, uint16(part))
		}
	}
	return m
}
