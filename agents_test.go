package agentphone_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestAgentsDetachNumber_FailsOnlyIfTheAPISaysSo(t *testing.T) {
	for body, want := range successBodies {
		t.Run(body, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, body))
			err := c.Agents.DetachNumber(t.Context(), "agt_1", "num_1")
			assert.Equal(t, want, err == nil)
			if err != nil {
				var decodeErr *agentphone.DecodeError
				assert.ErrorAs(t, err, &decodeErr)
			}
		})
	}
}

// successBodies tells of response bodies whether they report success.
var successBodies = map[string]bool{
	``: true, `null`: true, `{}`: true, `{"success":true}`: true, `{"success":false}`: false, `{"message":"ok"}`: true,
}

func TestAgentsListCalls_RefusesFiltersThatTheAPIWouldIgnore(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, page(false)))
	_, err := c.Agents.ListCalls(t.Context(), "agt_1", agentphone.ListCallsParams{Status: agentphone.CallStatusFailed})
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, s.Requests())
	_, err = c.Agents.ListCalls(t.Context(), "agt_1", agentphone.ListCallsParams{Limit: 5, Offset: 5})
	require.NoError(t, err)
}

// An empty string removes the number or the message from the agent, as null does; absent leaves it.
func TestAgentsUpdate_SendsEmptyStringsThatRemove(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"agt_1"}`))
	for _, tc := range []struct {
		params agentphone.UpdateAgentParams
		want   string
	}{
		{agentphone.UpdateAgentParams{}, `{}`},
		{agentphone.UpdateAgentParams{TransferNumber: agentphone.Value(""), VoicemailMessage: agentphone.Value("")}, `{"transferNumber":"","voicemailMessage":""}`},
		{agentphone.UpdateAgentParams{EnableMessaging: agentphone.Value(false), EnableBackchannel: agentphone.Value(false), InterruptionSensitivity: agentphone.Value(0.0)},
			`{"enableMessaging":false,"enableBackchannel":false,"interruptionSensitivity":0}`},
		{agentphone.UpdateAgentParams{BeginMessage: agentphone.Value(""), CustomTools: agentphone.Value[[]agentphone.CustomTool](nil)}, `{"beginMessage":"","customTools":[]}`},
	} {
		t.Run(tc.want, func(t *testing.T) {
			_, err := c.Agents.Update(t.Context(), "agt_1", tc.params)
			require.NoError(t, err)
			requests := s.Requests()
			assert.JSONEq(t, tc.want, requests[len(requests)-1].Body)
		})
	}
}
