package config

import (
	"context"
	"encoding/base64"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"aerie/services/fault"
)

// Brand is what the portal looks like for a domain and those below it, with
// which its administrators can make it theirs.
type Brand struct{ name, logo, accent, support Value[string] }

// Look is a brand as pages use it; what is empty is Aerie's own.
type Look struct {
	Name    string
	Logo    string // a data URL
	Accent  string // #rrggbb
	Support string // address of a page or mailto:
}

// DeclareBrand declares the settings of the portal's looks.
func DeclareBrand(c *Service) *Brand {
	text := func(name string, check func(string) error) Value[string] {
		c.Declare(Setting{Name: name, Category: "Portal", Kind: Text, Dynamic: true, Check: check})
		return c.Text(name).For(Domain).Delegated()
	}
	return &Brand{
		name: text("ui.brand.name", brandName), logo: text("ui.brand.logo", brandLogo),
		accent: text("ui.brand.accent", brandAccent), support: text("ui.brand.support", brandSupport),
	}
}

// For is the look for who belongs to the domain of that path.
func (b *Brand) For(ctx context.Context, domainPath string) Look {
	at := Place{DomainPath: domainPath}
	return Look{b.name.At(ctx, at), b.logo.At(ctx, at), b.accent.At(ctx, at), b.support.At(ctx, at)}
}

func brandName(text string) error {
	if len([]rune(text)) > 60 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		return fault.Param("value", "error.too_long", "max", 60)
	}
	return nil
}

var logo = regexp.MustCompile(`^data:image/(png|jpeg|gif|webp|svg\+xml);base64,(.+)$`)

// brandLogo takes a picture itself and no address: no page of ours fetches what
// another server keeps. Scripts in a picture do not run where an img shows it.
func brandLogo(text string) error {
	m := logo.FindStringSubmatch(text)
	if m != nil {
		if _, err := base64.StdEncoding.DecodeString(m[2]); err == nil {
			return nil
		}
	}
	return fault.Param("value", "error.brand_logo")
}

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// brandAccent takes a colour on which white text can be read: at least 4.5:1
// (WCAG 2.2, 1.4.3).
func brandAccent(text string) error {
	if !colour.MatchString(text) {
		return fault.Param("value", "error.brand_accent")
	}
	if 1.05/(luminance(text)+0.05) < 4.5 {
		return fault.Param("value", "error.brand_contrast")
	}
	return nil
}

// luminance is WCAG's relative luminance of #rrggbb.
func luminance(text string) float64 {
	part := func(i int, weight float64) float64 {
		n, _ := strconv.ParseUint(text[i:i+2], 16, 8) // the pattern fits
		v := float64(n) / 255
		if v <= 0.04045 {
			return weight * v / 12.92
		}
		return weight * math.Pow((v+0.055)/1.055, 2.4)
	}
	return part(1, 0.2126) + part(3, 0.7152) + part(5, 0.0722)
}

func brandSupport(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto" || u.Scheme != "mailto" && u.Host == "" {
		return fault.Param("value", "error.brand_support")
	}
	return nil
}
