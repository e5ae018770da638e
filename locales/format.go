package locales

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// separators asks x/text once how a language writes a number.
func separators(tag language.Tag) (group, decimal string) {
	sample := message.NewPrinter(tag).Sprintf("%.1f", 11111.1)
	head, rest, _ := strings.Cut(sample, "111")
	if head == "11" && strings.HasSuffix(rest, "1") {
		return "", strings.TrimSuffix(rest, "1") // no grouping
	}
	_, tail, grouped := strings.Cut(sample, "11")
	g, d, ok := strings.Cut(tail, "111")
	if !grouped || !ok || !strings.HasSuffix(d, "1") {
		return ",", "." // a language with digits of its own: stay readable
	}
	return g, strings.TrimSuffix(d, "1")
}

func (t *tongue) number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	if len(digits) <= 3 || t.group == "" {
		return sign + digits
	}
	var b strings.Builder
	b.WriteString(sign)
	head := len(digits) % 3
	b.WriteString(digits[:head])
	for i := head; i < len(digits); i += 3 {
		if i > 0 {
			b.WriteString(t.group)
		}
		b.WriteString(digits[i : i+3])
	}
	return b.String()
}

func (t *tongue) decimals(f float64, digits int) string {
	s := strconv.FormatFloat(math.Abs(f), 'f', digits, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return s
	}
	out := t.number(n)
	if fraction != "" {
		out += t.decimal + fraction
	}
	if f < 0 && strings.Trim(s, "0.") != "" {
		out = "-" + out
	}
	return out
}

// Number writes a count: 12,345.
func Number[I int | int32 | int64](ctx context.Context, n I) string {
	return of(ctx).number(int64(n))
}

// Decimal writes a number with a fixed count of decimals: 1,234.5.
func Decimal(ctx context.Context, f float64, digits int) string { return of(ctx).decimals(f, digits) }

// Percent writes a share of 1: 0.754 is "75 %" or "75%".
func Percent(ctx context.Context, share float64) string {
	return T(ctx, "format.percent", "n", of(ctx).decimals(share*100, 0))
}

// Money writes an amount with its currency's code: 12.40 EUR.
func Money(ctx context.Context, amount float64, currency string) string {
	return of(ctx).decimals(amount, 2) + "\u00a0" + currency
}

var byteUnits = [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}

// Bytes writes a size in binary units with at most one decimal: 1.5 GiB.
func Bytes(ctx context.Context, n int64) string {
	f, unit := float64(n), 0
	for math.Abs(f) >= 1024 && unit < len(byteUnits)-1 {
		f /= 1024
		unit++
	}
	if r := math.Round(f*10) / 10; math.Abs(r) >= 1024 && unit < len(byteUnits)-1 {
		f, unit = r/1024, unit+1
	}
	digits := 1
	if r := math.Round(f*10) / 10; unit == 0 || r == math.Trunc(r) || math.Abs(r) >= 100 {
		digits = 0
	}
	return of(ctx).decimals(f, digits) + "\u00a0" + byteUnits[unit]
}

// Zone is the time zone of ctx.
func Zone(ctx context.Context) *time.Location {
	if zone, ok := ctx.Value(zoneKey{}).(*time.Location); ok && zone != nil {
		return zone
	}
	return time.UTC
}

// Now is the present of ctx.
func Now(ctx context.Context) time.Time {
	if now, ok := ctx.Value(nowKey{}).(time.Time); ok {
		return now
	}
	return time.Now()
}

// Date writes the day in the zone of ctx.
func Date(ctx context.Context, t time.Time) string {
	return t.In(Zone(ctx)).Format(T(ctx, "format.date"))
}

// DateTime writes day, minute and zone.
func DateTime(ctx context.Context, t time.Time) string {
	return t.In(Zone(ctx)).Format(T(ctx, "format.datetime"))
}

// Relative writes how far t is from now: "3 minutes ago", "in 2 hours".
func Relative(ctx context.Context, t time.Time) string {
	d := Now(ctx).Sub(t)
	if d < 0 {
		return ahead(ctx, -d)
	}
	n, unit := largest(d)
	switch unit {
	case second:
		return T(ctx, "time.now")
	case minute:
		return N(ctx, "time.minutes_ago", n)
	case hour:
		return N(ctx, "time.hours_ago", n)
	case day:
		return N(ctx, "time.days_ago", n)
	case month:
		return N(ctx, "time.months_ago", n)
	default:
		return N(ctx, "time.years_ago", n)
	}
}

func ahead(ctx context.Context, d time.Duration) string {
	n, unit := largest(d)
	switch unit {
	case second:
		return T(ctx, "time.now")
	case minute:
		return N(ctx, "time.in_minutes", n)
	case hour:
		return N(ctx, "time.in_hours", n)
	case day:
		return N(ctx, "time.in_days", n)
	case month:
		return N(ctx, "time.in_months", n)
	default:
		return N(ctx, "time.in_years", n)
	}
}

// Duration writes a span in its two largest units: "2 min 5 s".
func Duration(ctx context.Context, d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case d < time.Second:
		return T(ctx, "span.milli", "n", d.Milliseconds())
	case d < 10*time.Second:
		return T(ctx, "span.s", "s", of(ctx).decimals(d.Seconds(), 1))
	case s < 60:
		return T(ctx, "span.s", "s", s)
	case s < 3600:
		return T(ctx, "span.ms", "m", s/60, "s", s%60)
	case s < 86400:
		return T(ctx, "span.hm", "h", s/3600, "m", s%3600/60)
	}
	return T(ctx, "span.dh", "d", s/86400, "h", s%86400/3600)
}

const (
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
	month  = 30 * day
	year   = 365 * day
)

func largest(d time.Duration) (int64, time.Duration) {
	for _, unit := range []time.Duration{year, month, day, hour, minute} {
		if d >= unit {
			return int64(d / unit), unit
		}
	}
	return int64(d / time.Second), second
}
