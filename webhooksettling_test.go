package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// A noteStore writes down what it is asked, and fails as it is told.
type noteStore struct {
	agentphone.MemoryDeliveryStore
	notes  *[]string
	settle func(context.Context) error
}

func (s *noteStore) Claim(ctx context.Context, id string) (agentphone.DeliveryClaim, error) {
	*s.notes = append(*s.notes, "claim "+id)
	return s.MemoryDeliveryStore.Claim(ctx, id)
}

func (s *noteStore) Done(ctx context.Context, id string) error {
	*s.notes = append(*s.notes, "done "+id)
	if s.settle != nil {
		return s.settle(ctx)
	}
	return s.MemoryDeliveryStore.Done(ctx, id)
}

func (s *noteStore) Release(ctx context.Context, id string) error {
	*s.notes = append(*s.notes, "release "+id)
	if s.settle != nil {
		return s.settle(ctx)
	}
	return s.MemoryDeliveryStore.Release(ctx, id)
}

// A noteWriter writes down when the answer begins.
type noteWriter struct {
	*httptest.ResponseRecorder
	notes *[]string
}

func (w *noteWriter) WriteHeader(status int) {
	*w.notes = append(*w.notes, fmt.Sprint("answer ", status))
	w.ResponseRecorder.WriteHeader(status)
}

func (w *noteWriter) Write(p []byte) (int, error) {
	*w.notes = append(*w.notes, "answer "+strings.TrimSpace(string(p)))
	return w.ResponseRecorder.Write(p)
}

// Otherwise the sender could see its answer, and send the event again, before the store knows.
func TestADeliveryIsSettledBeforeItsAnswer(t *testing.T) {
	failure := errors.New("x")
	for name, tc := range map[string]struct {
		body string
		turn voiceFunc
		err  error
		want []string
	}{
		"handled": {apitest.TextEvent, nil, nil, []string{"claim i", "done i", "answer 200"}},
		"failed":  {apitest.TextEvent, nil, failure, []string{"claim i", "release i", "answer 500", "answer Internal Server Error"}},
		"turn": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Say("Hi.") }, nil,
			[]string{"claim i", "done i", `answer {"text":"Hi."}`}},
		// It has failed, so that the next attempt of this event may do better.
		"turn that failed after its first line": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Interim("Hm."), failure)
		}, nil, []string{"claim i", "answer 200", `answer {"text":"Hm.","interim":true}`, "release i", "answer {}"}},
		"turn that panicked after its first line": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			_ = v.Interim("Hm.")
			panic("x")
		}, nil, []string{"claim i", "answer 200", `answer {"text":"Hm.","interim":true}`, "release i", "answer {}"}},
		// To say more than is heard is a slip in a turn that went well.
		"turn that said its last words twice": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Say("Hi."), v.Say("Hi!"))
		}, nil, []string{"claim i", "done i", `answer {"text":"Hi."}`}},
		"turn that said more after its tokens": {apitest.TurnEvent, func(_ context.Context, v *agentphone.VoiceResponse) error {
			return errors.Join(v.Stream(tokens("Hi")), v.Interim("Hi!"))
		}, nil, []string{"claim i", "done i", `answer {"text":"Hi"}`}},
		// But somebody else's ErrVoiceAnswered is not this turn's.
		"turn that said nothing": {apitest.TurnEvent, func(context.Context, *agentphone.VoiceResponse) error { return agentphone.ErrVoiceAnswered }, nil,
			[]string{"claim i", "release i", "answer 500", "answer Internal Server Error"}},
	} {
		t.Run(name, func(t *testing.T) {
			var notes []string
			h := newHandler(t, agentphone.WebhookHandlerConfig{
				Deliveries: &noteStore{notes: &notes},
				OnMessage:  func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return tc.err },
				OnVoiceTurn: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
					return tc.turn(ctx, v)
				},
			})
			h.ServeHTTP(&noteWriter{httptest.NewRecorder(), &notes}, apitest.SignedRequest(tc.body, "i"))
			assert.Equal(t, tc.want, notes)
		})
	}
}

func TestTheStoreIsToldThoughTheSenderIsGone(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{"handled": {nil, "done i"}, "failed": {context.Canceled, "release i"}} {
		t.Run(name, func(t *testing.T) {
			var notes []string
			store := &noteStore{notes: &notes, settle: func(ctx context.Context) error { return ctx.Err() }}
			ctx, hangUp := context.WithCancel(t.Context())
			var logs jsonLog
			h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), Deliveries: store, OnMessage: func(ctx context.Context, _ *agentphone.Event, _ *agentphone.MessageData) error {
				hangUp()
				require.ErrorIs(t, ctx.Err(), context.Canceled)
				return tc.err
			}})
			apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "i").WithContext(ctx))
			assert.Equal(t, []string{"claim i", tc.want}, notes)
			assert.NotContains(t, logs.String(), "the delivery", "the store's context had ended")
		})
	}
}

