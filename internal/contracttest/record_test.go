// The recording that most tests examine: all calls of the list, made to the API in memory.

package contracttest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/methodcalls"
)

// exchange is a request and its response, as they went over the wire.
type exchange struct {
	call     string // service and method
	op       *apiOperation
	query    url.Values
	accept   string
	body     any // nil if there was none
	status   int
	media    string
	response []byte
}

// recorder is a RoundTripper that records what passes through it.
type recorder struct {
	t    *testing.T
	api  *apiContract
	next http.RoundTripper
	call string // the one in progress
	seen []*exchange
}

func (p *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	op := p.api.operation(p.t, r.Method, r.URL.Path)
	x := &exchange{call: p.call, op: op, query: r.URL.Query(), accept: r.Header.Get("Accept")}
	p.seen = append(p.seen, x)
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		require.NoError(p.t, err)
		r.Body = io.NopCloser(bytes.NewReader(data))
		if len(data) > 0 { // a GET that is not idempotent has an empty body
			require.NoError(p.t, json.Unmarshal(data, &x.body))
		}
	}
	res, err := p.next.RoundTrip(r)
	require.NoError(p.t, err)
	x.status, x.media = res.StatusCode, res.Header.Get("Content-Type")
	x.response, err = io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(x.response))
	return res, err
}

// recordCalls makes all calls of methodcalls.All, against a new API in memory.
func recordCalls(t *testing.T, api *apiContract, opts ...agentphone.Option) []*exchange {
	t.Helper()
	p := &recorder{t: t, api: api}
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		srv.SetLocation(somePhone, 1, 2)
		var deliveries atomic.Int32
		srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if deliveries.Add(1)%2 == 1 {
				http.Error(w, "not now", http.StatusServiceUnavailable)
			}
		}))
		p.next = srv.Transport()
		c, err := agentphone.NewClient(srv.APIKey(), append(opts, agentphone.WithHTTPClient(&http.Client{Transport: p}))...)
		require.NoError(t, err)
		x := methodcalls.NewSession(c, srv)
		for _, call := range methodcalls.All {
			p.call = call.Name
			_, err := call.Make(t.Context(), x)
			require.NoError(t, err, call.Name)
		}
	})
	return p.seen
}
