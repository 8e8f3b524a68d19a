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
