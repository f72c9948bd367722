package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate makes one for localhost, and returns its files.
func certificate(t *testing.T) (certFile, keyFile string, trusted *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trusted = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	trusted.AddCert(parsed)
	return certFile, keyFile, trusted
}

// trusting is the same client where it trusts these certificates.
func (c *client) trusting(roots *x509.CertPool) *client {
	c.http.Transport = &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}}
	return c
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	base := serve(t, nil, "-tls-cert", cert, "-tls-key", key)
	if !strings.HasPrefix(base, "https://") {
		t.Fatalf("it listens at %s", base)
	}
	t.Run("C1 the cookie is called __Host-", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, base).trusting(roots)
		a := c.get("/").want(t, http.StatusOK)
		if got := a.Header.Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-session=") || !strings.Contains(got, "; Secure;") {
			t.Errorf("Set-Cookie: %s", got)
		}
		if a.ProtoMajor != 2 {
			t.Errorf("it speaks %s", a.Proto)
		}
		if got := a.Header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("it binds every port of its host: %s", got)
		}
		if again := c.get("/").identifier(t); again != a.identifier(t) {
			t.Errorf("the second request sees %s", again)
		}
	})
	for version, spoken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			conn, err := tls.Dial("tcp", strings.TrimPrefix(base, "https://"), &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version})
			if err == nil {
				conn.Close()
			}
			if (err == nil) != spoken || err != nil && !strings.Contains(err.Error(), "protocol version") {
				t.Error(err)
			}
		})
	}
	t.Run("plain http gets no session", func(t *testing.T) {
		t.Parallel()
		plain := "http" + strings.TrimPrefix(base, "https")
		newClient(t, plain).get("/").want(t, http.StatusBadRequest).wantNoCookie(t)
	})
}

func TestBadCertificates(t *testing.T) {
	t.Parallel()
	cert, key, _ := certificate(t)
	_, otherKey, _ := certificate(t)
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for name, tt := range map[string]struct {
		args []string
		want []string // the beginnings of the lines
	}{
		"no key":         {[]string{"-tls-cert", cert}, []string{"-tls-key: is needed with -tls-cert"}},
		"no certificate": {[]string{"-tls-key", key}, []string{"-tls-cert: is needed with -tls-key"}},
		"no files": {
			[]string{"-tls-cert", missing, "-tls-key", missing},
			[]string{"-tls-cert: open " + missing, "-tls-key: open " + missing},
		},
		"beside another mistake": {[]string{"-tls-cert", missing, "-idle", "0s"}, []string{`-idle: "0s" is not more`, "-tls-cert: open", "-tls-key: is needed"}},
		"another's key":          {[]string{"-tls-cert", cert, "-tls-key", otherKey}, []string{"-tls-cert, -tls-key: tls: private key does not match"}},
		"the wrong way round":    {[]string{"-tls-cert", key, "-tls-key", cert}, []string{"-tls-cert, -tls-key: tls: failed to find certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, _, stderr := runOnce(t, nil, tt.args...)
			got := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if status != 2 || len(got) != len(tt.want) {
				t.Fatalf("exit status %d, want 2 and %d lines:\n%s", status, len(tt.want), stderr)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], "example: "+want) {
					t.Errorf("%q, want %q", got[i], want)
				}
			}
		})
	}
}
