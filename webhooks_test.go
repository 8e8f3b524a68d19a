package agentphone_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestWebhooksGet_NoWebhookIsZero(t *testing.T) {
	for _, body := range []string{`null`, ``, ` null `} {
		t.Run(body, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, body))
			w, err := c.Webhooks.Get(t.Context())
			require.NoError(t, err)
			assert.Equal(t, agentphone.Webhook{}, *w)
			w, err = c.Webhooks.GetForAgent(t.Context(), "agt_1")
			require.NoError(t, err)
			assert.Empty(t, w.ID)
		})
	}
}
