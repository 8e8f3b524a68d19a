package contracttest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

var hostileIDs = []string{
	"a/b", "/", "//evil.example.com", "a/../../agents", "..", ".", "../..", "%2e%2e", "%2f", "a%2fb", "..%2f..", "%00",
	"a\x00b", "a\nb", "a\r\nX-Evil: 1", "a?b=c", "a#b", "a b", " ", "\\", "..\\..", "{call_id}", "é\u2028", "\xff", "\u202e",
	"@evil.example.com", ":80", "voices", strings.Repeat("x", 1<<20), "",
}

// nowhere refuses all requests, which it counts by method and segments of the path.
type nowhere struct{ seen []string }

// errNowhere will not pass, so that nothing waits for it.
var errNowhere = &net.DNSError{Err: "there is no network here", IsNotFound: true}

func (n *nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	n.seen = append(n.seen, r.Method+" "+r.URL.Host+r.URL.EscapedPath())
	return nil, errNowhere
}

func newNowhere(t *testing.T) (*agentphone.Client, *nowhere) {
	t.Helper()
	n := &nowhere{}
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{Transport: n}), agentphone.WithMaxRetries(0))
	require.NoError(t, err)
	return c, n
}

// Whatever an id holds, it stays one segment of its operation's path, or nothing is sent.
func TestNoIDReachesAnotherOperation(t *testing.T) {
	for _, id := range hostileIDs {
		for _, call := range contractCalls {
			harmless, hostile := newNowhereCall(t, call, "id"), newNowhereCall(t, call, id)
			if hostile.panicked != nil {
				t.Fatalf("%s(%q): %v", call.name, id, hostile.panicked)
			}
			require.Error(t, hostile.err, "%s(%q)", call.name, id)
			if errors.Is(hostile.err, agentphone.ErrValidation) {
				assert.Empty(t, hostile.sent, "%s(%q)", call.name, id)
				continue
			}
			require.Len(t, hostile.sent, len(harmless.sent), "%s(%q)", call.name, id)
			for i, sent := range hostile.sent {
				want, got := strings.Split(harmless.sent[i], "/"), strings.Split(sent, "/")
				require.Len(t, got, len(want), "%s(%q) went to %s", call.name, id, sent)
				for j := range want {
					if want[j] != "id" {
						require.Equal(t, want[j], got[j], "%s(%q) went to %s", call.name, id, sent)
					}
				}
			}
			assert.Less(t, len(hostile.err.Error()), 500, "%s(%q)", call.name, id)
		}
	}
}

type nowhereCall struct {
	sent     []string
	err      error
	panicked any
}

func newNowhereCall(t *testing.T, call contractCall, id string) (out nowhereCall) {
	c, n := newNowhere(t)
	x := &contract{c: c, verification: "v", agent: id, number: id, call: id, conversation: id, group: id, message: id, contact: id, sub: id}
	defer func() { out.sent, out.panicked = n.seen, recover() }()
	_, out.err = call.call(t.Context(), x)
	return out
}

func TestEveryMethodRefusesAContextThatIsNilOrOver(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for _, call := range contractCalls {
		c, n := newNowhere(t)
		var none context.Context
		_, err := call.call(none, newContract(c, nil))
		require.ErrorIs(t, err, agentphone.ErrValidation, call.name)
		_, err = call.call(over, newContract(c, nil))
		require.ErrorIs(t, err, context.Canceled, call.name)
		assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown, call.name)
		assert.Empty(t, n.seen, call.name)
	}
}

