package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// actingServer accepts TLS connections, reads one request of each to its end as HTTP/1.1, counts it (the phone rings)
// and lets respond finish.
func actingServer(t *testing.T, alpn string, respond func(net.Conn)) (url string, roots *x509.CertPool, acted *atomic.Int32) {
	t.Helper()
	certificates := httptest.NewTLSServer(nil)
	defer certificates.Close()
	roots = x509.NewCertPool()
	roots.AddCert(certificates.Certificate())
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certificates.TLS.Certificates, NextProtos: []string{alpn}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	acted = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				if body, err := io.ReadAll(r.Body); err != nil || len(body) == 0 && r.Method != http.MethodGet && r.Method != http.MethodDelete {
					return
				}
				acted.Add(1)
				respond(conn)
			}()
		}
	}()
	return "https://" + listener.Addr().String(), roots, acted
}

// altProtocol stands for an HTTP/2 implementation other than net/http's, such as golang.org/x/net's: it fires no trace
// hooks.
type altProtocol struct{ conn *tls.Conn }

func (a altProtocol) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Write(a.conn); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(bufio.NewReader(a.conn), r)
	if err != nil {
		return nil, errors.New("stream error: stream ID 1; INTERNAL_ERROR; received from peer")
	}
	return res, nil
}

type passThrough struct{ http.RoundTripper }

// An *http.Transport can carry requests by a protocol that is not its own, of which the trace hooks tell nothing.
func TestRetryEvidence_AltProtocolIsDeliveredOnce(t *testing.T) {
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{
		"bare":    func(rt http.RoundTripper) http.RoundTripper { return rt },
		"wrapped": func(rt http.RoundTripper) http.RoundTripper { return passThrough{rt} },
	} {
		for what, call := range map[string]func(context.Context, *agentphone.Client) error{
			"call": apitest.CreateCall,
			"lookup": func(ctx context.Context, c *agentphone.Client) error { // has no body, and is billed
				return apitest.Err(c.Numbers.Lookup(ctx, agentphone.LookupNumbersParams{PhoneNumbers: []string{"+14155550123"}}))
			},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				url, roots, acted := actingServer(t, "h2", func(net.Conn) {})
				transport := &http.Transport{
					TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}},
					TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{
						"h2": func(_ string, conn *tls.Conn) http.RoundTripper { return altProtocol{conn} },
					},
				}
				defer transport.CloseIdleConnections()
				c := apitest.NewClientOver(t, wrap(transport), apitest.NoWait, agentphone.WithBaseURL(url))
				require.ErrorIs(t, call(t.Context(), c), agentphone.ErrOutcomeUnknown)
				assert.EqualValues(t, 1, acted.Load(), "times that the server acted")
			})
		}
	}
}

// The same where the user has changed net/http's own default transport, of which the package makes its pool.
func TestRetryEvidence_AltProtocolOfTheDefaultTransportIsDeliveredOnce(t *testing.T) {
	url, roots, acted := actingServer(t, "h2", func(net.Conn) {})
	old := http.DefaultTransport
	defer func() { http.DefaultTransport = old }()
	http.DefaultTransport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}},
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{
			"h2": func(_ string, conn *tls.Conn) http.RoundTripper { return altProtocol{conn} },
		},
	}
	c, err := agentphone.NewClient(apitest.Key, apitest.NoWait, agentphone.WithBaseURL(url))
	require.NoError(t, err)
	require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrOutcomeUnknown)
	assert.EqualValues(t, 1, acted.Load(), "times that the phone rang")
}

// A server that quotes net/http's words for "not processed" in a response is not believed.
func TestRetryEvidence_ServerQuotesNetHTTP(t *testing.T) {
	const goAway = "http2: Transport: cannot retry err [http2: Transport received Server's graceful shutdown GOAWAY] after Request.Body was written; define Request.GetBody to avoid this error"
	const refused = "http2: Transport: cannot retry err [stream error: stream ID 1; REFUSED_STREAM; received from peer] after Request.Body was written; define Request.GetBody to avoid this error"
	for _, quoted := range []string{goAway, refused, "http2: Transport: cannot retry err [graceful shutdown GOAWAY"} {
		for name, response := range map[string]string{
			"Transfer-Encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + quoted + "\r\n\r\n",
			"Content-Length":    "HTTP/1.1 200 OK\r\nContent-Length: " + quoted + "\r\n\r\n",
			"status line":       quoted + "\r\n\r\n",
			"status":            "HTTP/1.1 " + quoted + "\r\n\r\n",
			"header line":       "HTTP/1.1 200 OK\r\n" + strings.ReplaceAll(quoted, ":", "") + "\r\n\r\n",
			"chunk":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + quoted + "\r\n",
		} {
			t.Run(name, func(t *testing.T) {
				url, roots, acted := actingServer(t, "http/1.1", func(conn net.Conn) { _, _ = io.WriteString(conn, response) })
				transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
				defer transport.CloseIdleConnections()
				c := apitest.NewClientOver(t, transport, apitest.NoWait, agentphone.WithBaseURL(url))
				require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrOutcomeUnknown)
				assert.EqualValues(t, 1, acted.Load(), "times that the phone rang")
			})
		}
	}
}

