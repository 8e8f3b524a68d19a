package agentphonetest_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// published are rates as the company publishes them, each with a request that is valid, though it may find nothing.
var published = map[string]struct {
	perMinute  int
	path, body string
}{
	"POST /v0/agent/sign-up":                  {10, "/v0/agent/sign-up", `{"human_email":"a@example.com"}`},
	"POST /v0/agent/verify":                   {20, "/v0/agent/verify", `{"verification_id":"x","otp_code":"1"}`},
	"POST /v1/numbers":                        {20, "/v1/numbers", `{"country":"US"}`},
	"DELETE /v1/numbers/{number_id}":          {60, "/v1/numbers/num_none", ``},
	"GET /v1/numbers/lookup":                  {30, "/v1/numbers/lookup?phoneNumbers=%2B14155559999", ``},
	"POST /v1/calls":                          {120, "/v1/calls", `{"agentId":"agt_none","toNumber":"+14155559999"}`},
	"POST /v1/calls/web":                      {30, "/v1/calls/web", `{"agentId":"agt_none"}`},
	"POST /v1/agents":                         {30, "/v1/agents", `{"name":"a"}`},
	"PATCH /v1/agents/{agent_id}":             {20, "/v1/agents/agt_none", `{}`},
	"DELETE /v1/agents/{agent_id}":            {30, "/v1/agents/agt_none", ``},
	"GET /v1/contacts/capabilities":           {60, "/v1/contacts/capabilities?phone_number=%2B14155559999", ``},
	"POST /v1/verify/send":                    {60, "/v1/verify/send", `{"phone_number":"+14155559999"}`},
	"POST /v1/verify/check":                   {120, "/v1/verify/check", `{"verification_id":"x","code":"123456"}`},
	"POST /v1/webhooks":                       {10, "/v1/webhooks", `{"url":"https://example.com"}`},
	"POST /v1/webhooks/test":                  {10, "/v1/webhooks/test?agentId=agt_none", ``},
	"POST /v1/agents/{agent_id}/webhook":      {10, "/v1/agents/agt_none/webhook", `{"url":"https://example.com"}`},
	"POST /v1/agents/{agent_id}/webhook/test": {10, "/v1/agents/agt_none/webhook/test", ``},
	"POST /v1/messages":                       {0, "/v1/messages", `{"agent_id":"agt_none","to_number":"+14155559999","body":"hi"}`},
	"GET /v1/agents":                          {0, "/v1/agents", ``},
}

func TestWithRateLimits_AreThePublishedOnes(t *testing.T) {
	for name, c := range published {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, free := newServer(t, agentphonetest.WithRateLimits(), agentphonetest.WithNumberLimit(1000)), newServer(t)
				method, _, _ := strings.Cut(name, " ")
				for i := range 150 {
					status, body := send(t, srv, method, c.path, c.body)
					limited := c.perMinute > 0 && i >= c.perMinute
					require.Equal(t, limited, status == http.StatusTooManyRequests, "request %d: %d %v", i, status, body)
					status, _ = send(t, free, method, c.path, c.body)
					require.NotEqual(t, http.StatusTooManyRequests, status, "only on demand")
				}
			})
		})
	}
}

func TestWithRateLimits_AMinuteSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithRateLimits())
		client := srv.Client(agentphone.WithMaxRetries(0))
		set := func() error {
			return client.Do(t.Context(), "POST", "/v1/webhooks", fields{"url": "https://example.com"}, nil)
		}
		for i := range 10 {
			require.NoError(t, set(), i)
			time.Sleep(time.Second)
		}
		var refusal *agentphone.APIError
		for range 3 {
			err := set()
			require.ErrorAs(t, err, &refusal)
			assert.ErrorIs(t, err, agentphone.ErrRateLimited)
			assert.ErrorIs(t, err, agentphone.ErrTemporary)
			assert.Equal(t, agentphone.CodeRateLimitExceeded, refusal.Code)
			assert.Equal(t, 50*time.Second, refusal.RetryAfter, "until the first one is a minute ago")
		}
		time.Sleep(refusal.RetryAfter)
		require.NoError(t, set(), "what was refused does not count")
		require.Error(t, set(), "the second one is not yet a minute ago")
	})
}

