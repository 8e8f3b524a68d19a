// Hostile and empty input: ids, contexts, options and zero values. Each ends in an error or does no harm; nothing
// panics, and no request goes where it should not.

package contracttest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/internal/methodcalls"
)

var hostileIDs = []string{
	"a/b", "/", "//evil.example.com", "a/../../agents", "..", ".", "../..", "%2e%2e", "%2f", "a%2fb", "..%2f..", "%00",
	"a\x00b", "a\nb", "a\r\nX-Evil: 1", "a?b=c", "a#b", "a b", " ", "\\", "..\\..", "{call_id}", "é\u2028", "\xff", "\u202e",
	"@evil.example.com", ":80", "voices", "lookup", "capabilities", "agt_1/numbers/num_1", strings.Repeat("x", 1<<20), "",
}

// offline is a RoundTripper that sends nothing. It records requests as method, host and path.
type offline struct{ seen []string }

// errOffline is not transient, so that no iterator waits for the network to come back.
var errOffline = &net.DNSError{Err: "there is no network here", IsNotFound: true}

func (n *offline) RoundTrip(r *http.Request) (*http.Response, error) {
	n.seen = append(n.seen, r.Method+" "+r.URL.Host+r.URL.EscapedPath())
	return nil, errOffline
}

func newOffline(t *testing.T) (*agentphone.Client, *offline) {
	t.Helper()
	n := &offline{}
	return apitest.NewClientOver(t, n, agentphone.WithMaxRetries(0)), n
}

// Whatever an id contains, it stays one segment of its operation's path, or nothing is sent.
func TestPathID_ReachesNoOtherOperation(t *testing.T) {
	for _, call := range methodcalls.All {
		t.Run(call.Name, func(t *testing.T) {
			harmless := callOffline(t, call, "id")
			for _, id := range hostileIDs {
				hostile := callOffline(t, call, id)
				if hostile.panicked != nil {
					t.Fatalf("%q: %v", id, hostile.panicked)
				}
				require.Error(t, hostile.err, "%q", id)
				if errors.Is(hostile.err, agentphone.ErrValidation) {
					assert.Empty(t, hostile.sent, "%q", id)
					continue
				}
				require.Len(t, hostile.sent, len(harmless.sent), "%q", id)
				for i, sent := range hostile.sent {
					decoded, err := url.PathUnescape(sent) // some servers do so before they look for the operation
					require.NoError(t, err)
					require.Equal(t, strings.Count(harmless.sent[i], "/"), strings.Count(decoded, "/"), "%q went to %s", id, sent)
					want, got := strings.Split(harmless.sent[i], "/"), strings.Split(sent, "/")
					require.Len(t, got, len(want), "%q went to %s", id, sent)
					for j := range want {
						if want[j] != "id" {
							require.Equal(t, want[j], got[j], "%q went to %s", id, sent)
						}
					}
				}
				assert.Less(t, len(hostile.err.Error()), 500, "%q", id)
			}
		})
	}
}

// offlineCall is what came of a call without a network.
type offlineCall struct {
	sent     []string
	err      error
	panicked any
}

// callOffline makes a call with id for each id that it takes.
func callOffline(t *testing.T, call methodcalls.Call, id string) (out offlineCall) {
	c, n := newOffline(t)
	defer func() { out.sent, out.panicked = n.seen, recover() }()
	_, out.err = call.Make(t.Context(), methodcalls.NewSessionWithID(c, id))
	return out
}

// Every method returns an error for a context that is nil or canceled, and sends nothing.
func TestContext_NilOrCanceledIsAnErrorOfEveryMethod(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, call := range methodcalls.All {
		t.Run(call.Name, func(t *testing.T) {
			c, n := newOffline(t)
			var none context.Context
			_, err := call.Make(none, methodcalls.NewSession(c, nil))
			require.ErrorIs(t, err, agentphone.ErrValidation)
			_, err = call.Make(canceled, methodcalls.NewSession(c, nil))
			require.ErrorIs(t, err, context.Canceled)
			assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Empty(t, n.seen)
		})
	}
}

// Every method returns an error if all its arguments are zero values: of a service that is nil, of the zero service,
// and of a client's own.
func TestZeroArguments_AreErrorsAndNotPanics(t *testing.T) {
	c, n := newOffline(t)
	client := reflect.ValueOf(c).Elem()
	for i := range client.NumField() {
		field := client.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		services := map[string]reflect.Value{
			"nil": reflect.Zero(field.Type), "zero": reflect.New(field.Type.Elem()), "client's": client.Field(i),
		}
		for j := range field.Type.NumMethod() {
			method := field.Type.Method(j)
			for name, service := range services {
				t.Run(field.Name+"."+method.Name+"/"+name, func(t *testing.T) {
					in := []reflect.Value{service}
					for k := 1; k < method.Type.NumIn()-1; k++ {
						in = append(in, reflect.Zero(method.Type.In(k)))
					}
					assert.NotPanics(t, func() {
						assert.Error(t, errorOf(method.Func.Call(in)))
					})
				})
			}
		}
	}
	assert.Empty(t, n.seen)
}

