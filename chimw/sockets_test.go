package chimw_test

import (
	"context"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// start serves a handler over real sockets, by HTTP/1.1 or HTTP/2.
func start(t *testing.T, protocol string, handler http.Handler) (url string, client *http.Client) {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	srv.EnableHTTP2 = protocol == "HTTP/2"
	if srv.EnableHTTP2 {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	client = srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return srv.URL, client
}

// visitor is a browser, or, without a jar, an API client.
type visitor struct {
	t    *testing.T
	base string
	http http.Client
}

func (v *visitor) do(method, path string, headers ...string) reply {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	return reply{res.StatusCode, res.Header, body(v.t, res)}
}

func (v *visitor) want(wantStatus int, wantBody, method, path string, headers ...string) {
	v.t.Helper()
	if r := v.do(method, path, headers...); r.status != wantStatus || wantStatus == 200 && r.body != wantBody {
		v.t.Errorf("%s %s: %d %q, want %d %q", method, path, r.status, r.body, wantStatus, wantBody)
	}
}

// cookies returns what the browser would send, as a Cookie header's value.
func (v *visitor) cookies(scheme string) string {
	u, err := url.Parse(v.base)
	if err != nil {
		v.t.Fatal(err)
	}
	u.Scheme = scheme
	var pairs []string
	for _, c := range v.http.Jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// reply is a response whose body was read.
type reply struct {
	status int
	header http.Header
	body   string
}

// serving starts a server, over TLS or not, and returns how to make clients.
// They know it as example.com, since a browser makes exceptions for loopback.
func serving(t *testing.T, scheme string, handler http.Handler) (newClient func(jar bool) *visitor) {
	t.Helper()
	srv := httptest.NewUnstartedServer(handler)
	if scheme == "https" {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	transport := srv.Client().Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}
	return func(jar bool) *visitor {
		v := &visitor{t, scheme + "://example.com", http.Client{Transport: transport}}
		if jar {
			v.http.Jar, _ = cookiejar.New(nil) // never an error
		}
		return v
	}
}
