package schema_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

func TestValues_ReturnWhatWasGiven(t *testing.T) {
	fields := schema.Fields{
		schema.Text("s"), schema.Boolean("b"), schema.Integer("n"), schema.Time("t"), schema.List("l", schema.Text("")),
	}
	v, problems := fields.ParseBody("application/json", []byte(`{"s":"a","b":true,"n":5.0,"t":"2026-01-02T03:04:05","l":["x","y"]}`))
	require.Empty(t, problems)
	assert.Equal(t, "a", v.Text("s"))
	assert.True(t, v.Bool("b"))
	assert.Equal(t, 5, v.Int("n", 1))
	assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), v.Time("t"), "without a zone it is UTC")
	assert.Equal(t, []string{"x", "y"}, v.Texts("l"))
}

func TestValues_AbsentAndNullAreZero(t *testing.T) {
	for name, v := range map[string]schema.Values{
		"absent": nil,
		"null":   {"s": nil, "b": nil, "n": nil, "t": nil, "l": nil},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, v.Text("s"))
			assert.False(t, v.Bool("b"))
			assert.Equal(t, 7, v.Int("n", 7))
			assert.True(t, v.Time("t").IsZero())
			assert.Equal(t, []string{}, v.Texts("l"), "not nil, so that it is encoded as a list")
		})
	}
}
