package chimw_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/chimw"
)

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	_, err := chimw.New(chimw.Config{
		Header: "Cookie", MaxBody: -1, NoCookie: true, NoHeader: true, RefreshTokens: true,
		Persistent: true, Domain: "a..b", SameSite: 99, Realm: `"`, ClearSiteData: "\n",
	})
	for _, field := range []string{"Manager", "Header", "NoHeader", "MaxBody", "RefreshTokens", "Domain", "SameSite", "Realm", "ClearSiteData", "NoCookie"} {
		if err == nil || !strings.Contains(err.Error(), "chimw.Config."+field) {
			t.Errorf("%s is not reported in %v", field, err)
		}
	}
	_, err = chimw.New(chimw.Config{InsecureCookie: true, Partitioned: true, SameSite: http.SameSiteNoneMode, Header: "a b"})
	for _, field := range []string{"Header", "Partitioned", "SameSite"} {
		t.Run("C2 C4 C5 "+field, func(t *testing.T) {
			if err == nil || !strings.Contains(err.Error(), "chimw.Config."+field) {
				t.Errorf("%s is not reported in %v", field, err)
			}
		})
	}
	for _, domain := range []string{"example.com:80", "-a.com", "a-.com", "a b", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 130) + "com"} {
		if _, err := chimw.New(chimw.Config{Domain: domain}); err == nil || !strings.Contains(err.Error(), "Domain") {
			t.Errorf("Domain %q is not reported in %v", domain, err)
		}
	}
}

func TestReservedHeaders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"authorization", "Set-Cookie", "Vary", "Host", "accept", "Accept-Language", "content-type", "Sec-Fetch-Site", "Origin", "If-Match"} {
		if _, err := chimw.New(chimw.Config{Header: name}); err == nil || !strings.Contains(err.Error(), "chimw.Config.Header") {
			t.Errorf("%s is not reported in %v", name, err)
		}
	}
}
