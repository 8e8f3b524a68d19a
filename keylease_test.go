package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// wayToStore is a process's way to a store. What it sends while stuck is sent again over another connection, and arrives once more
// when that time has passed, whatever has become of the process. Once cut, nothing more is sent.
type wayToStore struct {
	agentphone.Store
	stuck atomic.Int64 // nanoseconds; of the next renewal
	cut   atomic.Bool
	// lapsed is called when a claim has lapsed, before the next.
	lapsed func()
}

var errCut = errors.New("no route to host")

func (s *wayToStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if s.cut.Load() {
		return nil, errCut
	}
	return s.Store.Claim(ctx, key, opts)
}

func (s *wayToStore) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	if s.cut.Load() {
		return errCut
	}
	if late := time.Duration(s.stuck.Swap(0)); late > 0 {
		time.AfterFunc(late, func() { _ = s.Store.Renew(context.WithoutCancel(ctx), c, lease, note) })
	}
	err := s.Store.Renew(ctx, c, lease, note)
	if lease == 0 && s.lapsed != nil {
		s.lapsed()
	}
	return err
}

func (s *wayToStore) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	if s.cut.Load() {
		return errCut
	}
	return s.Store.Complete(ctx, c, value)
}

// textAPI has texts, all alike, which its list shows after a lag.
type textAPI struct {
	lag   time.Duration
	mu    sync.Mutex
	texts []time.Time
}

func (a *textAPI) send() (id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.texts = append(a.texts, time.Now())
	return fmt.Sprintf(`{"id":"msg_%d"}`, len(a.texts))
}

func (a *textAPI) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.texts)
}

func (a *textAPI) list() *http.Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	var items []string
	for i, at := range a.texts {
		if time.Since(at) >= a.lag {
			items = append([]string{fmt.Sprintf(`{"id":"msg_%d","to":"+14155550123","body":"hi","direction":"outbound","receivedAt":%q}`,
				i+1, at.Format(time.RFC3339Nano))}, items...)
		}
	}
	return apitest.Response(200, `{"data":[`+strings.Join(items, ",")+`],"hasMore":false}`, "Date", time.Now().UTC().Format(http.TimeFormat))
}

// client returns the client of a process, whose looks take a time.
func (a *textAPI) client(t *testing.T, store agentphone.Store, look time.Duration, post func() (*http.Response, error)) *agentphone.Client {
	c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			return post()
		}
		time.Sleep(look)
		return a.list(), nil
	}, agentphone.WithStore(store), agentphone.WithTimeout(5*time.Minute), agentphone.WithMaxRetries(0))
	return c
}

func (a *textAPI) lose() (*http.Response, error) {
	a.send()
	return nil, io.ErrUnexpectedEOF
}

func (a *textAPI) respond() (*http.Response, error) { return apitest.Response(200, a.send()), nil }

func sendUnder(t *testing.T, c *agentphone.Client, k string) error {
	_, err := c.Messages.Send(t.Context(), plainText, key(k))
	return err
}

// A renewal that reaches the store late does not undo the note that says that a request may have gone out.
func TestWithIdempotencyKey_LateRenewalDoesNotUndoTheNoteOfARequest(t *testing.T) {
	for name, waits := range map[string]time.Duration{"crash": 4 * time.Minute, "lost response, and the store out of reach": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, store := &textAPI{lag: 5 * time.Minute}, agentphone.NewMemoryStore()
				first := api.client(t, store, 0, func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }) // without effect
				require.ErrorIs(t, sendUnder(t, first, "k"), agentphone.ErrOutcomeUnknown)
				time.Sleep(time.Hour)
				way := &wayToStore{Store: store}
				way.stuck.Store(int64(12 * time.Second))
				second := api.client(t, way, 16*time.Second, func() (*http.Response, error) {
					api.send()
					time.Sleep(5 * time.Second)
					way.cut.Store(true)
					time.Sleep(waits)
					return nil, io.ErrUnexpectedEOF
				})
				go func() { _ = sendUnder(t, second, "k") }()
				time.Sleep(80 * time.Second)
				require.Equal(t, 1, api.count())
				third := api.client(t, store, 0, api.respond)
				require.ErrorIs(t, sendUnder(t, third, "k"), agentphone.ErrOutcomeUnknown)
				time.Sleep(11 * time.Minute)
				require.NoError(t, sendUnder(t, third, "k"))
				assert.Equal(t, 1, api.count())
			})
		})
	}
}

