package agentphone_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// manyRequests are the methods that make several requests. Each is run against requestsOfMany.
var manyRequests = map[string]func(ctx context.Context, c *agentphone.Client, dir string, opts ...agentphone.RequestOption) error{
	"Calls.CreateAndWait": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(c.Calls.CreateAndWait(ctx, createAndWaitParams, agentphone.WaitParams{EndOnCancel: true}, opts...))
	},
	"Calls.Wait": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(c.Calls.Wait(ctx, "call_1", agentphone.WaitParams{EndOnCancel: true}, opts...))
	},
	"Calls.All": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(agentphone.Collect(c.Calls.All(ctx, agentphone.ListCallsParams{Limit: 1}, opts...), 0))
	},
	"Numbers.AllMessages": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(agentphone.Collect(c.Numbers.AllMessages(ctx, "num_1", agentphone.ListMessagesParams{Limit: 1}, opts...), 0))
	},
	"Messages.FindSent": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(c.Messages.FindSent(ctx, validSend, time.Now(), opts...))
	},
	"Calls.FindPlaced": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(c.Calls.FindPlaced(ctx, validCall, time.Now(), opts...))
	},
	"Numbers.FindBought": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(c.Numbers.FindBought(ctx, validBuy, time.Now(), opts...))
	},
	"Calls.StreamTranscript": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(agentphone.Collect(c.Calls.StreamTranscript(ctx, "call_1", opts...), 0))
	},
	"Calls.DownloadRecording": func(ctx context.Context, c *agentphone.Client, _ string, opts ...agentphone.RequestOption) error {
		return apitest.Err(c.Calls.DownloadRecording(ctx, "call_1", io.Discard, opts...))
	},
	"Calls.SaveRecording": func(ctx context.Context, c *agentphone.Client, dir string, opts ...agentphone.RequestOption) error {
		return apitest.Err(c.Calls.SaveRecording(ctx, "call_1", filepath.Join(dir, "r.wav"), opts...))
	},
}

// requestsOfMany responds so that each of manyRequests makes all of its requests: a call goes on until it is ended, lists have two
// pages, a stream breaks off once, a recording is not there at first.
func requestsOfMany(n int, r apitest.Request) (*http.Response, error) {
	const noEffect = `"agentId":"agt_1","direction":"inbound","country":"CA"` // of a request of manyRequests
	switch {
	case strings.HasSuffix(r.Path, "/recording"):
		if n == 1 {
			return apitest.Response(404, `{"detail":"not yet"}`), nil
		}
		return apitest.Response(200, "RIFF", "Content-Type", "audio/wav"), nil
	case strings.HasSuffix(r.Path, "/stream"):
		body := ""
		if n > 1 {
			body = "event: ended\ndata: {}\n\n"
		}
		return apitest.Response(200, body, "Content-Type", "text/event-stream"), nil
	case r.Path == "/v1/calls/call_1", r.Method == http.MethodPost:
		return apitest.Response(200, `{"id":"call_1","status":"in-progress"}`), nil
	case n == 1:
		return apitest.Response(200, `{"data":[{"id":"a",`+noEffect+`,"receivedAt":"2026-01-01T00:00:00Z"}],"hasMore":true,"total":2}`), nil
	}
	return apitest.Response(200, `{"data":[{"id":"b",`+noEffect+`,"receivedAt":"2025-01-01T00:00:00Z"}],"hasMore":false,"total":2}`), nil
}