func TestWithRateLimits_ClientWaitsAndSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithRateLimits())
		began := time.Now()
		for range 11 {
			request(t, srv.Client(), "POST", "/v1/webhooks", fields{"url": "https://example.com"})
		}
		assert.GreaterOrEqual(t, time.Since(began), time.Minute)
	})
}

func TestWithRateLimits_CapabilitiesAreLimitedByTheDayToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, agentphonetest.WithRateLimits())
		get := func() int {
			status, _ := send(t, srv, "GET", "/v1/contacts/capabilities?phone_number=%2B14155559999", "")
			return status
		}
		for i := range 1000 {
			require.Equal(t, 200, get(), i)
			time.Sleep(2 * time.Second)
		}
		assert.Equal(t, 429, get())
		time.Sleep(23 * time.Hour)
		assert.Equal(t, 429, get())
		time.Sleep(time.Hour)
		assert.Equal(t, 200, get())
	})
}

func TestWithRateLimits_CountAnAccountWithItsSubAccounts(t *testing.T) {
	srv := newServer(t, agentphonetest.WithRateLimits())
	sub := request(t, srv.Client(), "POST", "/v1/sub-accounts", fields{"name": "Sub"})["id"].(string)
	for i := range 10 {
		header := []string{}
		if i%2 == 0 {
			header = []string{"X-Sub-Account-Id", sub}
		}
		status, _ := send(t, srv, "POST", "/v1/webhooks", `{"url":"https://example.com"}`, header...)
		require.Equal(t, 200, status)
	}
	status, _ := send(t, srv, "POST", "/v1/webhooks", `{"url":"https://example.com"}`, "X-Sub-Account-Id", sub)
	assert.Equal(t, 429, status)
	status, _ = send(t, srv, "POST", "/v1/webhooks", `{"url":"https://example.com"}`, "Authorization", "Bearer sk_live_wrong")
	assert.Equal(t, 401, status, "the key comes first")
}

func TestWithoutPaymentMethod_RefusesWhatCosts(t *testing.T) {
	srv := newServer(t, agentphonetest.WithoutPaymentMethod())
	client := srv.Client()
	costs := map[string]bool{
		"POST /v1/calls": true, "POST /v1/calls/web": true, "POST /v1/messages": true, "POST /v1/numbers": true,
		"GET /v1/numbers/lookup": true, "POST /v1/verify/send": true, "POST /v1/verify/check": true,
	}
	for name, c := range published {
		t.Run(name, func(t *testing.T) {
			method, _, _ := strings.Cut(name, " ")
			status, body := send(t, srv, method, c.path, c.body)
			assert.Equal(t, costs[name], status == http.StatusPaymentRequired, "%d %v", status, body)
		})
	}
	require.ErrorIs(t, refused(t, client, "POST", "/v1/messages", fields{"agent_id": srv.AgentID(), "to_number": person, "body": "hi"}), agentphone.ErrPaymentRequired)
	require.ErrorIs(t, refused(t, client, "POST", "/v1/messages", fields{}), agentphone.ErrValidation, "the input comes first")
	assert.Empty(t, srv.Messages())
	assert.Empty(t, srv.Charges())
	request(t, client, "GET", "/v1/agents/"+srv.AgentID(), nil)
}

func TestCharges_HaveThePublishedPrices(t *testing.T) {
	srv := newServer(t, agentphonetest.WithNumberLimit(2))
	client := srv.Client()
	assert.Empty(t, srv.Charges(), "the account begins with a number")
	request(t, client, "POST", "/v1/numbers", fields{"country": "US"})
	refused(t, client, "POST", "/v1/numbers", fields{"country": "US"})
	lookUp(t, srv, person, "+14155550001", person)
	placeCall(t, srv, person)
	sendText(t, srv, person, "hi")
	assert.Equal(t, []agentphonetest.Charge{
		{Operation: "POST /v1/numbers", Quantity: 1, Amount: 3000},
		{Operation: "GET /v1/numbers/lookup", Quantity: 3, Amount: 27},
	}, srv.Charges())
}
