package networktest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
)

func TestWeatherARequestThatActsOnceIsDeliveredOnceWhenItsAnswerIsLost(t *testing.T) {
	t.Parallel()
	for _, b := range weatherBreaks {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, b.answer) }
			weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ *weatherHTTP1, r weatherResult) {
				assertOutcomeUnknown(t, r, b.status)
				assert.Equal(t, b.hangs, errors.Is(r.err, context.DeadlineExceeded), "is it a time-out: %v", r.err)
			}, b.timeout())
		})
	}
}

// On a connection that was used before net/http takes a failure for the server's closing an
// idle connection, and sends again what it may.
func TestWeatherARequestThatActsOnceIsDeliveredOnceOnAConnectionThatWasUsedBefore(t *testing.T) {
	t.Parallel()
	warm := weatherDo(http.MethodGet, weatherWarmPath, nil)
	for _, b := range weatherBreaks {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			ops := weatherAfter(t, warm, weatherOnce)
			newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, b.answer) }
			weatherEach(t, ops, newServer, func(t *testing.T, s *weatherHTTP1, r weatherResult) {
				assertOutcomeUnknown(t, r, b.status)
				assert.Equal(t, 1, s.connections(), "the connection was to be used twice")
			}, b.timeout())
		})
	}
}

func TestWeatherARequestThatActsOnceIsDeliveredOnceWhateverTheAnswer(t *testing.T) {
	t.Parallel()
	for _, v := range weatherVerdicts {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, v.answer) }
			weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ *weatherHTTP1, r weatherResult) {
				assert.Equal(t, 1, r.deliveries, "deliveries")
				assert.Equal(t, v.unknown, errors.Is(r.err, agentphone.ErrOutcomeUnknown), "is the outcome unknown: %v", r.err)
				assertStatus(t, r, v.status, v.decode)
			})
		})
	}
}
