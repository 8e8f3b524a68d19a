package agentphone_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// encoding/json replaces what is not UTF-8: somebody would get another text than the one given.
func TestValidation_RefusesTextThatIsNotUTF8(t *testing.T) {
	const to, bad = "+14155550123", "Caf\xe9"
	for name, test := range map[string]struct {
		field string
		do    func(ctx context.Context, c *agentphone.Client) error
	}{
		"a field": {"body", func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "a", ToNumber: to, Body: bad})
			return err
		}},
		"a pointer": {"initialGreeting", func(ctx context.Context, c *agentphone.Client) error {
			greeting := bad
			_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "a", ToNumber: to, InitialGreeting: &greeting})
			return err
		}},
		"a map": {"variables", func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "a", ToNumber: to, Variables: map[string]string{"name": bad}})
			return err
		}},
		"a list": {"buttons", func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: "a", ToNumber: to, Body: "b", Buttons: []string{"yes", bad}})
			return err
		}},
		"a field of a field": {"display_text", func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{
				AgentID: "a", ToNumber: to, Body: "b", CTA: &agentphone.WhatsAppCTA{DisplayText: bad, URL: "https://example.com"},
			})
			return err
		}},
		"an Optional": {"name", func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Agents.Update(ctx, "a", agentphone.UpdateAgentParams{Name: agentphone.Value(bad)})
			return err
		}},
		"a query": {"search", func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Calls.List(ctx, agentphone.ListCallsParams{Search: bad})
			return err
		}},
		"a look": {"body", func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.FindSent(ctx, agentphone.SendMessageParams{AgentID: "a", ToNumber: to, Body: bad}, time.Time{})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c, api := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) { return apitest.Response(200, `{"data":[]}`), nil })
			err := test.do(t.Context(), c)
			var invalid *agentphone.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, test.field, invalid.Field)
			assert.Equal(t, "is not UTF-8", invalid.Reason)
			assert.Empty(t, api.Requests())
		})
	}
}
