package agentphone_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestNumbersRelease_SuccessIsFalseOnlyIfTheAPISaysSo(t *testing.T) {
	for body, want := range successBodies {
		t.Run(body, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, body))
			released, err := c.Numbers.Release(t.Context(), "num_1")
			require.NoError(t, err)
			assert.Equal(t, want, released.Success)
		})
	}
}

func TestNumbersListMessages_ReadsTheSenderUnderBothNames(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[{"id":"1","from_":"+1","to":"+2"},{"id":"2","from":"+1"},{"id":"3","from":"+1","from_":"+9"}],"hasMore":false}`))
	messages, err := c.Numbers.ListMessages(t.Context(), "num_1", agentphone.ListMessagesParams{})
	require.NoError(t, err)
	for _, m := range messages.Data {
		assert.Equal(t, "+1", m.From)
	}
	assert.Equal(t, "+2", messages.Data[0].To)
}

func TestNumbersLookup_SendsAllNumbersInOneRequest(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"data":[
		{"phoneNumber":"+14155550124","lineType":"mobile","country":"US","rcsEnabled":true},
		{"phoneNumber":"+442079460958","lineType":"satellite","country":"GB","rcsEnabled":false},
		{"phoneNumber":"+14155550126","lineType":null,"country":null,"rcsEnabled":null}]}`))
	found, err := c.Numbers.Lookup(t.Context(), agentphone.LookupNumbersParams{PhoneNumbers: []string{"+14155550124", "+442079460958", "+14155550126"}})
	require.NoError(t, err)
	assert.Equal(t, []agentphone.NumberLookup{
		{PhoneNumber: "+14155550124", LineType: agentphone.LineTypeMobile, Country: agentphone.CountryUS, RCSEnabled: agentphone.Ptr(true)},
		{PhoneNumber: "+442079460958", LineType: "satellite", Country: "GB", RCSEnabled: agentphone.Ptr(false)},
		{PhoneNumber: "+14155550126"},
	}, found.Data)
	require.Len(t, s.Requests(), 1)
	assert.Equal(t, "/v1/numbers/lookup", s.Requests()[0].Path)
	assert.Equal(t, "phoneNumbers=%2B14155550124%2C%2B442079460958%2C%2B14155550126", s.Requests()[0].Query.Encode())
}

// Numbers are billed one by one: what is no number, or more than a request takes, is refused and never sent in part.
func TestNumbersLookup_RefusesAllButOneTo25Numbers(t *testing.T) {
	numbers := func(n int) []string { return slices.Repeat([]string{"+14155550124"}, n) }
	c, s := apitest.NewClient(t, apitest.Always(200, `{"data":[]}`))
	for name, params := range map[string]agentphone.LookupNumbersParams{
		"none":     {},
		"26":       {PhoneNumbers: numbers(26)},
		"empty":    {PhoneNumbers: append(numbers(2), "")},
		"national": {PhoneNumbers: append(numbers(2), "4155550124")},
		"two":      {PhoneNumbers: []string{"+14155550124,+14155550126"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Numbers.Lookup(t.Context(), params)
			var invalid *agentphone.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, "phoneNumbers", invalid.Field)
			assert.Empty(t, s.Requests())
		})
	}
	for _, n := range []int{1, 25} {
		_, err := c.Numbers.Lookup(t.Context(), agentphone.LookupNumbersParams{PhoneNumbers: numbers(n)})
		require.NoError(t, err)
	}
	assert.Len(t, s.Requests(), 2)
}

func TestNumbersLookup_IsNotRetriedOnceItMayHaveBeenBilled(t *testing.T) {
	for status, want := range map[int]int{500: 1, 502: 1, 503: 1, 408: 1, 429: 4} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(status, ``), apitest.NoWait)
			_, err := c.Numbers.Lookup(t.Context(), agentphone.LookupNumbersParams{PhoneNumbers: []string{"+14155550124"}})
			assert.Equal(t, want == 1, errors.Is(err, agentphone.ErrOutcomeUnknown), "%v", err)
			assert.Len(t, s.Requests(), want)
		})
	}
}

func TestNumbersGet_TellsWhetherTheNumberSendsSMS(t *testing.T) {
	for body, want := range map[string]agentphone.OutboundSMS{
		`"enabled"`: agentphone.OutboundSMSEnabled, `"activating"`: agentphone.OutboundSMSActivating,
		`"registration_required"`: agentphone.OutboundSMSRegistrationRequired, `"soon"`: "soon", `null`: "",
	} {
		t.Run(body, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"num_1","outboundSms":`+body+`}`))
			number, err := c.Numbers.Get(t.Context(), "num_1")
			require.NoError(t, err)
			assert.Equal(t, want, number.OutboundSMS)
		})
	}
}
