package apitest

import (
	"context"

	"github.com/agentphone/agentphone-go"
)

// CreateCall is an operation that is not idempotent.
func CreateCall(ctx context.Context, c *agentphone.Client) error {
	_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155559999"})
	return err
}

// GetAgent is an idempotent operation.
func GetAgent(ctx context.Context, c *agentphone.Client) error {
	_, err := c.Agents.Get(ctx, "agt_secret")
	return err
}

// Err returns the error of a call that returns a value too.
func Err[T any](_ T, err error) error { return err }

// NoWait lets retries follow at once.
var NoWait = agentphone.WithRetryWait(0, 0)
