package networktest

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWeatherTheUsersHTTPClientIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	app := newWeatherHTTP1(t, weatherFine)
	hc := weatherHTTPClient(t, nil)
	hc.Timeout = 10 * time.Second
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return assert.AnError }
	before := *hc
	appGet := func() {
		resp, err := hc.Get(app.url + "/app")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	appGet()
	for name, answer := range map[string]weatherAnswer{
		"gives up":         weatherSays(429, ""),
		"server error":     weatherSays(500, ""),
		"not found":        weatherSays(404, ""),
		"redirect":         weatherSays(302, "", "Location: /v1/agents"),
		"reset":            weatherResets,
		"cut":              weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
		"time-out":         weatherHangs(""),
		"waits for nobody": weatherSays(429, "", "Retry-After: 86400"),
	} {
		s := newWeatherHTTP1(t, answer)
		client := s.client(t, agentphone.WithHTTPClient(hc), agentphone.WithTimeout(50*time.Millisecond))
		assert.Error(t, weatherListAgents(context.Background(), client), name)
		assert.Error(t, weatherSend("hello")(context.Background(), client), name)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(2*time.Millisecond, cancel) // in a wait, or in an attempt
		assert.Error(t, weatherListAgents(ctx, client), name)
		appGet()
		assert.Equal(t, 1, app.connections(), "%s: the user's idle connection is closed", name)
	}
	assert.Same(t, before.Transport, hc.Transport)
	assert.Equal(t, before.Timeout, hc.Timeout)
	assert.Equal(t, before.Jar, hc.Jar)
	assert.Equal(t, reflect.ValueOf(before.CheckRedirect).Pointer(), reflect.ValueOf(hc.CheckRedirect).Pointer())
}

// A user's http.Client may have a shorter time-out than the SDK's; it limits each attempt.
func TestWeatherTheTimeoutOfTheUsersClientHolds(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := newWeatherHTTP1(t, weatherInTurn(weatherHangs(""), weatherFine))
	client := s.client(t, agentphone.WithHTTPClient(&http.Client{Timeout: 250 * time.Millisecond}))
	require.NoError(t, weatherListAgents(context.Background(), client), "the second attempt has a time of its own")

	s = newWeatherHTTP1(t, weatherHangs(""))
	client = s.client(t, agentphone.WithHTTPClient(&http.Client{Timeout: 250 * time.Millisecond}))
	err := weatherSend("hello")(context.Background(), client)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	assert.Equal(t, 1, s.settle())
	assert.Less(t, time.Since(began), weatherPrompt)
}