// Nor the one that says which result the key is about to have: the key would take that of another call as well.
func TestWithIdempotencyKey_LateRenewalDoesNotUndoTheNoteOfAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, store := &textAPI{}, agentphone.NewMemoryStore()
		way := &wayToStore{Store: store}
		way.stuck.Store(int64(3 * time.Second))
		slow := api.client(t, cutAtResult{way}, 0, func() (*http.Response, error) {
			id := api.send()
			time.Sleep(12 * time.Second)
			return apitest.Response(200, id), nil
		})
		require.ErrorIs(t, sendUnder(t, slow, "a"), agentphone.ErrOutcomeUnknown)
		crashing := &wayToStore{Store: store}
		other := api.client(t, crashing, 0, func() (*http.Response, error) {
			crashing.cut.Store(true)
			return api.lose()
		})
		require.ErrorIs(t, sendUnder(t, other, "b"), agentphone.ErrOutcomeUnknown)
		c := api.client(t, store, 0, api.respond)
		for range 3 {
			time.Sleep(11 * time.Minute)
			for _, k := range []string{"a", "b"} {
				_ = sendUnder(t, c, k)
			}
		}
		require.NoError(t, sendUnder(t, c, "a"))
		require.NoError(t, sendUnder(t, c, "b"))
		assert.Equal(t, 2, api.count())
	})
}

// cutAtResult is a way that is cut when a result has been claimed.
type cutAtResult struct{ *wayToStore }

func (s cutAtResult) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	c, err := s.wayToStore.Claim(ctx, key, opts)
	if strings.HasPrefix(key, "result:") {
		s.cut.Store(true)
	}
	return c, err
}

// While the key is claimed anew somebody else may claim it: then that call is the one that may send.
func TestWithIdempotencyKey_SomebodyElseMayClaimTheKeyThatIsClaimedAnew(t *testing.T) {
	for name, post := range map[string]func(*textAPI) (*http.Response, error){
		"and has it":           func(a *textAPI) (*http.Response, error) { time.Sleep(time.Minute); return a.respond() },
		"and was cut off":      (*textAPI).lose,
		"and was refused":      func(*textAPI) (*http.Response, error) { return apitest.Response(422, `{}`), nil },
		"and has completed it": (*textAPI).respond,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, store := &textAPI{lag: 5 * time.Minute}, agentphone.NewMemoryStore()
				first := api.client(t, store, 0, func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }) // without effect
				require.ErrorIs(t, sendUnder(t, first, "k"), agentphone.ErrOutcomeUnknown)
				time.Sleep(time.Hour)
				other := api.client(t, store, 0, func() (*http.Response, error) { return post(api) })
				way := &wayToStore{Store: store, lapsed: sync.OnceFunc(func() {
					go func() { _ = sendUnder(t, other, "k") }()
					time.Sleep(time.Second)
				})}
				second := api.client(t, way, 16*time.Second, api.respond)
				err := sendUnder(t, second, "k")
				require.ErrorIs(t, err, agentphone.ErrIdempotencyKeyInUse)
				require.ErrorIs(t, err, agentphone.ErrTemporary)
				require.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
				time.Sleep(11 * time.Minute)
				require.NoError(t, sendUnder(t, second, "k"))
				assert.Equal(t, 1, api.count())
			})
		})
	}
}

// lapsesTwice sends each lapse again, as go-redis does when a connection breaks: the store returns what came of the second.
type lapsesTwice struct{ agentphone.Store }

func (s lapsesTwice) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	if lease == 0 {
		_ = s.Store.Renew(ctx, c, lease, note)
	}
	return s.Store.Renew(ctx, c, lease, note)
}

func TestWithIdempotencyKey_LapseThatIsAskedForTwiceLosesNoResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &textAPI{}
		c := api.client(t, lapsesTwice{agentphone.NewMemoryStore()}, 0, func() (*http.Response, error) {
			time.Sleep(15 * time.Second) // the claim is renewed meanwhile, and replaced for the result
			return api.respond()
		})
		for range 2 {
			require.NoError(t, sendUnder(t, c, "k"))
		}
		assert.Equal(t, 1, api.count())
	})
}