// An option of a request is for each request of a method, or for those of one operation, or for none: then it is refused before
// anything is sent. It never fails the method in the middle, after a call was placed.
func TestRequestOptions_OfAMethodOfManyRequestsAreRefusedAtOnceOrHonoured(t *testing.T) {
	var response agentphone.Response
	grace := agentphone.RecordingGrace(time.Minute)
	type option struct {
		apply   agentphone.RequestOption
		invalid agentphone.RequestOption
		of      string // the request that the option is for; "" for all
		sent    func(r apitest.Request) bool
	}
	key := agentphone.WithIdempotencyKey("k")
	options := map[string]option{
		"WithResponse":          {apply: agentphone.WithResponse(&response)},
		"WithRequestTimeout":    {apply: agentphone.WithRequestTimeout(time.Minute), invalid: agentphone.WithRequestTimeout(-1)},
		"WithRequestMaxRetries": {apply: agentphone.WithRequestMaxRetries(0), invalid: agentphone.WithRequestMaxRetries(-1)},
		"WithRequestSubAccount": {apply: agentphone.WithRequestSubAccount("sub_1"), invalid: agentphone.WithRequestSubAccount(""),
			sent: func(r apitest.Request) bool { return r.Header.Get("X-Sub-Account-Id") == "sub_1" }},
		"WithRequestQuery": {apply: agentphone.WithRequestQuery("trace", "1"), sent: func(r apitest.Request) bool { return r.Query.Get("trace") == "1" }},
		"WithRequestHeader": {apply: agentphone.WithRequestHeader("X-Trace", "1"), invalid: agentphone.WithRequestHeader("Host", "x"),
			sent: func(r apitest.Request) bool { return r.Header.Get("X-Trace") == "1" }},
		"WithIdempotencyKey":     {apply: key, invalid: agentphone.WithIdempotencyKey(""), of: "POST /v1/calls"},
		"GetConversationOptions": {apply: agentphone.GetConversationOptions{MessageLimit: 1}, of: "GET /v1/conversations/x"},
		"TestWebhookOptions":     {apply: agentphone.TestWebhookOptions{AgentID: "a"}, of: "POST /v1/webhooks/test"},
		"RecordingGrace":         {apply: grace, invalid: agentphone.RecordingGrace(-1), of: "GET /v1/calls/call_1/recording"},
		"GetCallOptions": {apply: agentphone.GetCallOptions{Wait: true}, invalid: agentphone.GetCallOptions{Wait: true, TimeoutSeconds: 9}, of: "GET /v1/calls/call_1",
			sent: func(r apitest.Request) bool { return r.Query.Get("wait") == "true" }},
	}
	require.ElementsMatch(t, requestOptionsOfThePackage(t), slices.Collect(maps.Keys(options)), "a new option belongs into this list")

	// However an option is given, it is the same.
	getCall := options["GetCallOptions"]
	getCall.apply = &agentphone.GetCallOptions{Wait: true}
	options["a pointer to GetCallOptions"] = getCall
	getCall.apply = struct{ agentphone.RequestOption }{agentphone.GetCallOptions{Wait: true}}
	options["GetCallOptions in a struct"] = getCall
	recording := options["RecordingGrace"]
	recording.apply = &grace
	options["a pointer to RecordingGrace"] = recording

	for method, run := range manyRequests {
		plain := runMany(t, run)
		require.NoError(t, plain.err, method)
		for name, opt := range options {
			t.Run(method+", "+name, func(t *testing.T) {
				response = agentphone.Response{}
				got := runMany(t, run, opt.apply)
				isFor := func(r string) bool { return opt.of == "" || opt.of == r }
				if !slices.ContainsFunc(plain.requests, isFor) {
					assert.ErrorIs(t, got.err, agentphone.ErrValidation)
					assert.Empty(t, got.requests)
					return
				}
				require.NoError(t, got.err)
				if name != "RecordingGrace" && name != "a pointer to RecordingGrace" {
					assert.Equal(t, plain.requests, got.requests)
				} else {
					assert.Equal(t, []string{opt.of, opt.of}, got.requests)
				}
				for i, r := range got.sent {
					if opt.sent != nil {
						assert.Equal(t, isFor(got.requests[i]), opt.sent(r), got.requests[i])
					}
				}
				if name == "WithResponse" {
					assert.NotZero(t, response.Status)
				}
			})
			if opt.invalid != nil {
				t.Run(method+", invalid "+name, func(t *testing.T) {
					got := runMany(t, run, opt.invalid)
					assert.ErrorIs(t, got.err, agentphone.ErrValidation)
					assert.Empty(t, got.requests)
				})
			}
		}
	}
}

type manyRun struct {
	requests []string // what was asked first of each kind, such as GET /v1/calls/call_1
	sent     []apitest.Request
	err      error // unless it is what the method ends with anyway
}

func runMany(t *testing.T, run func(context.Context, *agentphone.Client, string, ...agentphone.RequestOption) error, opts ...agentphone.RequestOption) (got manyRun) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c, s := apitest.NewClient(t, requestsOfMany)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := run(ctx, c, dir, opts...)
		var stopped *agentphone.WaitError
		switch {
		case errors.As(err, &stopped) && stopped.EndErr == nil: // the context ended, and the call was ended
		case errors.Is(err, agentphone.ErrNotFound): // without a grace
		default:
			got.err = err
		}
		for _, r := range s.Requests() {
			got.sent = append(got.sent, r)
			got.requests = append(got.requests, r.Method+" "+r.Path)
		}
	})
	return got
}

// requestOptionsOfThePackage returns the names of the functions and types of the package that are request options.
func requestOptionsOfThePackage(t *testing.T) (names []string) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			switch {
			case !ok:
			case f.Recv == nil && f.Name.IsExported() && f.Type.Results != nil && typeName(f.Type.Results.List[0].Type) == "RequestOption":
				names = append(names, f.Name.Name)
			case f.Recv != nil && f.Name.Name == "apply":
				if receiver := typeName(f.Recv.List[0].Type); ast.IsExported(receiver) {
					names = append(names, receiver)
				}
			}
		}
	}
	return names
}

func typeName(e ast.Expr) string {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// The README's first program, run again with the same key after whatever ended it, follows the call that it placed.
func TestCallsCreateAndWait_WithIdempotencyKeyPlacesOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := false
		placed := 0
		c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
			switch {
			case r.Method == http.MethodPost:
				placed++
				return apitest.Response(200, `{"id":"call_1","status":"queued"}`), nil
			case over:
				return apitest.Response(200, `{"id":"call_1","status":"completed"}`), nil
			}
			return apitest.Response(200, `{"id":"call_1","status":"in-progress"}`), nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		key := agentphone.WithIdempotencyKey("k")
		_, err := c.Calls.CreateAndWait(ctx, createAndWaitParams, agentphone.WaitParams{}, key)
		var stopped *agentphone.WaitError
		require.ErrorAs(t, err, &stopped)
		over = true
		call, err := c.Calls.CreateAndWait(t.Context(), createAndWaitParams, agentphone.WaitParams{}, key)
		require.NoError(t, err)
		assert.Equal(t, agentphone.CallStatusCompleted, call.Status)
		assert.Equal(t, 1, placed)
	})
}
