package main

import (
	"strings"
	"unicode"
)

// maxLabelRunes bounds a label. The library keeps 255 bytes, and refuses a
// session whose label is longer: a login must not fail for a long User-Agent.
const maxLabelRunes = 40

// A hint is what gives a browser or a system away in a User-Agent.
type hint struct{ in, name string }

// The first that matches counts: most browsers also name those that they
// resemble.
var (
	browsers = []hint{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = []hint{
		{"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"}, {"Linux", "Linux"}, {"BSD", "BSD"},
	}
)

// label names a client by its User-Agent, for the list of its owner's sessions:
// "Firefox on Linux", "curl". It is "" for a client that doesn't say. Whatever
// else clients claim is theirs to choose, so it is cut and made printable.
func label(userAgent string) string {
	product, _, _ := strings.Cut(strings.TrimSpace(userAgent), " ")
	product, _, _ = strings.Cut(product, "/")
	if product != "Mozilla" { // every browser says that it is
		if name := printable(product, maxLabelRunes); visible(name) {
			return name
		}
		return ""
	}
	browser, system := find(browsers, userAgent), find(systems, userAgent)
	if browser == "" {
		browser = "A browser"
	}
	if system == "" {
		return browser
	}
	return browser + " on " + system
}

func find(hints []hint, userAgent string) string {
	for _, h := range hints {
		if strings.Contains(userAgent, h.in) {
			return h.name
		}
	}
	return ""
}

// visible reports whether there is anything to be seen: some letters are blank.
func visible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsPunct(r)) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
	})
}

// printable drops what can't be seen, and what comes after the first n runes.
func printable(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		if n == 0 {
			break
		}
		if r != unicode.ReplacementChar && unicode.IsPrint(r) {
			b.WriteRune(r)
			n--
		}
	}
	return b.String()
}
