package agentphonetest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// newServer returns a server that is closed when the test ends.
func newServer(t *testing.T, opts ...agentphonetest.Option) *agentphonetest.Server {
	t.Helper()
	srv := agentphonetest.NewServer(opts...)
	t.Cleanup(srv.Close)
	return srv
}

// clientFor returns a client for another account of the server.
func clientFor(t *testing.T, srv *agentphonetest.Server, key string) *agentphone.Client {
	t.Helper()
	c, err := agentphone.NewClient(key, agentphone.WithHTTPClient(&http.Client{Transport: srv.Transport()}), agentphone.WithMaxRetries(0))
	require.NoError(t, err)
	return c
}

// send sends a request without the SDK, which refuses to send an invalid one. header is pairs of names and values.
func send(t testing.TB, srv *agentphonetest.Server, method, path, body string, header ...string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, agentphone.DefaultBaseURL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+srv.APIKey())
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Del(header[i])
		if header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	var out map[string]any
	if len(data) > 0 {
		require.NoError(t, json.Unmarshal(data, &out), "%s", data)
	}
	return resp.StatusCode, out
}

// problems lists the fields and kinds of a 422: "body.toNumber missing".
func problems(t *testing.T, body map[string]any) []string {
	t.Helper()
	detail, ok := body["detail"].([]any)
	require.True(t, ok, "%v", body)
	var out []string
	for _, item := range detail {
		p := item.(map[string]any)
		require.NotEmpty(t, p["msg"])
		var loc []string
		for _, part := range p["loc"].([]any) {
			loc = append(loc, fmt.Sprint(part))
		}
		out = append(out, strings.Join(loc, ".")+" "+p["type"].(string))
	}
	return out
}

// placeCall places a call from the starter agent. With its system prompt it follows a script.
func placeCall(t *testing.T, srv *agentphonetest.Server, to string) *agentphone.Call {
	t.Helper()
	call, err := srv.Client().Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: to, SystemPrompt: "Say hello."})
	require.NoError(t, err)
	return call
}

// sendText sends a text from the starter agent.
func sendText(t *testing.T, srv *agentphonetest.Server, to, body string) *agentphone.SentMessage {
	t.Helper()
	sent, err := srv.Client().Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: to, Body: body})
	require.NoError(t, err)
	return sent
}

// person is the phone number of a person.
const person = "+14155559999"

// request calls an operation on the wire level, without the types of the SDK, and requires success.
func request(t *testing.T, client *agentphone.Client, method, path string, in any) map[string]any {
	t.Helper()
	out := map[string]any{}
	if method == "GET" || method == "DELETE" {
		in = nil
	}
	var response agentphone.Response
	err := client.Do(t.Context(), method, path, in, nil, agentphone.WithResponse(&response))
	require.NoError(t, err)
	if len(response.Body) > 0 {
		require.NoError(t, json.Unmarshal(response.Body, &out), "%s", response.Body)
	}
	return out
}

// refused calls an operation, requires an error and returns it.
func refused(t *testing.T, client *agentphone.Client, method, path string, in any) error {
	t.Helper()
	err := client.Do(t.Context(), method, path, in, nil, agentphone.WithRequestMaxRetries(0))
	require.Error(t, err)
	return err
}

// fields is a JSON object.
type fields = map[string]any

// items returns the list in a page.
func items(t *testing.T, page map[string]any, name string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, item := range page[name].([]any) {
		out = append(out, item.(map[string]any))
	}
	return out
}

// onTurn answers a voice turn.
type onTurn = func(context.Context, *agentphone.Event, *agentphone.VoiceTurnData, *agentphone.VoiceResponse) error

// ends takes the data of agent.call_ended events.
type ends chan *agentphone.CallEndedData

// handler returns a webhook handler for voice turns and calls that ended.
func handler(t *testing.T, secret string, turn onTurn) (http.Handler, ends) {
	t.Helper()
	over := make(ends, 10)
	h, err := agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: turn,
		OnCallEnded: func(_ context.Context, _ *agentphone.Event, data *agentphone.CallEndedData) error {
			over <- data
			return nil
		},
	})
	require.NoError(t, err)
	return h, over
}

// answering has an agent answer voice turns, and returns the calls that ended.
func answering(t *testing.T, srv *agentphonetest.Server, turn onTurn) ends {
	t.Helper()
	h, over := handler(t, setWebhook(t, srv, agentphone.SetWebhookParams{TimeoutSeconds: 5}).Secret, turn)
	srv.SetReceiver(h)
	return over
}

// bookTable answers a voice turn with two lines, the second after a second. To "Goodbye." it hangs up.
func bookTable(_ context.Context, _ *agentphone.Event, data *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
	if data.Transcript == "Goodbye." {
		_ = v.Hangup()
		return v.Say("Bye.")
	}
	if err := v.Interim("One moment."); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return v.Say("At seven.")
}

// sayHm begins to answer a voice turn, and says nothing more.
func sayHm(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
	_ = v.Interim("Hm.")
	<-ctx.Done()
	return ctx.Err()
}

// receiver keeps the events that it receives, after it verified them. It responds with 503 to the next fail events.
type receiver struct {
	t      *testing.T
	secret string
	mu     sync.Mutex
	fail   int
	ids    []string
	signed []string
	at     []time.Time
	events []*agentphone.Event
	bodies [][]byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	assert.NoError(r.t, err)
	assert.NoError(r.t, agentphone.VerifyWebhook(body, req.Header, r.secret))
	event, err := agentphone.ParseEvent(body)
	assert.NoError(r.t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, req.Header.Get(agentphone.WebhookIDHeader))
	r.signed = append(r.signed, req.Header.Get(agentphone.WebhookTimestampHeader))
	r.at = append(r.at, time.Now())
	r.events, r.bodies = append(r.events, event), append(r.bodies, body)
	if r.fail > 0 {
		r.fail--
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "later")
	}
}

// data returns the data of the last event that a receiver got, as it was sent.
func (r *receiver) data() fields {
	r.t.Helper()
	var payload struct{ Data fields }
	require.NoError(r.t, json.Unmarshal(r.bodies[len(r.bodies)-1], &payload))
	return payload.Data
}

// setWebhook sets the webhook of the starter account. Its URL leads nowhere.
func setWebhook(t *testing.T, srv *agentphonetest.Server, params agentphone.SetWebhookParams) *agentphone.Webhook {
	t.Helper()
	params.URL = "https://receiver.example.com/hook?a=1"
	set, err := srv.Client().Webhooks.Set(t.Context(), params)
	require.NoError(t, err)
	return set
}

// receive delivers the events of the starter account to a receiver.
func receive(t *testing.T, srv *agentphonetest.Server) *receiver {
	t.Helper()
	r := &receiver{t: t, secret: setWebhook(t, srv, agentphone.SetWebhookParams{}).Secret}
	srv.SetReceiver(r)
	return r
}
