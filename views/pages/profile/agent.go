package profile

import "strings"

// agent is a browser's name, as far as its User-Agent tells.
func agent(s string) string {
	for _, known := range []struct{ part, name string }{
		{"Edg/", "Edge"},
		{"OPR/", "Opera"},
		{"Firefox/", "Firefox"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
		{"curl/", "curl"},
		{"cloudmonkey", "CloudMonkey"},
		{"Terraform", "Terraform"},
		{"Go-http-client", "Go"},
	} {
		if strings.Contains(s, known.part) {
			return known.name + system(s)
		}
	}
	if s == "" {
		return "API"
	}
	return s[:min(len(s), 40)]
}

func system(s string) string {
	for _, known := range []struct{ part, name string }{
		{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	} {
		if strings.Contains(s, known.part) {
			return ", " + known.name
		}
	}
	return ""
}
