package networktest

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// dnsServer is a DNS server that responds to every query that the name does not exist.
type dnsServer struct {
	net.PacketConn
	queries atomic.Int32
}

func newDNSServer(t testing.TB) *dnsServer {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &dnsServer{PacketConn: c}
	t.Cleanup(func() { _ = c.Close() })
	go s.serve()
	return s
}

func (s *dnsServer) serve() {
	for b := make([]byte, 1500); ; {
		n, from, err := s.ReadFrom(b)
		if err != nil {
			return
		}
		s.queries.Add(1)
		// RFC 1035, section 4.1.1: the query becomes a response (QR) with RCODE 3 and without additional records.
		b[2], b[3], b[11] = b[2]|0x80, 0x80|3, 0
		end := 12
		for end < n && b[end] != 0 {
			end += int(b[end]) + 1
		}
		_, _ = s.WriteTo(b[:end+5], from)
	}
}

func (s *dnsServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", s.LocalAddr().String())
	}}
}
