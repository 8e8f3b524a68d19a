package main

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// unreliableAPI is the API in memory, on a bad day.
type unreliableAPI struct {
	*agentphonetest.Server
	texts atomic.Int64
}

func newUnreliableAPI() *unreliableAPI { return &unreliableAPI{Server: agentphonetest.NewServer()} }

func (api *unreliableAPI) newClient(opts ...agentphone.Option) (*agentphone.Client, error) {
	return api.Client(append(opts, agentphone.WithHTTPClient(&http.Client{Transport: api}))...), nil
}

// RoundTrip sends a request to the API.
func (api *unreliableAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	api.cause(r)
	return api.Transport().RoundTrip(r)
}

// cause causes trouble for some of the requests that text somebody.
func (api *unreliableAPI) cause(r *http.Request) {
	const send = "POST /v1/messages"
	if r.Method+" "+r.URL.Path == send {
		switch n := api.texts.Add(1); {
		case n%5 == 0: // it is sent, and the connection breaks
			api.InjectFault(agentphonetest.Fault{Operation: send, Reset: true})
		case n%7 == 0: // it is sent, and a proxy says that it was not
			api.InjectFault(agentphonetest.Fault{Operation: send, Status: http.StatusBadGateway, AfterEffect: true})
		case n%11 == 0: // it is not sent
			api.InjectFault(agentphonetest.Fault{Operation: send, Status: http.StatusInternalServerError})
		case n%13 == 0:
			api.InjectFault(agentphonetest.Fault{Operation: send, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"0"}}})
		case n%17 == 0:
			api.InjectFault(agentphonetest.Fault{Operation: send, Delay: 300 * time.Millisecond})
		}
	}
}
