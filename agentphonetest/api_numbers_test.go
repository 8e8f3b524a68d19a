package agentphonetest_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func mustNumbers(t *testing.T, srv *agentphonetest.Server) []agentphone.PhoneNumber {
	t.Helper()
	numbers, err := agentphone.Collect(srv.Client().Numbers.All(t.Context(), agentphone.ListNumbersParams{Limit: 3}), 0)
	require.NoError(t, err)
	return numbers
}

func TestNumbers_BuyUsesAreaCodeAndAgent(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	n, err := client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AreaCode: "212", AgentID: srv.AgentID()})
	require.NoError(t, err)
	assert.Contains(t, n.PhoneNumber, "+1212")
	assert.Equal(t, srv.AgentID(), n.AgentID)
	agent, err := client.Agents.Get(ctx, srv.AgentID())
	require.NoError(t, err)
	assert.Len(t, agent.Numbers, 2)
	_, err = client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AgentID: "agt_none"})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}

func TestNumbers_LimitIsTenAndReleasedOnesDoNotCount(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	seen := map[string]bool{srv.PhoneNumber(): true}
	var last *agentphone.PhoneNumber
	for range 9 {
		n, err := client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS})
		require.NoError(t, err)
		assert.False(t, seen[n.PhoneNumber])
		seen[n.PhoneNumber], last = true, n
	}
	_, err := client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS})
	require.ErrorIs(t, err, agentphone.ErrNumberLimit)
	require.ErrorIs(t, err, agentphone.ErrConflict)

	released, err := client.Numbers.Release(ctx, last.ID)
	require.NoError(t, err)
	assert.Equal(t, agentphone.NumberStatusReleased, released.Status)
	assert.Equal(t, last.PhoneNumber, released.PhoneNumber)
	assert.Len(t, mustNumbers(t, srv), 9)
	usage, err := client.Usage.Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, usage.Numbers.Remaining)
	_, err = client.Numbers.Release(ctx, last.ID)
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	_, err = client.Agents.AttachNumber(ctx, srv.AgentID(), agentphone.AttachNumberParams{NumberID: last.ID})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	_, err = client.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryCA})
	require.NoError(t, err)
	_, err = client.Numbers.ListMessages(ctx, last.ID, agentphone.ListMessagesParams{})
	require.NoError(t, err, "its messages stay")
}

func TestNumbers_ReleaseDetachesFromTheAgent(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(agentphone.WithMaxRetries(0)), t.Context()
	_, err := client.Numbers.Release(ctx, srv.NumberID())
	require.NoError(t, err)
	agent, err := client.Agents.Get(ctx, srv.AgentID())
	require.NoError(t, err)
	assert.Empty(t, agent.Numbers)
	_, err = client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: person, Body: "hi"})
	require.ErrorIs(t, err, agentphone.ErrBadRequest)
	assert.Panics(t, func() { srv.ReceiveMessage(person, srv.PhoneNumber(), "hi") })
}

func TestNumbers_ReleasedOneCanBeReadByID(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	path := "/v1/numbers/" + srv.NumberID()
	active := request(t, client, "GET", path, nil)
	assert.Equal(t, "active", active["status"])
	assert.Equal(t, "enabled", active["outboundSms"])
	placeCall(t, srv, person)
	_, err := client.Numbers.Release(t.Context(), srv.NumberID())
	require.NoError(t, err)
	released := request(t, client, "GET", path, nil)
	assert.Equal(t, "released", released["status"])
	assert.Nil(t, released["agentId"])
	assert.Nil(t, released["outboundSms"])
	assert.Len(t, items(t, request(t, client, "GET", path+"/calls", nil), "data"), 1)
	require.ErrorIs(t, refused(t, client, "GET", "/v1/numbers/num_none/calls", nil), agentphone.ErrNotFound)
}

// lookUp looks numbers up.
func lookUp(t *testing.T, srv *agentphonetest.Server, numbers ...string) []any {
	t.Helper()
	status, page := send(t, srv, "GET", lookupPath(numbers...), "")
	require.Equal(t, 200, status, "%v", page)
	return page["data"].([]any)
}

func lookupPath(numbers ...string) string {
	return "/v1/numbers/lookup?phoneNumbers=" + url.QueryEscape(strings.Join(numbers, ","))
}

func TestNumbers_LookupTellsTheLineTypeOfEachInOrder(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	canadian, err := client.Numbers.Buy(t.Context(), agentphone.BuyNumberParams{Country: agentphone.CountryCA})
	require.NoError(t, err)
	srv.SetLineType("+14155550008", "landline")
	srv.SetLineType("+442079460958", "")
	found := lookUp(t, srv, person, "+14155550008", canadian.PhoneNumber, srv.PhoneNumber(), "+442079460958", person)
	mobile := fields{"phoneNumber": person, "lineType": "mobile", "country": "US", "rcsEnabled": true}
	assert.Equal(t, []any{
		mobile,
		fields{"phoneNumber": "+14155550008", "lineType": "landline", "country": "US", "rcsEnabled": false},
		fields{"phoneNumber": canadian.PhoneNumber, "lineType": "voip", "country": "CA", "rcsEnabled": false},
		fields{"phoneNumber": srv.PhoneNumber(), "lineType": "voip", "country": "US", "rcsEnabled": false},
		fields{"phoneNumber": "+442079460958", "lineType": nil, "country": nil, "rcsEnabled": nil},
		mobile,
	}, found)
}

func TestNumbers_LookupTakesOneToTwentyFive(t *testing.T) {
	srv := newServer(t)
	many := strings.Split(strings.Repeat(person+" ", 26), " ")[:26]
	assert.Len(t, lookUp(t, srv, many[:25]...), 25)
	for name, path := range map[string]string{
		"26": lookupPath(many...), "none": lookupPath(), "no parameter": "/v1/numbers/lookup", "a gap": lookupPath(person, "", person),
		"no phone number": lookupPath(person, "55555"), "spaces": lookupPath(person, " "+person),
	} {
		t.Run(name, func(t *testing.T) {
			status, body := send(t, srv, "GET", path, "")
			assert.Equal(t, 422, status)
			assert.Contains(t, problems(t, body)[0], "query.phoneNumbers ")
		})
	}
	assert.Len(t, srv.Charges(), 1, "what is refused is not billed")
}
