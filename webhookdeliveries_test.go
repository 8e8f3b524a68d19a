package agentphone_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// The API's reference and the company's own MCP server disagree on the form.
func TestWebhooksListDeliveries_ReadsBothForms(t *testing.T) {
	const reference = `"id":"dlv_1","eventType":"agent.message","httpStatus":200`
	const other = `"id":"dlv_1","event":"agent.message","statusCode":200,"success":true,"deliveredAt":"2026-04-19T17:20:11Z","responseMs":12.5`
	for name, body := range map[string]string{
		"reference": `{"items":[{` + reference + `}],"total":1,"offset":0,"limit":20}`,
		"other":     `{"data":[{` + other + `}],"total":1}`,
		"both":      `{"items":[{` + reference + `,` + other + `}],"data":[{` + reference + `,` + other + `}],"total":1}`,
		"strings":   `{"data":[{"id":"dlv_1","event":"agent.message","statusCode":"200","success":"true","responseMs":"12.5","deliveredAt":"2026-04-19T17:20:11"}],"total":"1"}`,
		"bare":      `[{` + reference + `}]`,
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, body))
			page, err := c.Webhooks.ListDeliveries(t.Context(), agentphone.ListDeliveriesParams{})
			require.NoError(t, err)
			want := agentphone.WebhookDelivery{ID: "dlv_1", EventType: agentphone.EventMessage, HTTPStatus: 200}
			if name != "reference" && name != "bare" {
				want.Success, want.ResponseMs = agentphone.Ptr(true), agentphone.Ptr(12.5)
				want.DeliveredAt = agentphone.NewTimestamp(time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC))
			}
			assert.Equal(t, []agentphone.WebhookDelivery{want}, page.Data)
		})
	}
}
