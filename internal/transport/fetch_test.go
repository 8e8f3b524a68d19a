package transport_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fetchResult is what testdata/fetch prints of a request.
type fetchResult struct {
	Err            string
	OutcomeUnknown bool
	Timeout        bool
	Canceled       bool
	Attempts       int
	Events         int
}

// fetchRequests makes requests with fetch, as node has it or as a browser has it.
func fetchRequests(t *testing.T, fetch, baseURL string, requests ...string) (results []fetchResult) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "node", "-e", "fetch").CombinedOutput(); err != nil {
		t.Skipf("not tested with fetch: it takes node 18 or later (%v) %s", err, out)
	}
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "fetch.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/fetch")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOEXPERIMENT=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	args := []string{"testdata/fetch/run.js", fetch, filepath.Join(strings.TrimSpace(string(goroot)), "lib/wasm/wasm_exec.js"), program, baseURL}
	run := exec.CommandContext(t.Context(), "node", append(args, requests...)...)
	var stderr strings.Builder
	run.Stderr = &stderr
	out, err = run.Output()
	require.NoError(t, err, "%s\n%s", out, &stderr)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var r fetchResult
		if err := d.Decode(&r); err == io.EOF {
			break
		} else {
			require.NoError(t, err, "%s", out)
		}
		results = append(results, r)
	}
	require.Len(t, results, len(requests), "%s\n%s", out, &stderr)
	return results
}

// fetch would follow redirects by itself, wherever to, and report the last response only.
func TestFetch_FollowsNoRedirect(t *testing.T) {
	var elsewhereGot atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhereGot.Add(1)
		_, _ = io.WriteString(w, `{"id":"call_1"}`)
	}))
	defer elsewhere.Close()
	var acted atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		acted.Add(1)
		assert.Equal(t, "Bearer sk_test_0123456789", r.Header.Get("Authorization"))
		w.Header().Set("Location", elsewhere.URL+r.URL.Path)
		w.WriteHeader(status)
	}))
	defer api.Close()

	statuses := []string{"301", "302", "303", "307", "308"}
	var requests []string
	for _, method := range []string{"POST", "PUT", "DELETE", "GET"} {
		for _, status := range statuses {
			requests = append(requests, method+" /"+status)
		}
	}
	for _, fetch := range []string{"node", "browser"} {
		t.Run(fetch, func(t *testing.T) {
			acted.Store(0)
			results := fetchRequests(t, fetch, api.URL, requests...)
			for i, request := range requests {
				r := results[i]
				assert.NotEmpty(t, r.Err, request)
				status := statuses[i%len(statuses)]
				mayBeDone := status == "302" || status == "303"
				if fetch == "browser" {
					mayBeDone = true // the status is hidden
					assert.Contains(t, r.Err, "redirect", request)
				} else {
					assert.Contains(t, r.Err, status, request)
				}
				assert.Equal(t, mayBeDone && strings.HasPrefix(request, "POST"), r.OutcomeUnknown, "%s: %s", request, r.Err)
				assert.Equal(t, 1, r.Attempts, "%s: %s", request, r.Err)
			}
			assert.EqualValues(t, len(requests), acted.Load(), "each was sent once")
			assert.Zero(t, elsewhereGot.Load(), "no other origin gets anything, the key least of all")
		})
	}
}

// What net/http's own transport keeps holds with fetch too.
func TestFetch_KeepsWhatNetHTTPKeeps(t *testing.T) {
	var acted atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			assert.Equal(t, "Zoë 日本", r.Header.Get("X-Name"))
			assert.Empty(t, r.Header.Values("js.fetch:redirect"))
			_, _ = io.WriteString(w, `{}`)
		case "/moved":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/lost":
			acted.Add(1)
			panic(http.ErrAbortHandler)
		case "/cut":
			acted.Add(1)
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{}`)
		case "/hangs":
			acted.Add(1)
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/v1/calls/call_1/transcript/stream":
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "event: connected\ndata: {}\n\nevent: turn\ndata: {\"role\":\"user\",\"content\":\"Hello?\"}\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}))
	defer api.Close()

	requests := []string{"POST /ok", "GET /moved", "POST /lost", "POST /cut", "POST /hangs", "GET /hangs", "STREAM call_1"}
	results := fetchRequests(t, "node", api.URL, requests...)
	got := map[string]fetchResult{}
	for i, request := range requests {
		got[request] = results[i]
	}
	assert.Equal(t, fetchResult{Attempts: 1}, got["POST /ok"])
	assert.Equal(t, fetchResult{Attempts: 1}, got["GET /moved"], "within the origin")
	for _, request := range []string{"POST /lost", "POST /cut", "POST /hangs"} {
		assert.True(t, got[request].OutcomeUnknown, "%s: %+v", request, got[request])
		assert.Equal(t, 1, got[request].Attempts, "%s: %+v", request, got[request])
	}
	assert.True(t, got["POST /hangs"].Timeout, "%+v", got["POST /hangs"])
	assert.True(t, got["GET /hangs"].Timeout, "%+v", got["GET /hangs"])
	assert.Equal(t, 2, got["GET /hangs"].Attempts)
	assert.EqualValues(t, 1+1+1+2, acted.Load(), "what is not idempotent acts once")
	assert.Equal(t, 2, got["STREAM call_1"].Events, "%+v", got["STREAM call_1"])
	assert.True(t, got["STREAM call_1"].Canceled, "%+v", got["STREAM call_1"])
}
