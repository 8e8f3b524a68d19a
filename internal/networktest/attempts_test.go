package networktest

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// What happened to one attempt says nothing of the next.
func TestWeatherEachAttemptIsJudgedByItself(t *testing.T) {
	t.Parallel()
	putOff := weatherBreaksOff("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	for name, test := range map[string]struct {
		up         []bool
		answer     weatherAnswer
		attempts   int
		deliveries int
		lands      bool
	}{
		"put off, no connection, no connection, taken": {[]bool{true, false, false}, weatherInTurn(putOff, weatherFine), 4, 2, true},
		"no connection, put off, no connection, taken": {[]bool{false, true, false}, weatherInTurn(putOff, weatherFine), 4, 2, true},
		"no connection, put off, lost":                 {[]bool{false, true, true}, weatherInTurn(putOff, weatherResets, weatherFine), 3, 2, false},
		"put off, no connection, cut short":            {[]bool{true, false, true}, weatherInTurn(putOff, weatherBreaksOff("HTTP/1.1 200 OK\r\n"), weatherFine), 3, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() weatherDials { return weatherDials{newWeatherHTTP1(t, test.answer), test.up} }
			weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ weatherDials, r weatherResult) {
				assert.Equal(t, test.deliveries, r.deliveries, "deliveries")
				if test.lands {
					require.NoError(t, r.err)
					assert.Equal(t, test.attempts, r.response.Attempts)
					return
				}
				require.ErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
				var failed *agentphone.TransportError
				require.ErrorAs(t, r.err, &failed)
				assert.Equal(t, test.attempts, failed.Attempts)
			})
		})
	}
	t.Run("HTTP/2: refused, lost", func(t *testing.T) {
		t.Parallel()
		newServer := func() *weatherHTTP2 {
			return newWeatherHTTP2(t, false, weatherH2InTurn(weatherRST(h2Refused), weatherRST(h2InternalError), weatherH2Fine))
		}
		weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ *weatherHTTP2, r weatherResult) {
			require.ErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
			assert.Equal(t, 2, r.deliveries, "deliveries, of which one was refused")
		})
	})
}

// A phone that never could have rung leaves nothing open.
func TestWeatherARequestThatNeverHadAConnectionHasAKnownOutcome(t *testing.T) {
	t.Parallel()
	newServer := func() weatherDials { return weatherDials{newWeatherHTTP1(t, weatherFine), make([]bool, 100)} }
	weatherEach(t, weatherOnce, newServer, func(t *testing.T, _ weatherDials, r weatherResult) {
		require.ErrorIs(t, r.err, syscall.ECONNREFUSED)
		assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
		assert.Contains(t, r.err.Error(), "attempts=4")
		assert.Zero(t, r.response)
		assert.Zero(t, r.deliveries)
	})
}

// Signing up is for those who have no key; one that a client has all the same is not sent.
func TestWeatherTheKeyIsSentOnEachAttemptButNotToSignUp(t *testing.T) {
	t.Parallel()
	refusal := weatherSays(429, "")
	newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, weatherInTurn(refusal, refusal, weatherFine)) }
	weatherEach(t, append(weatherSafe[:len(weatherSafe):len(weatherSafe)], weatherOnce...), newServer, func(t *testing.T, s *weatherHTTP1, r weatherResult) {
		assertLanded(t, r, 2)
		for _, got := range s.requests() {
			if strings.HasPrefix(got.URL.Path, "/v0/agent/") {
				assert.NotContains(t, got.body, weatherKey)
				for name, values := range got.Header {
					assert.NotContains(t, strings.Join(values, " "), weatherKey, name)
				}
				continue
			}
			assert.Equal(t, []string{"Bearer " + weatherKey}, got.Header["Authorization"])
		}
	})
}

func TestWeatherACookieIsSentOnceHoweverOftenTheRequestIsTried(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{
		"retries":              "",
		"retries and redirect": "/v2/agents",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := []weatherAnswer{}
			for range 3 {
				answers = append(answers, weatherSays(503, "", "Retry-After: 0", "Set-Cookie: session=1; Path=/"))
			}
			if target != "" {
				answers = append(answers, weatherSays(307, "", "Location: "+target))
			}
			s := newWeatherHTTP1(t, weatherInTurn(append(answers, weatherFine)...))
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			client := s.client(t, agentphone.WithHTTPClient(&http.Client{Jar: jar}))
			require.NoError(t, weatherListAgents(context.Background(), client))
			require.NoError(t, weatherSend("hello")(context.Background(), client))
			s.settle()
			require.Len(t, s.requests(), len(answers)+2)
			for i, got := range s.requests() {
				if i == 0 {
					assert.Empty(t, got.Header["Cookie"])
					continue
				}
				assert.Equal(t, []string{"session=1"}, got.Header["Cookie"], "request %d", i+1)
			}
		})
	}
}
