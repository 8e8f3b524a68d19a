package agentphone_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestUsageGet_PlanWithoutLimits(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"plan":{"name":"payg"},"numbers":{"used":1,"limit":10,"remaining":9},"stats":{"totalCalls":3}}`))
	usage, err := c.Usage.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "payg", usage.Plan.Name)
	assert.Equal(t, agentphone.NumberLimits{Used: 1, Limit: 10, Remaining: 9}, usage.Numbers)
	assert.Equal(t, 3, usage.Stats.TotalCalls)
}

func TestUsageGet_TellsMissingFromZero(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.InTurn(
		`{"numbers":{"used":1,"limit":10,"remaining":9},"stats":{"totalCalls":3}}`,
		`{"plan":null,"periodStart":null,"periodEnd":null,"stats":{"smsSegmentsLast30d":null}}`,
		`{"plan":{"name":"payg","limits":null},"stats":{"smsSegmentsLast30d":0}}`))
	for _, want := range []struct {
		plan     string
		segments *int
	}{{"", nil}, {"", nil}, {"payg", agentphone.Ptr(0)}} {
		usage, err := c.Usage.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, agentphone.Plan{Name: want.plan}, usage.Plan)
		assert.Equal(t, want.segments, usage.Stats.SMSSegmentsLast30d)
		assert.True(t, usage.PeriodStart.IsZero())
	}
}
