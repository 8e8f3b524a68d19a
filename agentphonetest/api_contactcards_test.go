package agentphonetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestContactCards_SetReplacesTheWholeCard(t *testing.T) {
	srv := newServer(t)
	client, path := srv.Client(), "/v1/numbers/"+srv.NumberID()+"/contact-card"
	require.ErrorIs(t, refused(t, client, "GET", path, nil), agentphone.ErrNotFound)
	request(t, client, "PUT", path, fields{"firstName": "Ada", "avatarUrl": "https://example.com/a.png"})
	card := request(t, client, "GET", path, nil)
	assert.Equal(t, fields{"firstName": "Ada", "lastName": nil, "displayName": nil, "hasAvatar": true}, card)
	card = request(t, client, "PUT", path, fields{"displayName": "The desk"})
	assert.Equal(t, fields{"firstName": nil, "lastName": nil, "displayName": "The desk", "hasAvatar": false}, card)
	assert.Empty(t, request(t, client, "DELETE", path, nil))
	require.ErrorIs(t, refused(t, client, "DELETE", path, nil), agentphone.ErrNotFound)
	require.ErrorIs(t, refused(t, client, "PUT", "/v1/numbers/num_none/contact-card", fields{}), agentphone.ErrNotFound)
}
