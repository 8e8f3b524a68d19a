package agentphone_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// A response that cannot be read is never a zero value without an error.
func TestDecodeError_IsNeverAZeroResult(t *testing.T) {
	for name, body := range map[string]string{
		"empty": ``, "white space": " \n", "null": `null`, "html": `<html>`, "array": `[]`, "text": `"ok"`, "cut": `{"id":"call_1"`,
		"wrong type": `{"id":7}`, "trailing": `{"id":"call_1"} x`, "bad time": `{"startedAt":"yesterday at secret-place"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(200, body, "X-Request-Id", "req_1"), apitest.NoWait)
			for _, call := range []func(context.Context, *agentphone.Client) error{
				apitest.CreateCall,
				func(ctx context.Context, c *agentphone.Client) error {
					_, err := c.Calls.Get(ctx, "call_1")
					return err
				},
			} {
				err := call(t.Context(), c)
				var decodeErr *agentphone.DecodeError
				require.ErrorAs(t, err, &decodeErr)
				assert.Equal(t, 200, decodeErr.StatusCode)
				assert.Equal(t, "req_1", decodeErr.RequestID)
				assert.Equal(t, body, string(decodeErr.Body))
				assert.NotContains(t, err.Error(), "secret-place")
				assert.Equal(t, strings.HasPrefix(decodeErr.Operation, "POST"), errors.Is(err, agentphone.ErrOutcomeUnknown))
			}
			assert.Len(t, s.Requests(), 2, "a response that is whole is not requested again")
		})
	}
}

type cutBody struct{ io.Reader }

func (cutBody) Close() error { return nil }

func TestRetry_ResponseCutShortIsRetriedIfIdempotent(t *testing.T) {
	cutThenWhole := func(n int, _ apitest.Request) (*http.Response, error) {
		r := apitest.Response(200, `{"id":"x_1"}`)
		if n == 1 {
			r.Body = cutBody{io.MultiReader(strings.NewReader(`{"id`), errReader{})}
		}
		return r, nil
	}
	c, s := apitest.NewClient(t, cutThenWhole, apitest.NoWait)
	require.NoError(t, apitest.GetAgent(t.Context(), c))
	assert.Len(t, s.Requests(), 2)

	c, s = apitest.NewClient(t, cutThenWhole, apitest.NoWait)
	err := apitest.CreateCall(t.Context(), c)
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	var decodeErr *agentphone.DecodeError
	require.ErrorAs(t, err, &decodeErr)
	assert.Equal(t, 200, decodeErr.StatusCode)
	assert.Len(t, s.Requests(), 1)

	// A refusal is a refusal, whole or not.
	c, _ = apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
		r := apitest.Response(422, "")
		r.Body = cutBody{io.MultiReader(strings.NewReader(`{"detail`), errReader{})}
		return r, nil
	})
	err = apitest.CreateCall(t.Context(), c)
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
}

func TestResponse_SwitchingProtocolsDoesNotHang(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		}
	}))
	defer srv.Close()
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(srv.URL), apitest.NoWait)
	require.NoError(t, err)
	require.ErrorIs(t, apitest.CreateCall(t.Context(), c), agentphone.ErrOutcomeUnknown)
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestDecodeError_ResponseOver16MiB(t *testing.T) {
	endless := func(int, apitest.Request) (*http.Response, error) {
		r := apitest.Response(200, "")
		r.Body = cutBody{zeros{}}
		return r, nil
	}
	c, s := apitest.NewClient(t, endless)
	err := apitest.GetAgent(t.Context(), c)
	var decodeErr *agentphone.DecodeError
	require.ErrorAs(t, err, &decodeErr)
	assert.EqualError(t, err, "agentphone: GET /v1/agents/{agent_id}: decode 200 response: reading the response: the response is larger than 16 MiB (attempts=1)")
	assert.Len(t, s.Requests(), 1)

	c, _ = apitest.NewClient(t, func(n int, r apitest.Request) (*http.Response, error) {
		response, err := endless(n, r)
		response.StatusCode = 404
		return response, err
	})
	var apiErr *agentphone.APIError
	require.ErrorAs(t, apitest.GetAgent(t.Context(), c), &apiErr)
	assert.Len(t, apiErr.Body, 64<<10)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDecodeError_ErrorObjectBehind200(t *testing.T) {
	for _, body := range []string{`{"detail":"down for maintenance"}`, `{"error":{"message":"no","code":"CARRIER_ERROR"}}`} {
		c, _ := apitest.NewClient(t, apitest.Always(200, body))
		err := apitest.CreateCall(t.Context(), c)
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown, body)
		var unread *agentphone.DecodeError
		require.ErrorAs(t, apitest.GetAgent(t.Context(), c), &unread, body)
		assert.NotContains(t, err.Error(), "maintenance")
	}
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"success":false,"error":"timed out"}`))
	test, err := c.Webhooks.Test(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "timed out", test.Error)

	c, _ = apitest.NewClient(t, apitest.Always(200, `{"detail":""}`))
	var own struct{ Detail string }
	require.NoError(t, c.Do(t.Context(), "GET", "/v1/things", nil, &own), "what is asked for is no error")
}

// What is decoded is bounded by what it would take in memory, not by its bytes: a few KiB of gzip can hold 16 MiB of brackets.
func TestDecodeError_ResponseThatWouldTakeTooMuchMemory(t *testing.T) {
	const size = 15 << 20
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	many := func(value string) string { return strings.Repeat(value+",", size/(len(value)+1)) + value }
	for name, body := range map[string]string{
		"deep arrays":              `{"metadata":{"x":[` + many(deep) + `]}}`,
		"one nest of objects":      strings.Repeat(`{"metadata":`, 9_000) + "{}" + strings.Repeat("}", 9_000) + strings.Repeat(" ", 20_000),
		"one nest, many brackets":  `{"metadata":{"x":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `,"y":[` + many("[]") + `]}}`,
		"empty arrays":             `{"metadata":{"x":[` + many("[]") + `]}}`,
		"empty arrays, no comma":   `{"metadata":{"x":` + strings.Repeat("[", size/2) + strings.Repeat("]", size/2) + `}}`,
		"numbers":                  `{"metadata":{"x":[` + many("1") + `]}}`,
		"long timestamp":           `{"id":"call_1","startedAt":"` + strings.Repeat("2", size) + `"}`,
		"long escaped timestamp":   `{"id":"call_1","startedAt":"` + strings.Repeat(`\u0032`, size/6) + `"}`,
		"long number as timestamp": `{"id":"call_1","startedAt":` + strings.Repeat("2", size) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			for which, call := range map[string]func(context.Context, *agentphone.Client) error{
				"Get": func(ctx context.Context, c *agentphone.Client) error { return apitest.Err(c.Calls.Get(ctx, "call_1")) },
				"Do": func(ctx context.Context, c *agentphone.Client) error {
					var out any
					return c.Do(ctx, "GET", "/v1/x", nil, &out)
				},
			} {
				if which == "Do" && strings.Contains(name, "timestamp") {
					continue
				}
				c, _ := apitest.NewClient(t, apitest.Always(200, body), apitest.NoWait)
				runtime.ReadMemStats(&before)
				err := call(t.Context(), c)
				runtime.ReadMemStats(&after)
				if which == "Do" || strings.Contains(name, "timestamp") { // a Call has no metadata
					var unreadable *agentphone.DecodeError
					require.ErrorAs(t, err, &unreadable)
				}
				// To read it takes twice the body.
				assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*size), "bytes allocated by %s", which)
			}
		})
	}
}

