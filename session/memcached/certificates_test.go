package memcached_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session/memcached/memcachedtest"
)

// An authority signs the certificates of one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	template := certificate("an authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	cert := authority{cert: template}.sign(t, template)
	return authority{cert: cert.Leaf, key: cert.PrivateKey.(*ecdsa.PrivateKey)}
}

// certificate returns what is to be signed. It is valid since 1970, for clocks
// in a synctest bubble show the year 2000.
func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

// sign makes a key and a certificate of it; an authority without a key is about
// to sign its own.
func (a authority) sign(t *testing.T, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if a.key == nil {
		a.key = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// node returns a certificate for a server on 127.0.0.1.
func (a authority) node(t *testing.T) tls.Certificate {
	t.Helper()
	template := certificate("a node")
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return a.sign(t, template)
}

func (a authority) client(t *testing.T) tls.Certificate {
	t.Helper()
	template := certificate("a client")
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(t, template)
}

// trusted returns a dialer that trusts nobody but the authority, and shows these
// certificates to who asks.
func (a authority) trusted(certificates ...tls.Certificate) *tls.Dialer {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Dialer{Config: &tls.Config{RootCAs: roots, Certificates: certificates, MinVersion: tls.VersionTLS12}}
}

// flags returns memcached's flags to speak TLS by a certificate of the authority.
func (a authority) flags(t *testing.T) []string {
	t.Helper()
	cert := a.node(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"-Z", "-o", "ssl_chain_cert=" + pemFile(t, "CERTIFICATE", cert.Certificate[0]),
		"-o", "ssl_key=" + pemFile(t, "PRIVATE KEY", key),
	}
}

// askingFlags are flags by which memcached wants a client's certificate as well.
func (a authority) askingFlags(t *testing.T) []string {
	t.Helper()
	return append(a.flags(t), "-o", "ssl_verify_mode=2", "-o", "ssl_ca_cert="+pemFile(t, "CERTIFICATE", a.cert.Raw))
}

// start starts a node that speaks TLS.
func (a authority) start(t *testing.T) *memcachedtest.Server {
	t.Helper()
	return memcachedtest.Config{DialContext: a.trusted().DialContext}.Start(t, a.flags(t)...)
}

// startAsking starts one that wants a client's certificate as well.
func (a authority) startAsking(t *testing.T) *memcachedtest.Server {
	t.Helper()
	return memcachedtest.Config{DialContext: a.trusted(a.client(t)).DialContext}.Start(t, a.askingFlags(t)...)
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	return file(t, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
