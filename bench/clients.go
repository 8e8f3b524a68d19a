package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	twilio "github.com/twilio/twilio-go/client"
)

// The clients that are compared. The first is what the others are measured against.
const (
	netHTTP    = "net/http"
	thisSDK    = "agentphone"
	openAISDK  = "openai-go"
	twilioSDK  = "twilio-go"
	listedPage = 100
)

var clientNames = []string{netHTTP, thisSDK, openAISDK, twilioSDK}

// client is one way to call the API. Each of its functions makes one request and returns the
// response decoded into a struct with the same fields.
type client struct {
	name            string
	get, post, list func(context.Context) (any, error)
}

func (c *client) call(ctx context.Context, kind string) (any, error) {
	switch kind {
	case smallGET:
		return c.get(ctx)
	case smallPOST:
		return c.post(ctx)
	}
	return c.list(ctx)
}

const text = "Your table is booked: two at seven, under Ada. Reply STOP to hear no more of it."

// newClients makes the clients. transport makes the RoundTripper of each, or nil for the one that it uses
// by default.
func newClients(base string, transport func() http.RoundTripper) []client {
	carrier := func() *http.Client {
		if transport == nil {
			return nil
		}
		return &http.Client{Transport: transport()}
	}
	return []client{
		newFloor(base, carrier()).client(),
		sdkClient(newSDK(base, carrier())),
		openAIClient(base, carrier()),
		twilioClient(base, carrier()),
	}
}

func newFloor(base string, carrier *http.Client) *floor {
	return &floor{base: base, key: apiKey, http: cmp.Or(carrier, http.DefaultClient)}
}

func (f *floor) client() client {
	in := message{AgentID: "agt_7f3a9c21", ToNumber: "+12125550184", Body: text}
	return client{
		name: netHTTP,
		get:  func(ctx context.Context) (any, error) { return f.number(ctx, numberID) },
		post: func(ctx context.Context) (any, error) { return f.send(ctx, in) },
		list: func(ctx context.Context) (any, error) { return f.list(ctx, listedPage, 0) },
	}
}

func newSDK(base string, carrier *http.Client, more ...agentphone.Option) *agentphone.Client {
	opts := append([]agentphone.Option{agentphone.WithBaseURL(base)}, more...)
	if carrier != nil {
		opts = append(opts, agentphone.WithHTTPClient(carrier))
	}
	c, err := agentphone.NewClient(apiKey, opts...)
	if err != nil {
		panic(err)
	}
	return c
}

var sentParams = agentphone.SendMessageParams{AgentID: "agt_7f3a9c21", ToNumber: "+12125550184", Body: text}

func sdkClient(c *agentphone.Client) client {
	return client{
		name: thisSDK,
		get:  func(ctx context.Context) (any, error) { return c.Numbers.Get(ctx, numberID) },
		post: func(ctx context.Context) (any, error) { return c.Messages.Send(ctx, sentParams) },
		list: func(ctx context.Context) (any, error) {
			return c.Calls.List(ctx, agentphone.ListCallsParams{Limit: listedPage})
		},
	}
}

// pageQuery is how openai-go takes a query.
type pageQuery struct{ limit, offset int }

func (q pageQuery) URLQuery() (url.Values, error) {
	return url.Values{"limit": {strconv.Itoa(q.limit)}, "offset": {strconv.Itoa(q.offset)}}, nil
}

// openAIClient uses the generic methods of openai-go's client with the floor's structs, which cost less than its
// own, generated ones.
func openAIClient(base string, carrier *http.Client) client {
	opts := []option.RequestOption{option.WithAPIKey(apiKey), option.WithBaseURL(base), option.WithRequestTimeout(timeout)}
	if carrier != nil {
		opts = append(opts, option.WithHTTPClient(carrier))
	}
	c := openai.NewClient(opts...)
	in := message{AgentID: "agt_7f3a9c21", ToNumber: "+12125550184", Body: text}
	return client{
		name: openAISDK,
		get: func(ctx context.Context) (any, error) {
			var out number
			return &out, c.Get(ctx, "v1/numbers/"+url.PathEscape(numberID), nil, &out)
		},
		post: func(ctx context.Context) (any, error) {
			var out sentMessage
			return &out, c.Post(ctx, "v1/messages", in, &out)
		},
		list: func(ctx context.Context) (any, error) {
			var out page
			return &out, c.Get(ctx, "v1/calls", pageQuery{limit: listedPage}, &out)
		},
	}
}

// twilioClient does what the generated methods of twilio-go do, with the client they do it with and its
// default settings. twilio-go takes no context.
func twilioClient(base string, carrier *http.Client) client {
	if carrier != nil { // as in its defaultHTTPClient
		carrier.Timeout = 10 * time.Second
		carrier.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	handler := twilio.NewRequestHandler(&twilio.Client{
		Credentials: twilio.NewCredentials("AC0123456789abcdef", "0123456789abcdef"), HTTPClient: carrier,
	})
	in := message{AgentID: "agt_7f3a9c21", ToNumber: "+12125550184", Body: text}
	get := func(path string, query url.Values, out any) (any, error) {
		headers := map[string]any{"Content-Type": "application/x-www-form-urlencoded"}
		resp, err := handler.Get(base+path, query, headers, "")
		return decodeTwilio(resp, err, out)
	}
	return client{
		name: twilioSDK,
		get: func(context.Context) (any, error) {
			return get("/v1/numbers/"+url.PathEscape(numberID), url.Values{}, new(number))
		},
		post: func(context.Context) (any, error) {
			body, err := json.Marshal(in)
			if err != nil {
				return nil, err
			}
			headers := map[string]any{"Content-Type": "application/json"}
			resp, err := handler.Post(base+sendPath, url.Values{}, headers, "", body...)
			return decodeTwilio(resp, err, new(sentMessage))
		},
		list: func(context.Context) (any, error) {
			query := url.Values{"limit": {fmt.Sprint(listedPage)}, "offset": {fmt.Sprint(0)}}
			return get(callsPath, query, new(page))
		},
	}
}

func decodeTwilio(resp *http.Response, err error, out any) (any, error) {
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return out, json.NewDecoder(resp.Body).Decode(out)
}
