package contracttest

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/stretchr/testify/assert"
)

// contract is what the calls below share: the ids that earlier ones made.
type contract struct {
	c   *agentphone.Client
	srv *agentphonetest.Server // nil where a recorder answers

	verification, agent, number, call, conversation, group, message, contact, sub string
	groupAddress                                                                  string
}

func newContract(c *agentphone.Client, srv *agentphonetest.Server) *contract {
	return &contract{c, srv, "v", "a", "n", "c", "cv", "g", "m", "ct", "s", "grp_1"}
}

const contractNumber = "+14155550124"

type contractCall struct {
	name string // service and method
	call func(ctx context.Context, x *contract) (any, error)
}

func first[T any](seq iter.Seq2[T, error]) (any, error) {
	items, err := agentphone.Collect(seq, 1)
	return agentphone.Page[T]{Data: items}, err
}

// keep stores an id of a result, unless the call failed.
func keep[T any](id *string, of func(*T) string) func(*T, error) (any, error) {
	return func(v *T, err error) (any, error) {
		if err == nil {
			*id = of(v)
		}
		return v, err
	}
}

// contractCalls calls every method with every parameter, in an order in which the API in memory can answer well. What is
// then called once more, with hardly any, makes it answer with nulls.
var contractCalls = slices.Concat(agentCalls, messageCalls, callCalls, contactCalls, webhookCalls, accountCalls)

func TestContractCallsEveryMethod(t *testing.T) {
	called := map[string]bool{}
	for _, call := range contractCalls {
		called[call.name] = true
	}
	assert.Equal(t, keys(methods), keys(called))
}
