package networktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// certificate is a self-signed certificate and the pool that trusts it.
type certificate struct {
	chain []tls.Certificate
	roots *x509.CertPool
}

// serverCertificate is the certificate of all servers at 127.0.0.1.
var serverCertificate = sync.OnceValue(func() *certificate { return newCertificate("127.0.0.1") })

// newCertificate returns a certificate for example.com, *.example.com and the IP address.
func newCertificate(address string) *certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames:    []string{"example.com", "*.example.com"},
		IPAddresses: []net.IP{net.ParseIP(address)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &certificate{[]tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}, roots}
}

// config returns a server's configuration. Its key exchange is a cheap one, for there are many handshakes.
func (c *certificate) config(protocols ...string) *tls.Config {
	return &tls.Config{
		Certificates: c.chain, NextProtos: protocols,
		MinVersion: tls.VersionTLS12, CurvePreferences: []tls.CurveID{tls.X25519},
	}
}

// newHTTPClient returns a client that trusts roots, speaks HTTP/2 if the server does, and has a connection pool of its
// own.
func newHTTPClient(t testing.TB, roots *x509.CertPool) *http.Client {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func transportOf(c *http.Client) *http.Transport { return c.Transport.(*http.Transport) }
