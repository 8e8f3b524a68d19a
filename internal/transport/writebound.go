package transport

import (
	"context"
	"net"
	"time"
)

// maxWrite is how long a write to a connection of the pool may take. A request or an acknowledgment takes that long only if the
// server reads nothing.
const maxWrite = 10 * time.Second

// boundWrites makes the connections that dial opens give up when a write takes too long. A server that sends HTTP/2 pings or asks for
// new TLS keys, and does not read what it is sent, blocks a write that holds a lock which the end of a request needs: net/http and crypto/tls
// then wait for it, whatever the context says.
func boundWrites(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		timer := time.AfterFunc(maxWrite, func() { _ = conn.Close() })
		timer.Stop()
		return &boundConn{conn, timer}, nil
	}
}

type boundConn struct {
	net.Conn
	giveUp *time.Timer
}

// maxChunk is how much is written at a time, so that a large body may take as long as it takes.
const maxChunk = 16 << 10

// Write is called by one goroutine at a time, as net/http and crypto/tls do.
func (c *boundConn) Write(p []byte) (written int, err error) {
	for {
		chunk := p[written:min(len(p), written+maxChunk)]
		c.giveUp.Reset(maxWrite)
		n, err := c.Conn.Write(chunk)
		c.giveUp.Stop()
		if written += n; err != nil || written >= len(p) {
			return written, err
		}
	}
}
