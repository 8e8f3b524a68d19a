package networktest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// quoter is a server that responds to each request with respond(the key, upper-cased half of the time).
func quoter(t *testing.T, respond func(key string) string) (address string) {
	t.Helper()
	s := newHTTP1Server(t, func(c net.Conn, r *request) bool {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if key == "" {
			key = apitest.Key // a proxy that has it from elsewhere
		}
		if r.n%2 == 0 {
			key = strings.ToUpper(key)
		}
		return writeAndClose(respond(key))(c, r)
	})
	return s.listener.Addr().String()
}

// assertShowable fails if an error, printed or encoded in whatever way, or a log holds the key, or is no short line.
func assertShowable(t *testing.T, err error, log string) {
	t.Helper()
	require.Error(t, err)
	assert.LessOrEqual(t, len(err.Error()), 1024)
	assert.False(t, strings.ContainsFunc(err.Error(), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }), "%q", err)
	printed := bytes.NewBufferString(log)
	for e := err; e != nil; e = errors.Unwrap(e) {
		fmt.Fprintf(printed, "%v %+v %s %q\n", e, e, e, e)
		slog.New(slog.NewJSONHandler(printed, nil)).Info("x", "err", e)
		slog.New(slog.NewTextHandler(printed, nil)).Info("x", "err", e)
		_ = json.NewEncoder(printed).Encode(e)
		if many, ok := e.(interface{ Unwrap() []error }); ok {
			for _, inner := range many.Unwrap() {
				fmt.Fprintf(printed, "%v %+v %s %q\n", inner, inner, inner, inner)
			}
		}
	}
	assert.NotContains(t, strings.ToLower(printed.String()), strings.ToLower(apitest.Key[:5]))
	assert.NotContains(t, printed.String(), "\x1b")
}

