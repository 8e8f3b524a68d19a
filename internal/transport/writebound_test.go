package transport

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBoundWrites_GiveUpOnlyWithoutProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer func() { _ = server.Close() }()
		dial := boundWrites(func(context.Context, string, string) (net.Conn, error) { return client, nil })
		conn, err := dial(t.Context(), "tcp", "example.com:443")
		require.NoError(t, err)
		const pause, chunks = maxWrite - time.Second, 10
		go func() {
			for range chunks {
				time.Sleep(pause)
				_, _ = io.ReadFull(server, make([]byte, maxChunk))
			}
		}()
		began := time.Now()
		n, err := conn.Write(make([]byte, chunks*maxChunk))
		require.NoError(t, err)
		assert.Equal(t, chunks*maxChunk, n)
		assert.Equal(t, chunks*pause, time.Since(began), "a slow body takes as long as it takes")

		time.Sleep(time.Hour) // an idle connection is none that is written to
		began = time.Now()
		_, err = conn.Write([]byte("x"))
		require.Error(t, err)
		assert.Equal(t, maxWrite, time.Since(began))
	})
}