// Options with hostile values are refused, or do no harm.
func TestOptions_HostileValuesAreRefusedOrHarmless(t *testing.T) {
	t.Run("nil", func(t *testing.T) {
		_, err := agentphone.NewClient(apitest.Key, nil, agentphone.WithLogger(nil))
		require.NoError(t, err)
	})
	// A nil that an interface holds is not nil to Go, and would panic at the first request.
	for name, option := range map[string]agentphone.Option{
		"Transport, nil pointer": agentphone.WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)}),
		"Transport, nil func":    agentphone.WithHTTPClient(&http.Client{Transport: apitest.RoundTripFunc(nil)}),
		"Jar, nil pointer":       agentphone.WithHTTPClient(&http.Client{Jar: (*cookiejar.Jar)(nil)}),
		"RoundTripper, nil pointer": agentphone.WithRoundTripper(func(http.RoundTripper) http.RoundTripper {
			return (*http.Transport)(nil)
		}),
		"RoundTripper, nil func": agentphone.WithRoundTripper(func(http.RoundTripper) http.RoundTripper { return apitest.RoundTripFunc(nil) }),
		"Limiter, nil pointer":   agentphone.WithRateLimiter((*nilLimiter)(nil)),
		"Limiter, nil func":      agentphone.WithRateLimiter(limiterFunc(nil)),
		"Store, nil pointer":     agentphone.WithStore((*agentphone.MemoryStore)(nil)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := agentphone.NewClient(apitest.Key, option)
			require.ErrorIs(t, err, agentphone.ErrValidation)
		})
	}
	t.Run("Store of a webhook handler, nil pointer", func(t *testing.T) {
		_, err := agentphone.NewWebhookHandler([]string{"whsec_1"}, agentphone.WebhookHandlerConfig{Store: (*agentphone.MemoryStore)(nil)})
		require.ErrorIs(t, err, agentphone.ErrValidation)
	})
	t.Run("writer of a recording, nil pointer", func(t *testing.T) {
		c, n := newOffline(t)
		_, err := c.Calls.DownloadRecording(t.Context(), "call_1", (*bytes.Buffer)(nil))
		require.ErrorIs(t, err, agentphone.ErrValidation)
		assert.Empty(t, n.seen)
	})
	for _, base := range []string{
		"https://[::1", "https://a b", "https://api.agentphone.to\n", "https://%zz", "file:///etc/passwd",
		"javascript:alert(1)", "//host", "https:host", strings.Repeat("x", 1<<20),
	} {
		t.Run("base URL "+base[:min(len(base), 30)], func(t *testing.T) {
			_, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(base))
			require.ErrorIs(t, err, agentphone.ErrValidation)
			assert.Less(t, len(err.Error()), 200)
		})
	}
	for _, id := range []string{"a\r\nX-Evil: 1", "", "\x00", "..", strings.Repeat("x", 1<<20)} {
		t.Run("sub-account "+id[:min(len(id), 30)], func(t *testing.T) {
			c, n := newOffline(t)
			_, err := c.ForSubAccount(id).Usage.Get(t.Context())
			require.ErrorIs(t, err, agentphone.ErrValidation)
			_, err = c.Usage.Get(t.Context(), agentphone.WithRequestSubAccount(id))
			require.ErrorIs(t, err, agentphone.ErrValidation)
			assert.Empty(t, n.seen)
		})
	}
	t.Run("query", func(t *testing.T) { // it cannot be hostile: it is escaped
		c, n := newOffline(t)
		_, err := c.Usage.Get(t.Context(), agentphone.WithRequestQuery("a b&c=d#", "\x00\r\n&x=y"))
		require.ErrorIs(t, err, errOffline)
		assert.Equal(t, []string{"GET api.agentphone.to/v1/usage"}, n.seen)
	})
}

type nilLimiter struct{}

func (*nilLimiter) Wait(context.Context) error { return nil }

// Zero values and nil pointers end in errors or do no harm, also where no request is involved.
func TestZeroValues_AreErrorsOrHarmless(t *testing.T) {
	t.Run("Collect", func(t *testing.T) {
		items, err := agentphone.Collect[int](nil, 0)
		require.ErrorIs(t, err, agentphone.ErrValidation)
		assert.Empty(t, items)
	})
	t.Run("writer of a recording", func(t *testing.T) {
		c, n := newOffline(t)
		_, err := c.Calls.DownloadRecording(t.Context(), "call_1", nil)
		require.ErrorIs(t, err, agentphone.ErrValidation)
		assert.Empty(t, n.seen)
	})
	t.Run("MemoryStore", func(t *testing.T) {
		store, ctx := agentphone.NewMemoryStore(), t.Context()
		for _, c := range []*agentphone.Claim{nil, {}, {Key: "x"}, {Key: "x", Token: "x"}} {
			require.ErrorIs(t, store.Renew(ctx, c, 0, nil), agentphone.ErrClaimLost)
			require.ErrorIs(t, store.Complete(ctx, c, nil), agentphone.ErrClaimLost)
			require.ErrorIs(t, store.Release(ctx, c), agentphone.ErrClaimLost)
		}
		_, err := store.Claim(ctx, "x", agentphone.ClaimOptions{})
		require.ErrorIs(t, err, agentphone.ErrValidation)
		claim, err := store.Claim(ctx, "x", agentphone.ClaimOptions{Lease: 1, Retention: 1})
		require.NoError(t, err)
		assert.Equal(t, agentphone.ClaimGranted, claim.Status)
	})
	t.Run("webhook", func(t *testing.T) {
		var verifier *agentphone.WebhookVerifier
		require.ErrorIs(t, verifier.Verify(nil, nil), agentphone.ErrWebhookNoSecret)
		require.ErrorIs(t, new(agentphone.WebhookVerifier).Verify(nil, nil), agentphone.ErrWebhookNoSecret)
		require.Error(t, agentphone.VerifyWebhook(nil, nil, "whsec_1"))
		_, err := agentphone.ParseEvent(nil)
		require.ErrorIs(t, err, agentphone.ErrWebhookMalformed)
		_, err = agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{})
		require.ErrorIs(t, err, agentphone.ErrWebhookNoSecret)
	})
	t.Run("values", func(t *testing.T) {
		assert.Empty(t, agentphone.E164("").Redacted())
		assert.True(t, agentphone.Timestamp{}.IsZero())
		assert.True(t, agentphone.Optional[int]{}.IsZero())
	})
}