// A store that hangs must not hold the answer back for ever; what it did not hear is logged.
func TestSettlingHasATimeLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want int
	}{"done": {nil, 200}, "release": {errors.New("x"), 500}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var notes []string
				var logs jsonLog
				store := &noteStore{notes: &notes, settle: func(ctx context.Context) error {
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(time.Hour):
						return nil
					}
				}}
				h := newHandler(t, agentphone.WebhookHandlerConfig{Logger: logs.logger(), Deliveries: store, OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return tc.err }})
				began := time.Now()
				assert.Equal(t, tc.want, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "i")).Code)
				assert.Equal(t, 5*time.Second, time.Since(began))
				assert.Contains(t, logs.String(), context.DeadlineExceeded.Error())
			})
		})
	}
}

type claimStore struct {
	agentphone.MemoryDeliveryStore
	claim agentphone.DeliveryClaim
}

func (s *claimStore) Claim(context.Context, string) (agentphone.DeliveryClaim, error) {
	return s.claim, nil
}

func TestOnlyAGrantedClaimIsHandled(t *testing.T) {
	for claim, want := range map[agentphone.DeliveryClaim]int{
		0: 409, -1: 409, 99: 409, // a store that forgets to answer, or of a later version
		agentphone.DeliveryHeld: 409, agentphone.DeliveryHandled: 200,
	} {
		h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: &claimStore{claim: claim}, OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error {
			t.Error("called back for ", claim)
			return nil
		}})
		assert.Equal(t, want, apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "i")).Code, claim)
	}
}

func TestATurnThatComesAgainIsSilence(t *testing.T) {
	calls := 0
	h := voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error {
		calls++
		return errors.Join(v.Interim("One moment."), v.Say("Done."))
	})
	first := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	assert.Contains(t, first.Body.String(), "Done.")
	again := apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_1"))
	assert.Equal(t, 200, again.Code)
	assert.Equal(t, "application/json", again.Header().Get("Content-Type"))
	assert.Equal(t, "{}\n", again.Body.String(), "a body that is none is no answer to a turn")
	assert.Equal(t, 1, calls)

	text := newHandler(t, agentphone.WebhookHandlerConfig{})
	for range 2 {
		assert.Empty(t, apitest.Serve(text, apitest.SignedRequest(apitest.TextEvent, "whd_1")).Body.String())
	}
}

// The id comes unsigned from outside: a store must not have to hold what somebody puts there.
func TestAStoreSeesNoLongIDAndDeliveriesWithoutOneByTheirBody(t *testing.T) {
	var notes, got []string
	h := newHandler(t, agentphone.WebhookHandlerConfig{Deliveries: &noteStore{notes: &notes}, OnMessage: func(_ context.Context, e *agentphone.Event, _ *agentphone.MessageData) error {
		got = append(got, e.DeliveryID)
		return nil
	}})
	claimed := func(body, id string) string {
		t.Helper()
		notes = nil
		require.Equal(t, 200, apitest.Serve(h, apitest.SignedRequest(body, id)).Code)
		require.NotEmpty(t, notes)
		return strings.TrimPrefix(notes[0], "claim ")
	}
	other := strings.Replace(apitest.TextEvent, "hi", "ho", 1)
	long := strings.Repeat("x", 4000)
	for _, tc := range []struct {
		name, body, id string
		handled        bool
	}{
		{"as long as may be", apitest.TextEvent, long[:200], true},
		{"again", apitest.TextEvent, long[:200], false},
		{"longer by a byte", apitest.TextEvent, long[:201], true},
		{"much longer", apitest.TextEvent, long, true},
		{"much longer, again with another body", other, long, false},
		{"none", apitest.TextEvent, "", true},
		{"none, again", apitest.TextEvent, "", false},
		{"none, but another body", other, "", true},
		{"none, again with the other body", other, "", false},
	} {
		before := len(got)
		id := claimed(tc.body, tc.id)
		assert.NotEmpty(t, id, tc.name)
		assert.LessOrEqual(t, len(id), 200, tc.name)
		if tc.id != "" && len(tc.id) <= 200 {
			assert.Equal(t, tc.id, id, tc.name)
		}
		require.Equal(t, tc.handled, len(got) > before, tc.name)
		if tc.handled {
			assert.Equal(t, tc.id, got[before], "the callback gets the id that came: %s", tc.name)
		}
	}
}
