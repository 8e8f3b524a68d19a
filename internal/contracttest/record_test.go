package contracttest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/stretchr/testify/require"
)

// exchange is a request and its answer, as they went over the wire.
type exchange struct {
	call   string // service and method
	op     *apiOperation
	query  url.Values
	accept string
	body   any // nil if there was none
	status int
	media  string
	answer []byte
}

// tap records what passes through it.
type tap struct {
	t    *testing.T
	api  *apiContract
	next http.RoundTripper
	call string // under way
	seen []*exchange
}

func (p *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	op := findOperation(p.t, p.api.operations, r.Method, r.URL.Path)
	x := &exchange{call: p.call, op: op, query: r.URL.Query(), accept: r.Header.Get("Accept")}
	p.seen = append(p.seen, x)
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		require.NoError(p.t, err)
		r.Body = io.NopCloser(bytes.NewReader(data))
		require.NoError(p.t, json.Unmarshal(data, &x.body))
	}
	res, err := p.next.RoundTrip(r)
	require.NoError(p.t, err)
	x.status, x.media = res.StatusCode, res.Header.Get("Content-Type")
	x.answer, err = io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(x.answer))
	return res, err
}

// runContract calls every method against the API in memory.
func runContract(t *testing.T, api *apiContract) []*exchange {
	t.Helper()
	recorded := &tap{t: t, api: api}
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		srv.SetLocation(contractNumber, 1, 2)
		srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not now", http.StatusServiceUnavailable) }))
		recorded.next = srv.Transport()
		c, err := agentphone.NewClient(srv.APIKey(), agentphone.WithHTTPClient(&http.Client{Transport: recorded}))
		require.NoError(t, err)
		x := newContract(c, srv)
		for _, call := range contractCalls {
			recorded.call = call.name
			_, err := call.call(t.Context(), x)
			require.NoError(t, err, call.name)
		}
	})
	return recorded.seen
}
