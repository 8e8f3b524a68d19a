package agentphonetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestContacts_OnePerNumber(t *testing.T) {
	client := newServer(t).Client()
	ada := request(t, client, "POST", "/v1/contacts", fields{"phoneNumber": person, "name": "Ada", "email": "ada@example.com"})
	bob := request(t, client, "POST", "/v1/contacts", fields{"phoneNumber": "+14155550002", "name": "Bob", "notes": "Plays chess."})
	require.ErrorIs(t, refused(t, client, "POST", "/v1/contacts", fields{"phoneNumber": person, "name": "Eve"}), agentphone.ErrConflict)
	adas, bobs := "/v1/contacts/"+ada["id"].(string), "/v1/contacts/"+bob["id"].(string)
	require.ErrorIs(t, refused(t, client, "PATCH", bobs, fields{"phoneNumber": person}), agentphone.ErrConflict)
	require.ErrorIs(t, refused(t, client, "PATCH", bobs, fields{"name": ""}), agentphone.ErrValidation)

	changed := request(t, client, "PATCH", adas, fields{"email": nil, "name": nil, "phoneNumber": person, "notes": "Likes tea."})
	assert.Nil(t, changed["email"])
	assert.Equal(t, "Ada", changed["name"])
	assert.Equal(t, changed, request(t, client, "GET", adas, nil))

	page := request(t, client, "GET", "/v1/contacts", nil)
	assert.Len(t, items(t, page, "data"), 2)
	assert.InDelta(t, 2, page["total"], 0)
	assert.Equal(t, false, page["hasMore"])
	var found agentphone.Response
	require.NoError(t, client.Do(t.Context(), "GET", "/v1/contacts", nil, nil, agentphone.WithRequestQuery("search", "CHESS"), agentphone.WithResponse(&found)))
	assert.Contains(t, string(found.Body), "Bob")
	assert.NotContains(t, string(found.Body), "Ada")

	assert.Empty(t, request(t, client, "DELETE", adas, nil))
	require.ErrorIs(t, refused(t, client, "GET", adas, nil), agentphone.ErrNotFound)
	require.ErrorIs(t, refused(t, client, "DELETE", adas, nil), agentphone.ErrNotFound)
	request(t, client, "POST", "/v1/contacts", fields{"phoneNumber": person, "name": "Ada again"})
}

func TestContacts_EvenNumbersHaveIMessage(t *testing.T) {
	srv := newServer(t)
	for number, want := range map[string]bool{"%2B14155550002": true, "%2B14155550003": false} {
		t.Run(number, func(t *testing.T) {
			status, body := send(t, srv, "GET", "/v1/contacts/capabilities?phone_number="+number, "")
			require.Equal(t, 200, status)
			assert.Equal(t, fields{"imessage": want, "sms": true}, body["capabilities"])
		})
	}
	for query, want := range map[string]string{"": "missing", "?phone_number=+14155550002": "value_error"} {
		t.Run("query "+query, func(t *testing.T) {
			status, body := send(t, srv, "GET", "/v1/contacts/capabilities"+query, "")
			assert.Equal(t, 422, status)
			assert.Equal(t, []string{"query.phone_number " + want}, problems(t, body))
		})
	}
}

func TestLocation_IsUnavailableUntilItIsSet(t *testing.T) {
	srv := newServer(t)
	client := srv.Client()
	unknown, err := client.Location.Get(t.Context(), person)
	require.NoError(t, err)
	assert.Equal(t, agentphone.Location{PhoneNumber: person, Status: "unavailable"}, *unknown)
	require.ErrorIs(t, refused(t, client, "GET", "/v1/location/here", nil), agentphone.ErrValidation)
	srv.SetLocation(person, 52.5, 13.4)
	place := request(t, client, "GET", "/v1/location/"+person, nil)
	assert.InDelta(t, 52.5, place["latitude"], 0)
	assert.Greater(t, place["lastUpdated"], 1e12, "milliseconds")
	assert.Equal(t, true, request(t, client, "POST", "/v1/location/refresh", nil)["success"])
}
