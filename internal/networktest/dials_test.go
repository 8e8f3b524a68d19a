package networktest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
)

// hangingDials returns a transport each of whose dials calls dialing, and then hangs until its context ends.
func hangingDials(dialing func()) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialing()
		<-ctx.Done()
		return nil, ctx.Err()
	}}
}

// refusedDials is a server to which some dials of its client are refused: connects says, for each dial in order, whether
// it makes a connection. All later dials do.
type refusedDials struct {
	*http1Server
	connects []bool
}

func (s refusedDials) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	var n atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if i := int(n.Add(1)); i <= len(s.connects) && !s.connects[i-1] {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(t, s.url, append([]agentphone.Option{agentphone.WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
}

// failedDials is a server to which its client's first connections fail: with the error of dial or, if that is nil,
// because the server makes them fail.
type failedDials struct {
	*http1Server
	failures   int
	dial       func(context.Context) error
	tlsTimeout time.Duration // of the handshake
}

func (s failedDials) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	var dials atomic.Int32
	transport := &http.Transport{
		TLSHandshakeTimeout: s.tlsTimeout,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if n := int(dials.Add(1)); n <= s.failures && s.dial != nil {
				return nil, s.dial(ctx)
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}
	if s.roots != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	}
	t.Cleanup(transport.CloseIdleConnections)
	hc := &http.Client{Transport: transport}
	return newClient(t, s.url, append([]agentphone.Option{agentphone.WithHTTPClient(hc)}, opts...)...)
}

// newFailingHandshakeServer returns an HTTPS server that calls fail for each of its first connections once it has read a
// part of the client's handshake.
func newFailingHandshakeServer(t testing.TB, failures int, fail func(net.Conn)) *http1Server {
	t.Helper()
	return serveHTTP1(t, &failingHandshakes{Listener: listen(t), failures: failures, fail: fail}, serverCertificate(), respondOK)
}

type failingHandshakes struct {
	net.Listener
	failures int
	fail     func(net.Conn)
}

func (l *failingHandshakes) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.failures <= 0 {
			return c, err
		}
		l.failures--
		if _, err := c.Read(make([]byte, 64)); err == nil {
			l.fail(c)
		}
	}
}
