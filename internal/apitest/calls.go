package apitest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// NoWait is an option with which retries follow each other without a wait.
var NoWait = agentphone.WithRetryWait(0, 0)

// CreateCall calls an operation that is not idempotent: POST /v1/calls.
func CreateCall(ctx context.Context, c *agentphone.Client) error {
	_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155559999"})
	return err
}

// GetAgent calls an operation that is idempotent: GET /v1/agents/{agent_id}. Its id, agt_secret, must not appear in
// errors or logs.
func GetAgent(ctx context.Context, c *agentphone.Client) error {
	_, err := c.Agents.Get(ctx, "agt_secret")
	return err
}

// Err returns the error of a method that returns a value too, as in Err(c.Usage.Get(ctx)).
func Err[T any](_ T, err error) error { return err }

// JSON returns v as JSON. It fails the test if v cannot be encoded.
func JSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
