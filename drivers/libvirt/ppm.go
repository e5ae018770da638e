//go:build libvirt_dlopen

package libvirt

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
)

const maxSide = 16384

var errNoPPM = errors.New("not a PPM picture")

// pngOf turns a raw PPM picture (P6, as older QEMUs make it) into PNG.
func pngOf(ppm []byte) ([]byte, error) {
	r := bufio.NewReader(bytes.NewReader(ppm))
	img, err := readPPM(r)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fast := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := fast.Encode(&out, img); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func readPPM(r *bufio.Reader) (image.Image, error) {
	magic := make([]byte, 2)
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != "P6" {
		return nil, errNoPPM
	}
	var head [3]int // width, height, greatest value
	for i := range head {
		n, err := readNumber(r)
		if err != nil {
			return nil, err
		}
		head[i] = n
	}
	w, h := head[0], head[1]
	if w < 1 || h < 1 || w > maxSide || h > maxSide || head[2] != 255 {
		return nil, fmt.Errorf("%w: %d×%d, values to %d", errNoPPM, w, h, head[2])
	}
	return readPixels(r, w, h)
}

// readNumber skips space and comments, reads a number and the one space that
// ends it.
func readNumber(r *bufio.Reader) (int, error) {
	n, digits := 0, 0
	for {
		c, err := r.ReadByte()
		switch {
		case err != nil:
			return 0, errNoPPM
		case c >= '0' && c <= '9' && digits < 6:
			n = n*10 + int(c-'0')
			digits++
		case c == '#' && digits == 0:
			if _, err := r.ReadString('\n'); err != nil {
				return 0, errNoPPM
			}
		case c != ' ' && c != '\n' && c != '\t' && c != '\r':
			return 0, errNoPPM
		case digits > 0:
			return n, nil
		}
	}
}

// readPixels reads row by row: a header may promise more than there is.
func readPixels(r io.Reader, w, h int) (image.Image, error) {
	row := make([]byte, 3*w)
	var pix []byte
	for range h {
		if _, err := io.ReadFull(r, row); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoPPM, err)
		}
		for x := 0; x < len(row); x += 3 {
			pix = append(pix, row[x], row[x+1], row[x+2], 255)
		}
	}
	return &image.RGBA{Pix: pix, Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}, nil
}