// slow takes a second to decode.
type slow struct{}

func (*slow) UnmarshalJSON([]byte) error {
	time.Sleep(time.Second)
	return nil
}

// Decoding counts towards the timeout and the context, whatever the size of the body.
func TestDecodeError_ResponseThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := apitest.NewClient(t, apitest.Always(200, `{}`), agentphone.WithTimeout(900*time.Millisecond))
		var out slow
		err := c.Do(t.Context(), "GET", "/v1/x", nil, &out)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer cancel()
		err = c.Do(ctx, "POST", "/v1/x", nil, &out, agentphone.WithRequestTimeout(time.Minute))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		require.NoError(t, c.Do(t.Context(), "GET", "/v1/x", nil, &out, agentphone.WithRequestTimeout(time.Minute)))
	})
}

// Seen live: numbers in strings, Python's None, tel: URIs and national numbers. A call that was placed is no DecodeError for them.
func TestDecode_ReadsValuesSeenLive(t *testing.T) {
	const call = `{"id":"call_1","agentId":"None","direction":"None","status":"completed","fromNumber":"tel:+1-415-555-0124","toNumber":"4155550126",
		"startedAt":"None","durationSeconds":"12.5","recordingAvailable":"false","transcripts":[{"id":"t","transcript":"None","confidence":"0.97"}]}`
	want := agentphone.Call{
		ID: "call_1", Status: agentphone.CallStatusCompleted, FromNumber: "+14155550124", ToNumber: "+14155550126",
		DurationSeconds: agentphone.Ptr(12.5), RecordingAvailable: agentphone.Ptr(false),
		Transcripts: []agentphone.TranscriptTurn{{ID: "t", Transcript: "None", Confidence: agentphone.Ptr(0.97)}},
	}
	c, _ := apitest.NewClient(t, apitest.InTurn(call, `{"data":[`+call+`],"total":"1","hasMore":"false"}`, `[{"id":"t","transcript":"hi","confidence":"0.97"}]`,
		`{"data":[{"id":"m","from_":"tel:+14155550124","to":"4155550126","body":"None"}],"hasMore":false}`, call))
	params := agentphone.CreateCallParams{AgentID: "a", ToNumber: "+14155550126"}
	got, err := c.Calls.Create(t.Context(), params)
	require.NoError(t, err)
	assert.Equal(t, &want, got)
	page, err := c.Calls.List(t.Context(), agentphone.ListCallsParams{})
	require.NoError(t, err)
	assert.Equal(t, &agentphone.Page[agentphone.Call]{Data: []agentphone.Call{want}, Total: 1}, page)
	transcript, err := c.Calls.Transcript(t.Context(), "call_1")
	require.NoError(t, err)
	assert.Equal(t, agentphone.Ptr(0.97), transcript.Transcripts[0].Confidence)
	messages, err := c.Numbers.ListMessages(t.Context(), "num_1", agentphone.ListMessagesParams{})
	require.NoError(t, err)
	assert.Equal(t, []agentphone.NumberMessage{{ID: "m", From: "+14155550124", To: "+14155550126", Body: "None"}}, messages.Data)

	// Client.Do decodes into the caller's own types as encoding/json does.
	var raw struct{ FromNumber, AgentID string }
	require.NoError(t, c.Do(t.Context(), http.MethodPost, "/v1/calls", params, &raw))
	assert.Equal(t, "tel:+1-415-555-0124 None", raw.FromNumber+" "+raw.AgentID)
}
