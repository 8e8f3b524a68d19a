package otelagentphone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/internal/methodcalls"
)

// exported returns each text of all that was exported: names and values.
func (x *telemetry) exported() string {
	var collected metricdata.ResourceMetrics
	require.NoError(x.t, x.reader.Collect(context.Background(), &collected))
	var out strings.Builder
	for _, v := range []any{tracetest.SpanStubsFromReadOnlySpans(x.spans.Ended()), collected} {
		data, err := json.Marshal(v)
		require.NoError(x.t, err)
		eachText(data, func(text string) { out.WriteString(text + "\n") })
	}
	return out.String()
}

// eachText visits the strings in JSON that are not the names of fields.
func eachText(data []byte, visit func(string)) {
	var v any
	if json.Unmarshal(data, &v) != nil { // a stream, a recording
		return
	}
	apitest.EachText(v, visit)
}

// carrier passes requests on, and notes each text in a request or a response. The first attempt of each request is refused, with
// a body that names a phone.
type carrier struct {
	t       *testing.T
	next    http.RoundTripper
	private map[string]bool
	n       int
}

func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	c.private[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] = true
	for _, values := range r.URL.Query() {
		for _, value := range values {
			c.private[value] = true
		}
	}
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		require.NoError(c.t, err)
		r.Body = io.NopCloser(bytes.NewReader(data))
		c.note(data)
	}
	if c.n++; c.n%2 == 1 {
		return apitest.Response(http.StatusTooManyRequests, `{"detail":"too many for +14155550199 who wrote: marked"}`), nil
	}
	res, err := c.next.RoundTrip(r)
	require.NoError(c.t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	res.Body = io.NopCloser(bytes.NewReader(data))
	c.note(data)
	return res, nil
}

func (c *carrier) note(body []byte) { eachText(body, func(text string) { c.private[text] = true }) }

// Every operation is made, each in two attempts. Their spans have the names of the published API and nothing of what was in the
// requests and the responses.
func TestHooks_ExportEveryOperationAndNothingPrivate(t *testing.T) {
	x := newTelemetry(t)
	private := map[string]bool{}
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		srv.SetLocation(methodcalls.SomePhone, 1, 2)
		var deliveries atomic.Int32
		srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if deliveries.Add(1)%2 == 1 { // so that there are failed deliveries to list
				http.Error(w, "not now", http.StatusServiceUnavailable)
			}
		}))
		c, err := agentphone.NewClient(srv.APIKey(), agentphone.WithHooks(x.hooks),
			agentphone.WithHTTPClient(&http.Client{Transport: &carrier{t: t, next: srv.Transport(), private: private}}))
		require.NoError(t, err)
		session := methodcalls.NewSession(c, srv)
		for _, call := range methodcalls.All {
			_, err := call.Make(t.Context(), session)
			require.NoError(t, err, call.Name)
		}
	})

	data, err := os.ReadFile("../testdata/operations.json")
	require.NoError(t, err)
	var operations []struct{ Method, Path string }
	require.NoError(t, json.Unmarshal(data, &operations))
	require.Len(t, operations, 72)
	attempts := map[string]int{} // by operation
	for _, s := range x.spans.Ended() {
		if attributes(s.Attributes())["agentphone.operation"] != "" {
			assert.Equal(t, "ok", attributes(s.Attributes())["agentphone.outcome"], s.Name())
			attempts[s.Name()] = len(x.children(s))
		}
	}
	assert.Len(t, attempts, len(operations))
	for _, op := range operations {
		assert.Equal(t, 2, attempts[op.Method+" "+op.Path], "%s %s", op.Method, op.Path)
	}

	exported := x.exported()
	require.Contains(t, exported, "/v1/messages/{message_id}/reactions")
	private["+14155550199"], private["marked"] = true, true
	require.Greater(t, len(private), 200)
	searched := 0
	for text := range private {
		switch {
		case text == "agentphone": // it is in the name of the scope
		case strings.HasPrefix(text, "2000-01-01"): // the time in the bubble, which spans have
		case len(text) > 8, strings.HasPrefix(text, "+"), text == "marked":
			searched++
			assert.False(t, strings.Contains(exported, text), "exported: %q", text)
		}
	}
	assert.Greater(t, searched, 100)
}

// Nor of what is delivered, nor of what a callback says of it.
func TestHooks_ExportNothingPrivateOfDeliveries(t *testing.T) {
	x := newTelemetry(t)
	event := func(channel string) string {
		return `{"event":"agent.message","channel":"` + channel + `","agentId":"agt_marked","data":{"conversationId":"conv_marked","callId":"call_marked",` +
			`"numberId":"num_marked","from":"+14155550123","to":"+14155550124","message":"the marked text","transcript":"the marked text",` +
			`"mediaUrl":"https://marked.example.com"},"conversationState":{"marked":"marked"},"recentHistory":[{"content":"the marked text"}]}`
	}
	fails := func(what any) error {
		if err, ok := what.(error); ok {
			return err
		}
		panic(what)
	}
	for _, what := range []any{errors.New("marked error for +14155550123"), "marked panic for +14155550123"} {
		h := newHandler(t, agentphone.WebhookHandlerConfig{
			Hooks:     x.hooks,
			OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return fails(what) },
			OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
				if err := v.Interim("the marked answer"); err != nil {
					return err
				}
				return fails(what)
			},
		})
		for _, channel := range []string{"sms", "voice"} {
			apitest.Serve(h, apitest.SignedRequest(event(channel), "whd_1"))
			forged := httptest.NewRequest(http.MethodPost, "/marked?marked=+14155550123", strings.NewReader(event(channel)))
			forged.Header.Set(agentphone.WebhookIDHeader, "whd_marked")
			apitest.Serve(h, forged)
		}
	}
	require.Len(t, x.spans.Ended(), 8)
	exported := x.exported()
	require.Contains(t, exported, "panicked")
	require.Contains(t, exported, "agentphone.voice.first_words")
	for _, text := range []string{"marked", "4155550123", "4155550124", apitest.Secret} {
		assert.NotContains(t, exported, text)
	}
}
