package main_test

import (
	"net/http"
	"strings"
	"testing"

	example "github.com/coatcheck/coatcheck/cmd/example"
)

func TestLabel(t *testing.T) {
	t.Parallel()
	const webKit = "AppleWebKit/605.1.15 (KHTML, like Gecko) "
	for userAgent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0":                                              "Firefox on Linux",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36":               "Chrome on Linux",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36":       "Chrome on Linux",
		"Mozilla/5.0 (X11; Ubuntu) AppleWebKit/537.36 (KHTML, like Gecko) Chromium/80.0 Chrome/80.0 Safari/537.36":            "Chromium",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131 Safari/537 OPR/11": "Opera on macOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + webKit + "Version/17.6 Safari/605.1.15":                          "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) " + webKit + "Version/17.6 Mobile/15E148 Safari/604.1":        "Safari on iOS",
		"Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) " + webKit + "CriOS/131.0 Mobile/15E148 Safari/604.1":                  "Chrome on iPadOS",
		"Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 SamsungBrowser/27.0 Chrome/125 Mobile Safari/537.36":    "Samsung Internet on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36":                          "Chrome on ChromeOS",
		"Mozilla/5.0 (X11; FreeBSD amd64; rv:133.0) Gecko/20100101 Firefox/133.0":                                             "Firefox on BSD",
		"Mozilla/4.0 (compatible; Windows)": "A browser on Windows",
		"Mozilla/5.0":                       "A browser",
		"curl/8.5.0":                        "curl",
		"HTTPie/3.2.2":                      "HTTPie",
		"Go-http-client/1.1":                "Go-http-client",
		"  spaced/1 (Linux)":                "spaced",
		"":                                  "",
		"/":                                 "",
		"Bücher/1":                          "Bücher",
		"\u3164\u115f/1":                    "",
		"\u3164a/1":                         "\u3164a",
		"a\u202eb\x00c\x7fd\xff\ufffde/1":   "abcde",
		strings.Repeat("ü", 1000):           strings.Repeat("ü", 40),
	} {
		t.Run(userAgent[:min(40, len(userAgent))], func(t *testing.T) {
			t.Parallel()
			if got := example.Label(userAgent); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestNoLabelFailsALogin(t *testing.T) {
	t.Parallel()
	base := serve(t, nil)
	for name, userAgent := range map[string]string{"long": strings.Repeat("\U0001F9E5", 2000), "not UTF-8": "\xff\xfe/1", "none": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newClient(t, base).postJSON("/login", `{"user":"alice"}`, "User-Agent", userAgent).want(t, http.StatusOK)
		})
	}
}