// Every method of every service, called with nothing but zero values by reflection: of services that are nil or that
// nobody made, and of a client in order.
func TestZeroArgumentsAreErrorsAndNotPanics(t *testing.T) {
	c, n := newNowhere(t)
	made := reflect.ValueOf(c).Elem()
	for i := range made.NumField() {
		field := made.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		services := map[string]reflect.Value{
			"nil": reflect.Zero(field.Type), "zero": reflect.New(field.Type.Elem()), "made": made.Field(i),
		}
		for j := range field.Type.NumMethod() {
			method := field.Type.Method(j)
			for name, service := range services {
				name += " " + field.Name + "." + method.Name
				in := []reflect.Value{service}
				for k := 1; k < method.Type.NumIn()-1; k++ {
					in = append(in, reflect.Zero(method.Type.In(k)))
				}
				assert.NotPanics(t, func() {
					assert.Error(t, errorOf(method.Func.Call(in)), name)
				}, name)
			}
		}
	}
	assert.Empty(t, n.seen)
}

// errorOf is the error of a method's results, or that of the sequence that it returns.
func errorOf(results []reflect.Value) error {
	last := results[len(results)-1]
	if last.Kind() != reflect.Func {
		err, _ := last.Interface().(error)
		return err
	}
	var err error
	for _, e := range last.Seq2() {
		err, _ = e.Interface().(error)
	}
	return err
}

func TestHostileOptionsAreRefusedOrHarmless(t *testing.T) {
	_, err := agentphone.NewClient(apitest.Key, nil, agentphone.WithLogger(nil))
	require.NoError(t, err)
	for _, base := range []string{"https://[::1", "https://a b", "https://api.agentphone.to\n", "https://%zz", "file:///etc/passwd", "javascript:alert(1)", "//host", "https:host", strings.Repeat("x", 1<<20)} {
		_, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(base))
		require.ErrorIs(t, err, agentphone.ErrValidation, base)
		assert.Less(t, len(err.Error()), 200)
	}
	items, err := agentphone.Collect[int](nil, 0)
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, items)

	c, n := newNowhere(t)
	for _, id := range []string{"a\r\nX-Evil: 1", "", "\x00", "..", strings.Repeat("x", 1<<20)} {
		_, err := c.ForSubAccount(id).Usage.Get(t.Context())
		require.ErrorIs(t, err, agentphone.ErrValidation, "%q", id)
		_, err = c.Usage.Get(t.Context(), agentphone.WithRequestSubAccount(id))
		require.ErrorIs(t, err, agentphone.ErrValidation, "%q", id)
	}
	_, err = c.Calls.DownloadRecording(t.Context(), "call_1", nil)
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, n.seen)

	// Nothing about a query can be hostile: it is escaped.
	_, err = c.Usage.Get(t.Context(), agentphone.WithRequestQuery("a b&c=d#", "\x00\r\n&x=y"))
	require.ErrorIs(t, err, errNowhere)
	assert.Equal(t, []string{"GET api.agentphone.to/v1/usage"}, n.seen)
}

func TestZeroValuesOfTypesThatAreNotAsked(t *testing.T) {
	var store agentphone.MemoryDeliveryStore
	require.NoError(t, store.Done(t.Context(), ""))
	require.NoError(t, store.Release(t.Context(), ""))
	claim, err := store.Claim(t.Context(), "x")
	require.NoError(t, err)
	assert.Equal(t, agentphone.DeliveryGranted, claim)

	var verifier *agentphone.WebhookVerifier
	require.ErrorIs(t, verifier.Verify(nil, nil), agentphone.ErrWebhookNoSecret)
	require.ErrorIs(t, new(agentphone.WebhookVerifier).Verify(nil, nil), agentphone.ErrWebhookNoSecret)
	require.Error(t, agentphone.VerifyWebhook(nil, nil, "whsec_1"))
	_, err = agentphone.ParseEvent(nil)
	require.ErrorIs(t, err, agentphone.ErrWebhookMalformed)
	_, err = agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{})
	require.ErrorIs(t, err, agentphone.ErrWebhookNoSecret)

	assert.Empty(t, agentphone.E164("").Redacted())
	assert.True(t, agentphone.Timestamp{}.IsZero())
	assert.True(t, agentphone.Optional[int]{}.IsZero())
}
