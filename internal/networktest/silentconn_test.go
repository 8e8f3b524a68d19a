package networktest

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// silentProxy passes connections on to an address. Those that are open when it is silenced pass nothing from then on, and
// stay open, as if a NAT or a load balancer had forgotten them; later ones do.
type silentProxy struct {
	net.Listener
	to       string
	accepted atomic.Int32
	silenced atomic.Int32 // the connections up to this one pass nothing
}

func (p *silentProxy) serve() {
	for {
		conn, err := p.Accept()
		if err != nil {
			return
		}
		n := p.accepted.Add(1)
		to, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = conn.Close()
			return
		}
		pass := func(dst, src net.Conn) {
			defer func() { _ = dst.Close() }()
			buffer := make([]byte, 32<<10)
			for {
				read, err := src.Read(buffer)
				if err != nil {
					return
				}
				if n > p.silenced.Load() {
					if _, err := dst.Write(buffer[:read]); err != nil {
						return
					}
				}
			}
		}
		go pass(to, conn)
		go pass(conn, to)
	}
}

// inOwnProcess runs the test in a process of its own, whose connection pool it can configure, and reports whether this is that.
func inOwnProcess(t *testing.T) bool {
	const child = "AGENTPHONE_TEST_CHILD"
	if os.Getenv(child) != "" {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "--- PASS: "+t.Name())
	return false
}

// trust makes the pool, which has not been used, trust a certificate.
func trust(t *testing.T, config *tls.Config) {
	std, ok := http.DefaultTransport.(*http.Transport)
	require.True(t, ok)
	std.TLSClientConfig = config
}

// An HTTP/2 connection is shared by all requests. One that has gone silent would make the outcome of each unknown until the kernel
// gives it up, after a quarter of an hour. The pool is that of the process, and here one of its own that trusts the server.
func TestConnections_SilentHTTP2ConnectionIsGivenUp(t *testing.T) {
	t.Parallel()
	if !inOwnProcess(t) {
		return
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 2, r.ProtoMajor)
		_, _ = io.WriteString(w, okBody)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	p := &silentProxy{Listener: listener, to: srv.Listener.Addr().String()}
	go p.serve()
	trust(t, &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})

	c := newClient(t, "https://"+listener.Addr().String(), agentphone.WithTimeout(time.Second), agentphone.WithMaxRetries(0))
	require.NoError(t, apitest.CreateCall(t.Context(), c))
	p.silenced.Store(p.accepted.Load())
	began := time.Now()
	for {
		err := apitest.CreateCall(t.Context(), c)
		if err == nil {
			break
		}
		require.Less(t, time.Since(began), 30*time.Second, "%v", err)
	}
	assert.EqualValues(t, 2, p.accepted.Load(), "connections")
	t.Logf("given up after %v", time.Since(began))
}
