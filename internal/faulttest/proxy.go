package faulttest

import (
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Proxy passes connections on to a server, and cuts one before a response on demand.
type Proxy struct {
	Address string
	lose    atomic.Bool
	lost    atomic.Int32
}

// NewProxy returns a proxy of the server at an address.
func NewProxy(t *testing.T, to string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	p := &Proxy{Address: listener.Addr().String()}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { p.responses(in, out); _ = in.Close(); _ = out.Close() }()
		}
	}()
	return p
}

func (p *Proxy) responses(in, out net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := out.Read(buffer)
		if n > 0 && p.lose.CompareAndSwap(true, false) {
			p.lost.Add(1)
			return
		}
		if _, writeErr := in.Write(buffer[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

// LoseNextResponse cuts the connection on which the server responds next, before the response has passed.
func (p *Proxy) LoseNextResponse() { p.lose.Store(true) }

// Lost returns how many responses were lost.
func (p *Proxy) Lost() int { return int(p.lost.Load()) }
