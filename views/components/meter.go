package components

import (
	"math"
	"strconv"
	"strings"
)

// The shares at which a bar changes its colour.
const (
	warnShare = 0.75
	badShare  = 0.85
)

// Meter is the 6-pixel bar: Used of Total.
type Meter struct {
	Label       string // what is measured, for screen readers
	Used, Total float64
	Warn, Bad   float64 // shares; 0 means 75 % and 85 %
}

func (m Meter) share() float64 {
	if m.Total <= 0 {
		return 0
	}
	return min(max(m.Used/m.Total, 0), 1)
}

func (m Meter) width() string { return strconv.FormatFloat(m.share()*100, 'f', 1, 64) }

func (m Meter) percent() string { return strconv.Itoa(int(math.Round(m.share() * 100))) }

func (m Meter) tone() Tone {
	warn, bad := m.Warn, m.Bad
	if warn == 0 {
		warn = warnShare
	}
	if bad == 0 {
		bad = badShare
	}
	switch s := m.share(); {
	case s >= bad:
		return Bad
	case s >= warn:
		return Warn
	}
	return OK
}

// Sparkline is a small line of measured values; NaN leaves a gap.
type Sparkline struct {
	Label  string
	Points []float64
	Max    float64 // top of the scale; 0 means the highest point
	Tone   Tone
}

const (
	sparkWidth  = 120
	sparkHeight = 24
)

// path draws the line; area closes it to the floor.
func (s Sparkline) path(area bool) string {
	top := s.Max
	for _, p := range s.Points {
		if s.Max == 0 && p > top {
			top = p
		}
	}
	if top == 0 {
		top = 1
	}
	step := float64(sparkWidth)
	if len(s.Points) > 1 {
		step = sparkWidth / float64(len(s.Points)-1)
	}
	var b strings.Builder
	from := -1
	for i, p := range s.Points {
		if math.IsNaN(p) {
			s.floor(&b, area, from, i-1, step)
			from = -1
			continue
		}
		verb := 'L'
		if from < 0 {
			verb, from = 'M', i
		}
		y := sparkHeight - 2 - min(max(p/top, 0), 1)*(sparkHeight-4)
		b.WriteString(string(verb) + coord(float64(i)*step) + " " + coord(y))
	}
	s.floor(&b, area, from, len(s.Points)-1, step)
	return b.String()
}

func (s Sparkline) floor(b *strings.Builder, area bool, from, to int, step float64) {
	if !area || from < 0 {
		return
	}
	b.WriteString("L" + coord(float64(to)*step) + " 24L" + coord(float64(from)*step) + " 24Z")
}

func coord(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }
