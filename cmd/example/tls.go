package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
)

// loadTLS returns nil for a server that doesn't speak TLS itself.
//
// No response has a Strict-Transport-Security header. It would bind every port
// of its host, for as long as a browser remembers: on localhost all that is
// developed there, elsewhere services that we know nothing of. That is for who
// answers for the host to say, such as the proxy in front. The cookie doesn't
// need it: one called __Host- is neither sent nor accepted over plain http.
func loadTLS(certFile, keyFile string) (*tls.Config, error) {
	if certFile == "" && keyFile == "" {
		return nil, nil
	}
	cert, certErr := readFile("-tls-cert", certFile, "-tls-key")
	key, keyErr := readFile("-tls-key", keyFile, "-tls-cert")
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("-tls-cert, -tls-key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func readFile(setting, name, other string) ([]byte, error) {
	if name == "" {
		return nil, fmt.Errorf("%s: is needed with %s", setting, other)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return text, nil
}
