package agentphone_test

import (
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