// A RoundTripper that read the body may have sent it to somewhere, whatever it says then.
func TestRetryEvidence_BodyThatWasReadCountsAsSent(t *testing.T) {
	dialError := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
	for name, tc := range map[string]struct {
		read     func(io.Reader)
		attempts int
	}{
		"not read":  {func(io.Reader) {}, 4},
		"one byte":  {func(r io.Reader) { _, _ = r.Read(make([]byte, 1)) }, 1},
		"no byte":   {func(r io.Reader) { _, _ = r.Read(nil) }, 1},
		"to an end": {func(r io.Reader) { _, _ = io.Copy(io.Discard, r) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			attempts := 0
			c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				attempts++
				tc.read(r.Body)
				_ = r.Body.Close()
				return nil, dialError
			}), apitest.NoWait)
			err := apitest.CreateCall(t.Context(), c)
			assert.Equal(t, tc.attempts, attempts)
			assert.Equal(t, tc.attempts == 1, errors.Is(err, agentphone.ErrOutcomeUnknown))
		})
	}
}

// A GET that is not idempotent has no body that would tell: only our own pool's word counts.
func TestRetryEvidence_GETWithoutABodyIsDeliveredOnce(t *testing.T) {
	lookup := func(c *agentphone.Client) error {
		_, err := c.Numbers.Lookup(t.Context(), agentphone.LookupNumbersParams{PhoneNumbers: []string{"+14155550123"}})
		return err
	}
	attempts := 0
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		attempts++
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
	}), apitest.NoWait)
	require.ErrorIs(t, lookup(c), agentphone.ErrOutcomeUnknown)
	assert.Equal(t, 1, attempts)

	c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL("http://127.0.0.1:1"), apitest.NoWait)
	require.NoError(t, err)
	err = lookup(c)
	require.ErrorIs(t, err, agentphone.ErrTemporary)
	require.ErrorContains(t, err, "attempts=4")
}

// An idempotent write is retried whatever happened, but it certainly had no effect only on the proof that one needs that is
// not idempotent: a RoundTripper with two ways may have sent it by the first, and fail to dial the second.
func TestRetryEvidence_IdempotentWriteHadNoEffectOnlyWithProof(t *testing.T) {
	dialError := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
	withBody := map[string]func(context.Context, *agentphone.Client) error{
		"PATCH": func(ctx context.Context, c *agentphone.Client) error {
			return apitest.Err(c.Agents.Update(ctx, "agt_1", agentphone.UpdateAgentParams{Name: agentphone.Value("x")}))
		},
		"POST": func(ctx context.Context, c *agentphone.Client) error { return apitest.Err(c.Calls.End(ctx, "call_1")) },
		"PUT":  func(ctx context.Context, c *agentphone.Client) error { return c.Do(ctx, "PUT", "/v1/x", nil, nil) },
	}
	deletion := func(ctx context.Context, c *agentphone.Client) error {
		return apitest.Err(c.Numbers.Release(ctx, "num_1"))
	}
	over := func(read bool) (*agentphone.Client, *int) {
		attempts := new(int)
		return apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			*attempts++
			if read && r.Body != nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			return nil, dialError
		}), apitest.NoWait), attempts
	}
	temporary := func(t *testing.T, want bool, read bool, call func(context.Context, *agentphone.Client) error) {
		t.Helper()
		c, attempts := over(read)
		err := call(t.Context(), c)
		require.Error(t, err)
		assert.Equal(t, want, errors.Is(err, agentphone.ErrTemporary), "%v", err)
		assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		assert.Equal(t, 4, *attempts, "it is retried all the same")
	}
	for method, call := range withBody {
		t.Run(method, func(t *testing.T) {
			temporary(t, true, false, call)
			temporary(t, false, true, call)
		})
	}
	t.Run("DELETE", func(t *testing.T) { // which has no body that would tell
		temporary(t, false, false, deletion)
		c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL("http://127.0.0.1:1"), apitest.NoWait)
		require.NoError(t, err)
		require.ErrorIs(t, deletion(t.Context(), c), agentphone.ErrTemporary, "our own pool's word counts")
	})
	t.Run("GET", func(t *testing.T) { // which never has an effect
		temporary(t, true, false, apitest.GetAgent)
	})
}

// A deletion that was sent, by whatever way, and whose retry finds nothing, has succeeded.
func TestRetryEvidence_DeletionThatADialErrorHidesHasSucceeded(t *testing.T) {
	n := 0
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		if n++; n == 1 {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
		}
		return apitest.Response(404, `{"detail":"Number not found"}`), nil
	}), apitest.NoWait)
	released, err := c.Numbers.Release(t.Context(), "num_1")
	require.NoError(t, err)
	assert.True(t, released.Success)
	assert.Equal(t, 2, n)
}

// The same over an *http.Transport that speaks a protocol which is not net/http's.
func TestRetryEvidence_DeletionByAnAltProtocolMayHaveActed(t *testing.T) {
	url, roots, acted := actingServer(t, "h2", func(net.Conn) {})
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}},
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{
			"h2": func(_ string, conn *tls.Conn) http.RoundTripper { return altProtocol{conn} },
		},
	}
	defer transport.CloseIdleConnections()
	c := apitest.NewClientOver(t, transport, apitest.NoWait, agentphone.WithBaseURL(url), agentphone.WithMaxRetries(0))
	_, err := c.Numbers.Release(t.Context(), "num_1")
	require.Error(t, err)
	require.NotErrorIs(t, err, agentphone.ErrTemporary)
	assert.EqualValues(t, 1, acted.Load(), "times that the server acted")
}
