package main

import (
	"fmt"
	"net/netip"
	"net/url"

	"aerie/handlers/session"
)

// front is what stands between browsers and this server: a proxy that speaks
// TLS, mostly.
type front struct {
	PublicURL      string `name:"public-url" help:"Address by which browsers reach the portal, if a proxy has another: https://HOST." env:"AERIE_PUBLIC_URL"`
	TrustedProxies string `name:"trusted-proxies" help:"Addresses and CIDRs of proxies whose X-Forwarded-For and X-Forwarded-Proto count, separated by commas." env:"AERIE_TRUSTED_PROXIES"`
}

// parse reads both; what is wrong is told by its flag.
func (f front) parse() (*url.URL, []netip.Prefix, error) {
	public, err := session.ParsePublic(f.PublicURL)
	if err != nil {
		return nil, nil, fmt.Errorf("--public-url (AERIE_PUBLIC_URL): %w", err)
	}
	trusted, err := session.ParseProxies(f.TrustedProxies)
	if err != nil {
		return nil, nil, fmt.Errorf("--trusted-proxies (AERIE_TRUSTED_PROXIES): %w", err)
	}
	return public, trusted, nil
}
