package apitest

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

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

// Took runs f in a synctest bubble and returns how long it took by the bubble's clock.
func Took(t *testing.T, f func(t *testing.T)) (d time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f(t)
		d = time.Since(start)
	})
	return d
}

// JSON encodes v.
func JSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// Err returns the error of a call that returns a value too.
func Err[T any](_ T, err error) error { return err }

// HeapInUse returns the bytes of live heap objects.
func HeapInUse() int {
	runtime.GC()
	runtime.GC() // finalizers of the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// CheckErrorText fails the test if err is none of the errors about a response, or its text is no short, clean line without the key.
func CheckErrorText(t testing.TB, err error) {
	t.Helper()
	var answered *agentphone.APIError
	var unread *agentphone.DecodeError
	if !errors.As(err, &answered) && !errors.As(err, &unread) {
		t.Fatalf("%T: %v", err, err)
	}
	if text := err.Error(); len(text) > 2000 || strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, Key) {
		t.Fatalf("the text of the error: %q", text)
	}
}

// NoWait lets retries follow at once.
var NoWait = agentphone.WithRetryWait(0, 0)
