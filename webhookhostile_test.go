package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestTokensThatPanicAreAFailedTurn(t *testing.T) {
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		return v.Stream(func(func(string, error) bool) { panic("a bug in the model's client") })
	}), apitest.SignedRequest(apitest.TurnEvent, "x"))
	assert.Equal(t, 500, w.Code)
}

func TestTokensThatGoOnAfterTheCallerIsGoneAreAFailedTurn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		return v.Stream(func(yield func(string, error) bool) {
			yield("Hello. ", nil)
			cancel() // hangs up
			yield("Are you there? ", nil)
			yield("Hello? ", nil)
		})
	}), apitest.SignedRequest(apitest.TurnEvent, "x").WithContext(ctx))
}

func TestAStreamThatOutlivesItsCallbackSaysNothing(t *testing.T) {
	for range 50 {
		ended, started := make(chan error, 1), make(chan bool)
		apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
			go func() {
				ended <- v.Stream(func(yield func(string, error) bool) {
					close(started)
					runtime.Gosched()
					yield("word ", nil)
				})
			}()
			<-started
			return nil
		}), apitest.SignedRequest(apitest.TurnEvent, "x"))
		<-ended
	}
}

func TestAStreamOfTokensEndsWithItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return v.Stream(func(yield func(string, error) bool) {
				for range 1000 {
					time.Sleep(time.Second)
					if !yield("word", nil) {
						return
					}
				}
			})
		}), apitest.SignedRequest(apitest.TurnEvent, "x"))
		assert.LessOrEqual(t, time.Since(began), 31*time.Second)
	})
}

func TestACallbackThatEndsItsGoroutineReleasesTheDelivery(t *testing.T) {
	calls := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
		if calls++; calls == 1 {
			runtime.Goexit() // t.FailNow does
		}
		return nil
	}})
	var wg sync.WaitGroup
	wg.Go(func() { apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")) })
	wg.Wait()
	assert.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
}

func TestAClaimOutlivesItsCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		h := newHandler(t, agentphone.WebhookHandlerConfig{OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-ctx.Done()
			time.Sleep(time.Second) // cleans up
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}})
		go apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x"))
		time.Sleep(10 * time.Minute)
		go apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x"))
		time.Sleep(time.Hour)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, 1, most, "handled at the same time")
	})
}

func TestAnOddFieldLosesNoText(t *testing.T) {
	var logs strings.Builder
	got := 0
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Logger:    slog.New(slog.NewTextHandler(&logs, nil)),
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { got++; return nil },
	})
	w := apitest.Serve(h, apitest.SignedRequest(`{"event":"agent.message","channel":"sms","data":{"message":"help!","replyTo":"msg_1"}}`, "1"))
	assert.Falsef(t, w.Code == 200 && got == 0 && logs.Len() == 0, "answered 200, no callback, no log")
}

func TestAnOddEnvelopeIsNoReasonToRefuse(t *testing.T) {
	for _, in := range []string{
		`{"event":"agent.message","channel":"sms","timestamp":"yesterday","data":{"message":"hi"}}`,
		`{"event":"agent.new","channel":["sms","voice"],"data":{}}`,
		`{"event":"agent.new","agentId":5,"data":{}}`,
	} {
		_, err := agentphone.ParseEvent([]byte(in))
		assert.NoError(t, err)
	}
}

type slowStore struct {
	agentphone.MemoryDeliveryStore
	d time.Duration
}

func (s *slowStore) Claim(ctx context.Context, id string) (agentphone.DeliveryClaim, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(s.d):
		return s.MemoryDeliveryStore.Claim(ctx, id)
	}
}

func TestAClaimHasATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: &slowStore{d: time.Hour}})
		assert.Equal(t, 503, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "x")).Code)
		assert.Less(t, time.Since(began), time.Minute)
	})
}

func TestASlowClaimIsNotCutByTheServersWriteTimeout(t *testing.T) {
	h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: &slowStore{d: 300 * time.Millisecond}})
	srv := httptest.NewUnstartedServer(h)
	srv.Config.WriteTimeout = 100 * time.Millisecond
	srv.Start()
	defer srv.Close()
	for range 2 {
		req, _ := http.NewRequest("POST", srv.URL, strings.NewReader(apitest.TextEvent))
		req.Header = apitest.SignedRequest(apitest.TextEvent, "whd_1").Header
		res, err := http.DefaultClient.Do(req) // the second time: handled
		require.NoError(t, err)
		res.Body.Close()
	}
}

func TestAnApologyAfterTokensThatBreakOffAtOnceIsSaid(t *testing.T) {
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		if err := v.Stream(func(yield func(string, error) bool) { yield("", errors.New("model is down")) }); err != nil {
			return v.Say("Sorry, something went wrong.")
		}
		return nil
	}), apitest.SignedRequest(apitest.TurnEvent, "x"))
	assert.Equal(t, 200, w.Code, w.Body)
}

func TestSenselessSecretsAndLimits(t *testing.T) {
	for _, secret := range []string{" ", "whsec_a\n", " whsec_b"} {
		_, err := agentphone.NewWebhookVerifier([]string{secret})
		assert.Errorf(t, err, "%q", secret)
		assert.ErrorIs(t, agentphone.VerifyWebhook(nil, nil, secret), agentphone.ErrValidation, "%q", secret)
	}
	s := &agentphone.MemoryDeliveryStore{MaxDeliveries: -1}
	_, err := s.Claim(t.Context(), "a")
	assert.NoError(t, err)
	s = &agentphone.MemoryDeliveryStore{ClaimLife: -1}
	_, _ = s.Claim(t.Context(), "a")
	again, _ := s.Claim(t.Context(), "a")
	assert.Equal(t, agentphone.DeliveryHeld, again)
}

func TestInterimEndsWithTheTurnIfNobodyReads(t *testing.T) {
	took := make(chan time.Duration, 1)
	h := newHandler(t, agentphone.WebhookHandlerConfig{TurnTimeout: time.Second, OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		began := time.Now()
		for v.Interim(strings.Repeat("x", 1<<20)) == nil {
		}
		took <- time.Since(began)
		return nil
	}})
	srv := httptest.NewServer(h)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", len(apitest.TurnEvent))
	_ = apitest.SignedRequest(apitest.TurnEvent, "1").Header.Write(conn)
	fmt.Fprintf(conn, "\r\n%s", apitest.TurnEvent)
	assert.Less(t, <-took, 3*time.Second)
}