// A server, or whatever stands before it, may quote the key wherever it likes: no error and no log record holds it.
func TestErrors_NeverHoldTheKeyThatTheServerQuotes(t *testing.T) {
	long := strings.Repeat("x", 3000)
	for name, respond := range map[string]func(key string) string{
		"X-Request-Id": func(key string) string {
			return "HTTP/1.1 404 Not Found\r\nX-Request-Id: " + key + "\x1b[2J" + long + "\r\nContent-Length: 0\r\n\r\n"
		},
		"X-Request-Id 200": func(key string) string {
			return "HTTP/1.1 200 OK\r\nX-Request-Id: " + key + "\r\nContent-Length: 1\r\n\r\nx"
		},
		"X-Request-Id cut": func(key string) string {
			return "HTTP/1.1 200 OK\r\nX-Request-Id: " + key + "\r\nContent-Length: 9\r\n\r\nx"
		},
		"Content-Type": func(key string) string {
			return "HTTP/1.1 200 OK\r\nContent-Type: " + key + "/x\r\nContent-Length: 1\r\n\r\nx"
		},
		"long Content-Type": func(key string) string {
			return "HTTP/1.1 200 OK\r\nContent-Type: " + long + key + "/x\r\nContent-Length: 1\r\n\r\nx"
		},
		"cut Content-Type": func(key string) string {
			return "HTTP/1.1 200 OK\r\nContent-Type: x/" + long[:100-len(key)/2] + key + "\r\nContent-Length: 1\r\n\r\nx"
		},
		"Transfer-Encoding": func(key string) string {
			return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + key + long + "\r\n\r\n"
		},
		"Content-Length": func(key string) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + key + long + "\r\n\r\n" },
		"status":         func(key string) string { return "HTTP/1.1 " + key + "\r\n\r\n" },
		"protocol":       func(key string) string { return key + "\r\n\r\n" },
		"header line":    func(key string) string { return "HTTP/1.1 200 OK\r\n" + key + "\r\n\r\n" },
		"error object": func(key string) string {
			return withBody("422 U", `{"error":{"message":"`+key+`","code":"`+key+`","type":"`+key+`"}}`)
		},
		"invalid fields": func(key string) string {
			return withBody("422 U", `{"detail":[{"loc":["body","`+key+`"],"msg":"`+key+`","type":"`+key+`"}]}`)
		},
		"escaped":        func(key string) string { return withBody("400 B", `{"detail":"\u0073`+key[1:]+`\u001b[31m\u202e"}`) },
		"HTML":           func(key string) string { return withBody("502 B", "<pre>"+key+"</pre>") },
		"mistyped value": func(key string) string { return withBody("200 OK", `{"id":7,"name":{"`+key+`":1}}`) },
		"mistyped map": func(key string) string {
			return withBody("200 OK", `{"total":"`+key+`","byEventType":{"`+key+`":{"`+key+`":"`+key+`"}}}`)
		},
		"no JSON": func(key string) string { return withBody("200 OK", key) },
		"number":  func(key string) string { return withBody("200 OK", `{"count":"`+key+`","n":"1"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			address := quoter(t, respond)
			for method, call := range map[string]func(context.Context, *agentphone.Client) error{
				"create": apitest.CreateCall,
				"get":    apitest.GetAgent,
				"stats": func(ctx context.Context, c *agentphone.Client) error {
					return apitest.Err(c.Webhooks.DeliveryStats(ctx, agentphone.DeliveryStatsParams{}))
				},
				"do": func(ctx context.Context, c *agentphone.Client) error {
					var out struct {
						Count int `json:"count,string"`
						N     int `json:"n,string"`
					}
					return c.Do(ctx, "GET", "/v1/x", nil, &out)
				},
				"stream": func(ctx context.Context, c *agentphone.Client) error {
					ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
					defer cancel()
					for _, err := range c.Calls.StreamTranscript(ctx, "call_1") {
						if err != nil {
							return err
						}
					}
					return errors.New("no error")
				},
			} {
				var log bytes.Buffer
				c, err := agentphone.NewClient(apitest.Key, apitest.NoWait, agentphone.WithMaxRetries(1), agentphone.WithBaseURL("http://"+address),
					agentphone.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
				require.NoError(t, err)
				if err := call(t.Context(), c); err != nil {
					assertShowable(t, err, log.String())
				} else {
					assert.Contains(t, []string{"get", "do", "stats", "create"}, method)
					assert.NotContains(t, strings.ToLower(log.String()), strings.ToLower(apitest.Key))
				}
			}
		})
	}
}

func withBody(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// The names in a certificate and a proxy's reason phrase are the peer's choice too.
func TestErrors_AreOneShortLineWhateverThePeerSends(t *testing.T) {
	evil := "evil\n\x1b[31mlevel=ERROR msg=forged " + apitest.Key + strings.Repeat("x", 5000)
	t.Run("certificate", func(t *testing.T) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			Subject: pkix.Name{CommonName: evil, Organization: []string{evil}}, DNSNames: []string{evil},
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
		require.NoError(t, err)
		defer func() { _ = listener.Close() }()
		server := http.Server{Handler: http.NotFoundHandler(), ErrorLog: discardLog}
		go func() { _ = server.Serve(listener) }()
		certificate, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		roots := x509.NewCertPool()
		roots.AddCert(certificate)
		for name, config := range map[string]*tls.Config{"unknown": {}, "wrong host": {RootCAs: roots}} {
			t.Run(name, func(t *testing.T) {
				transport := &http.Transport{TLSClientConfig: config}
				defer transport.CloseIdleConnections()
				c := apitest.NewClientOver(t, transport, apitest.NoWait, agentphone.WithBaseURL("https://localhost"+strings.TrimPrefix(listener.Addr().String(), "127.0.0.1")))
				err := apitest.CreateCall(t.Context(), c)
				assertShowable(t, err, "")
			})
		}
	})
	t.Run("CONNECT", func(t *testing.T) {
		proxy := quoter(t, func(string) string { return "HTTP/1.1 403 " + strings.ReplaceAll(evil, "\n", " ") + "\r\n\r\n" })
		transport := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})}
		defer transport.CloseIdleConnections()
		c := apitest.NewClientOver(t, transport, apitest.NoWait, agentphone.WithMaxRetries(1))
		assertShowable(t, apitest.CreateCall(t.Context(), c), "")
	})
	t.Run("RoundTripper", func(t *testing.T) {
		c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New(evil) }), apitest.NoWait)
		assertShowable(t, apitest.GetAgent(t.Context(), c), "")
	})
}
