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

// refusedDials is a server that cannot be reached now and then: up tells of each dial, in
// turn, whether there is a connection.
type refusedDials struct {
	*http1Server
	up []bool
}

func (s refusedDials) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	var n atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if i := int(n.Add(1)); i <= len(s.up) && !s.up[i-1] {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(t, s.url, append([]agentphone.Option{agentphone.WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
}

// failedDials is a server whose clients' first connections fail: by dial, unless the
// server itself sees to it.
type failedDials struct {
	*http1Server
	bad  int
	dial func(context.Context) error
	tls  time.Duration // time-out of the handshake
}

func (s failedDials) client(t testing.TB, opts ...agentphone.Option) *agentphone.Client {
	var dials atomic.Int32
	transport := &http.Transport{
		TLSHandshakeTimeout: s.tls,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if n := int(dials.Add(1)); n <= s.bad && s.dial != nil {
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

// newHandshakeCuttingServer is an HTTPS server that does away with its first connections once it has
// read something from them.
func newHandshakeCuttingServer(t testing.TB, bad int, away func(net.Conn)) *http1Server {
	t.Helper()
	return serveHTTP1(t, &handshakeCutter{Listener: listen(t), bad: int32(bad), away: away}, serverCertificate(), respondOK)
}

type handshakeCutter struct {
	net.Listener
	bad  int32
	away func(net.Conn)
}

func (l *handshakeCutter) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.bad <= 0 {
			return c, err
		}
		l.bad--
		if _, err := c.Read(make([]byte, 64)); err == nil {
			l.away(c)
		}
	}
}
