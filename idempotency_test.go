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
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// inBubble runs f with an API in memory in a synctest bubble.
func inBubble(t *testing.T, f func(t *testing.T, srv *agentphonetest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := agentphonetest.NewServer()
		defer srv.Close()
		f(t, srv)
	})
}

func text(srv *agentphonetest.Server, body string) agentphone.SendMessageParams {
	return agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", Body: body}
}

func key(k string) agentphone.RequestOption { return agentphone.WithIdempotencyKey(k) }

func TestWithIdempotencyKey_RepeatedCallReturnsTheRecordedResult(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		first, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.NoError(t, err)
		for range 3 {
			var response agentphone.Response
			again, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"), agentphone.WithResponse(&response))
			require.NoError(t, err)
			assert.Equal(t, first, again)
			assert.True(t, response.Replayed)
			assert.False(t, response.Reconciled)
			assert.Equal(t, 0, response.Attempts)
		}
		other, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("another"))
		require.NoError(t, err)
		assert.NotEqual(t, first.ID, other.ID)
		assert.Len(t, srv.Messages(), 2)
	})
}

func TestWithIdempotencyKey_IsScopedToOperationAndSubAccount(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.NoError(t, err)
		call, err := c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x"}, key("k"))
		require.NoError(t, err)
		assert.NotEmpty(t, call.ID)
		sub, err := c.SubAccounts.Create(t.Context(), agentphone.CreateSubAccountParams{Name: "s"}, key("k"))
		require.NoError(t, err)
		var response agentphone.Response
		_, err = c.ForSubAccount(sub.ID).Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "a"}, key("k"), agentphone.WithResponse(&response))
		require.NoError(t, err)
		_, err = c.Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "a"}, key("k"), agentphone.WithResponse(&response))
		require.NoError(t, err)
		assert.False(t, response.Replayed)
	})
}

func TestWithIdempotencyKey_OtherParametersAreRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.NoError(t, err)
		_, err = c.Messages.Send(t.Context(), text(srv, "ho"), key("k"))
		require.ErrorIs(t, err, agentphone.ErrIdempotencyKeyReused)
		assert.EqualError(t, err, "agentphone: POST /v1/messages: agentphone: the idempotency key was used with other parameters")

		// Also where the first call has no result.
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500})
		_, err = c.Messages.Send(t.Context(), text(srv, "unsent"), key("k2"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		_, err = c.Messages.Send(t.Context(), text(srv, "other"), key("k2"))
		require.ErrorIs(t, err, agentphone.ErrIdempotencyKeyReused)
		time.Sleep(20 * time.Minute)
		_, err = c.Messages.Send(t.Context(), text(srv, "unsent"), key("k2"))
		require.NoError(t, err, "whoever used it with other parameters has not disturbed the first")
		assert.Len(t, srv.Messages(), 2)
	})
}

// The query counts as parameters, too.
func TestWithIdempotencyKey_OtherQueryIsRefused(t *testing.T) {
	lookup := func(number string) func(ctx context.Context, c *agentphone.Client) error {
		return func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Numbers.Lookup(ctx, agentphone.LookupNumbersParams{PhoneNumbers: []string{number}}, key("k"))
			return err
		}
	}
	send := func(test string) func(ctx context.Context, c *agentphone.Client) error {
		return func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.React(ctx, "msg_1", agentphone.ReactParams{Reaction: agentphone.ReactionLove},
				key("k"), agentphone.WithRequestQuery("test", test))
			return err
		}
	}
	for name, calls := range map[string][2]func(ctx context.Context, c *agentphone.Client) error{
		"parameters of a GET": {lookup("+14155550111"), lookup("+14155550122")},
		"WithRequestQuery":    {send("1"), send("2")},
	} {
		t.Run(name, func(t *testing.T) {
			c, api := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1","data":[]}`))
			require.NoError(t, calls[0](t.Context(), c))
			require.ErrorIs(t, calls[1](t.Context(), c), agentphone.ErrIdempotencyKeyReused)
			require.NoError(t, calls[0](t.Context(), c))
			assert.Len(t, api.Requests(), 1)
		})
	}
}

func TestWithIdempotencyKey_BadInputSendsNothing(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`))
	params := agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}
	for name, k := range map[string]string{"empty": "", "too long": strings.Repeat("k", 256), "control character": "a\nb"} {
		_, err := c.Messages.Send(t.Context(), params, key(k))
		require.ErrorIs(t, err, agentphone.ErrValidation, name)
	}
	_, err := c.Agents.Get(t.Context(), "agt_1", key("k"))
	require.ErrorIs(t, err, agentphone.ErrValidation, "idempotent")
	require.ErrorIs(t, c.Do(t.Context(), "DELETE", "/v1/x", nil, nil, key("k")), agentphone.ErrValidation)
	assert.Empty(t, s.Requests())
	for name, opt := range map[string]agentphone.Option{
		"nil store": agentphone.WithStore(nil), "nil pointer": agentphone.WithStore((*agentphone.MemoryStore)(nil)),
		"settle time": agentphone.WithSettleTime(0), "retention": agentphone.WithKeyRetention(-1),
	} {
		_, err := agentphone.NewClient(apitest.Key, opt)
		require.ErrorIs(t, err, agentphone.ErrValidation, name)
	}
	_, err = c.Messages.Send(t.Context(), params, key(strings.Repeat("k", 255)))
	require.NoError(t, err)
}

// Of lists that are asked without the query, or that it filters, nobody knows whether they would show the effect.
func TestWithIdempotencyKey_QueryOfACallThatIsLookedForIsRefused(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`))
	query := agentphone.WithRequestQuery("workspace", "w2")
	_, err := c.Messages.Send(t.Context(), plainText, query, key("k"))
	require.ErrorIs(t, err, agentphone.ErrValidation)
	_, err = c.Calls.CreateAndWait(t.Context(), validCall, agentphone.WaitParams{}, key("k"), query)
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Empty(t, s.Requests())
	_, err = c.Messages.Send(t.Context(), plainText, query)
	require.NoError(t, err, "without a key")
	require.NoError(t, c.Do(t.Context(), "POST", "/v1/things", nil, nil, query, key("k")), "nothing is looked for")
}

// What certainly had no effect frees the key.
func TestWithIdempotencyKey_CertainFailureFreesIt(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client(agentphone.WithMaxRetries(0))
		for _, status := range []int{400, 402, 429} {
			srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: status})
			_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
			require.Error(t, err)
			require.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		}
		var response agentphone.Response
		_, err := c.Messages.Send(t.Context(), text(srv, "other now"), key("k"), agentphone.WithResponse(&response))
		require.NoError(t, err)
		assert.False(t, response.Replayed)
		assert.Len(t, srv.Messages(), 1)
	})
}

// A response that is lost after the effect: the effect is found in the lists, at once.
func TestWithIdempotencyKey_LostResponseIsReconciled(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		ctx := t.Context()
		for name, call := range map[string]struct {
			operation string
			do        func(opts ...agentphone.RequestOption) (string, error)
		}{
			"message": {"POST /v1/messages", func(opts ...agentphone.RequestOption) (string, error) {
				m, err := c.Messages.Send(ctx, text(srv, "hi"), opts...)
				return resultIDOf(m, err, func() string { return m.ID })
			}},
			"call": {"POST /v1/calls", func(opts ...agentphone.RequestOption) (string, error) {
				call, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "x"}, opts...)
				return resultIDOf(call, err, func() string { return call.ID })
			}},
			"number": {"POST /v1/numbers", func(opts ...agentphone.RequestOption) (string, error) {
				n, err := c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AreaCode: "212"}, opts...)
				return resultIDOf(n, err, func() string { return n.ID })
			}},
			"agent": {"POST /v1/agents", func(opts ...agentphone.RequestOption) (string, error) {
				a, err := c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "new"}, opts...)
				return resultIDOf(a, err, func() string { return a.ID })
			}},
			"contact": {"POST /v1/contacts", func(opts ...agentphone.RequestOption) (string, error) {
				a, err := c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: "+14155550177", Name: "n"}, opts...)
				return resultIDOf(a, err, func() string { return a.ID })
			}},
			"sub-account": {"POST /v1/sub-accounts", func(opts ...agentphone.RequestOption) (string, error) {
				a, err := c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "new"}, opts...)
				return resultIDOf(a, err, func() string { return a.ID })
			}},
		} {
			srv.InjectFault(agentphonetest.Fault{Operation: call.operation, Reset: true})
			var response agentphone.Response
			id, err := call.do(key("k"), agentphone.WithResponse(&response))
			require.NoError(t, err, name)
			require.NotEmpty(t, id, name)
			assert.True(t, response.Reconciled, name)
			again, err := call.do(key("k"), agentphone.WithResponse(&response))
			require.NoError(t, err, name)
			assert.Equal(t, id, again, name)
			assert.True(t, response.Replayed, name)
		}
		assert.Len(t, srv.Messages(), 1)
		assert.Len(t, srv.Calls(), 1)
	})
}

func resultIDOf[T any](v *T, err error, id func() string) (string, error) {
	if err != nil {
		return "", err
	}
	return id(), nil
}

// A request that was lost before the effect: nothing is sent again until it is certain that there was none.
func TestWithIdempotencyKey_UnknownIsSentAgainOnlyOnceItHasSettled(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500})
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		require.NotErrorIs(t, err, agentphone.ErrTemporary)
		var pending *agentphone.PendingError
		require.ErrorAs(t, err, &pending)
		assert.Equal(t, 10*time.Minute, pending.RetryAfter)
		began := time.Now()
		for time.Since(began) < 10*time.Minute-time.Second { // asking often does not put it off
			_, err = c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
			require.ErrorAs(t, err, &pending)
			require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Equal(t, 10*time.Minute-time.Since(began), pending.RetryAfter)
			assert.Empty(t, srv.Messages())
			time.Sleep(min(70*time.Second, pending.RetryAfter-time.Second))
		}
		time.Sleep(time.Second)
		var response agentphone.Response
		_, err = c.Messages.Send(t.Context(), text(srv, "hi"), key("k"), agentphone.WithResponse(&response))
		require.NoError(t, err)
		assert.False(t, response.Reconciled || response.Replayed)
		assert.Len(t, srv.Messages(), 1)
	})
}

// Two calls with equal parameters and different keys, whose responses are both lost, are two messages.
func TestWithIdempotencyKey_TwoKeysNeverSettleOnOneResult(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		ids := map[string]bool{}
		for _, k := range []string{"a", "b", "c"} {
			srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true})
			m, err := c.Messages.Send(t.Context(), text(srv, "hi"), key(k))
			require.NoError(t, err)
			ids[m.ID] = true
		}
		assert.Len(t, ids, 3)

		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500}) // no effect
		_, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("d"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown, "the others' messages are not its own")
		assert.Len(t, srv.Messages(), 3)
	})
}

func TestWithIdempotencyKey_ConcurrentCallsAreOneMessage(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	store := agentphone.NewMemoryStore()
	var all sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]int{}
	for range 64 {
		c := srv.Client(agentphone.WithStore(store))
		all.Go(func() {
			for {
				m, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
				if errors.Is(err, agentphone.ErrIdempotencyKeyInUse) {
					assert.ErrorIs(t, err, agentphone.ErrTemporary)
					var pending *agentphone.PendingError
					assert.ErrorAs(t, err, &pending)
					assert.Positive(t, pending.RetryAfter)
					continue
				}
				if assert.NoError(t, err) {
					mu.Lock()
					ids[m.ID]++
					mu.Unlock()
				}
				return
			}
		})
	}
	all.Wait()
	assert.Len(t, ids, 1)
	assert.Len(t, srv.Messages(), 1)
}

// Operations whose effect no list shows stay unknown: nothing is sent again under their key.
func TestWithIdempotencyKey_WhatNoListShowsStaysUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/webhooks", Reset: true})
		set := func() error {
			_, err := c.Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "https://example.com/hook"}, key("k"))
			return err
		}
		for range 3 {
			err := set()
			require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			var pending *agentphone.PendingError
			require.ErrorAs(t, err, &pending)
			assert.Zero(t, pending.RetryAfter)
			time.Sleep(time.Hour)
		}
		sent := 0
		for _, r := range srv.Requests() {
			if r.Operation == "POST /v1/webhooks" {
				sent++
			}
		}
		assert.Equal(t, 1, sent)
	})
}

// A store that cannot be asked: nothing is sent.
func TestWithIdempotencyKey_StoreThatFailsBeforeSendsNothing(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`), agentphone.WithStore(faultyStore{err: errors.New("connection refused")}))
	_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, key("k"))
	require.ErrorIs(t, err, agentphone.ErrTemporary)
	require.NotErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	assert.EqualError(t, err, "agentphone: POST /v1/messages: the store of idempotency keys: connection refused")
	assert.Empty(t, s.Requests())
}

// silentStore returns neither a claim nor an error, or one of no status.
type silentStore struct {
	agentphone.Store
	claim *agentphone.Claim
	keys  string // with this prefix
}

func (s silentStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if strings.HasPrefix(key, s.keys) {
		return s.claim, nil
	}
	return s.Store.Claim(ctx, key, opts)
}

func TestWithIdempotencyKey_StoreThatReturnsNothingIsAnError(t *testing.T) {
	for name, claim := range map[string]*agentphone.Claim{"nil": nil, "no status": {}} {
		for keys, sent := range map[string]int{"send:": 0, "result:": 1} {
			t.Run(name+" "+keys, func(t *testing.T) {
				c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"x_1"}`), agentphone.WithStore(silentStore{agentphone.NewMemoryStore(), claim, keys}))
				_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, key("k"))
				require.ErrorContains(t, err, "the store returned neither a claim nor an error")
				assert.Equal(t, sent == 1, errors.Is(err, agentphone.ErrOutcomeUnknown))
				assert.Len(t, s.Requests(), sent)
			})
		}
	}
}

// The API has no business to quote the key; if it does, the store does not get to know it.
// What a hostile server responds with neither fills the store nor takes much memory to be written there.
func TestWithIdempotencyKey_LargeResponseIsNotRecorded(t *testing.T) {
	for name, text := range map[string]string{"escaped in JSON": "<", "keys": apitest.Key} {
		t.Run(name, func(t *testing.T) {
			body := `{"id":"call_1","x":"` + strings.Repeat(text, 15<<20/len(text)) + `"}`
			store := agentphone.NewMemoryStore()
			c, s := apitest.NewClient(t, apitest.Always(200, body), agentphone.WithStore(store))
			var err error
			grown := apitest.HeapGrowth(func() {
				err = apitest.Err(c.Calls.CreateWeb(t.Context(), agentphone.CreateWebCallParams{AgentID: "a"}, key("k")))
			})
			require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			require.ErrorContains(t, err, "larger than 64 KiB")
			assert.Less(t, grown>>20, uint64(64), "MiB")

			err = apitest.Err(c.Calls.CreateWeb(t.Context(), agentphone.CreateWebCallParams{AgentID: "a"}, key("k")))
			require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			assert.Len(t, s.Requests(), 1, "it may have taken effect, so it is not sent again")
		})
	}
}

func TestWithIdempotencyKey_StoreNeverHasTheAPIKey(t *testing.T) {
	for _, status := range []int{200, 401, 500} {
		kept := &keptStore{Store: agentphone.NewMemoryStore()}
		c, _ := apitest.NewClient(t, apitest.Always(status, `{"id":"x_1","status":"Bearer `+apitest.Key+`","detail":"`+apitest.Key+`"}`),
			agentphone.WithStore(kept), agentphone.WithMaxRetries(0))
		for range 2 {
			_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, key("k"))
			assert.Equal(t, status == 200, err == nil, "%d: %v", status, err)
		}
		assert.NotEmpty(t, kept.written, status)
		assert.NotContains(t, strings.Join(kept.written, "\n"), apitest.Key, status)
	}
}

// A key that is part of an id by chance, such as one for a server of one's own, is left in it.
func TestWithIdempotencyKey_ResultIsTheSameWithAShortKey(t *testing.T) {
	for _, apiKey := range []string{"t", "test", "msg", "sk_live"} {
		s := &apitest.Stub{Respond: apitest.Always(200, `{"id":"msg_test_1","status":"queued sk_live"}`)}
		c, err := agentphone.NewClient(apiKey, agentphone.WithHTTPClient(&http.Client{Transport: s}))
		require.NoError(t, err)
		var sent []*agentphone.SentMessage
		for range 2 {
			m, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, key("k"))
			require.NoError(t, err)
			sent = append(sent, m)
		}
		assert.Equal(t, "msg_test_1", sent[1].ID, apiKey)
		assert.Equal(t, sent[0], sent[1], apiKey)
		assert.Len(t, s.Requests(), 1)
	}
}

// keptStore notes all that it is given.
type keptStore struct {
	agentphone.Store
	written []string
}

func (s *keptStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	s.written = append(s.written, key, string(opts.Note))
	return s.Store.Claim(ctx, key, opts)
}

func (s *keptStore) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	s.written = append(s.written, string(note))
	return s.Store.Renew(ctx, c, lease, note)
}

func (s *keptStore) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	s.written = append(s.written, string(value))
	return s.Store.Complete(ctx, c, value)
}

// assertReconciled repeats a call whose text was sent, and requires that it finds that text and sends none.
func assertReconciled(t *testing.T, srv *agentphonetest.Server, c *agentphone.Client) {
	t.Helper()
	var response agentphone.Response
	m, err := c.Messages.Send(t.Context(), text(srv, "hi"), key("k"), agentphone.WithResponse(&response))
	require.NoError(t, err)
	assert.True(t, response.Reconciled)
	require.Len(t, srv.Messages(), 1)
	assert.Equal(t, srv.Messages()[0].ID, m.ID)
}

type faultyStore struct {
	agentphone.Store
	err       error
	completes bool // Complete fails
	renews    bool // Renew fails
}

func (s faultyStore) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Store.Claim(ctx, key, opts)
}

func (s faultyStore) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	if s.completes {
		return errors.New("store is down")
	}
	return s.Store.Complete(ctx, c, value)
}

func (s faultyStore) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	if s.renews {
		return errors.New("store is down")
	}
	return s.Store.Renew(ctx, c, lease, note)
}

// No attempt goes out without a lease: where it cannot be renewed, the wait for a retry ends with it.
func TestWithIdempotencyKey_NothingIsSentWithoutALease(t *testing.T) {
	for name, renews := range map[string]bool{"renewed": false, "not renewed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent []time.Duration
				began := time.Now()
				c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
					sent = append(sent, time.Since(began))
					if n < 3 {
						return apitest.Response(429, "", "Retry-After", "50"), nil
					}
					return apitest.Response(200, `{"id":"x_1"}`), nil
				}, agentphone.WithStore(&faultyStore{Store: agentphone.NewMemoryStore(), renews: renews}))
				_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, key("k"))
				if !renews {
					require.NoError(t, err)
					assert.Len(t, sent, 3)
					return
				}
				require.ErrorIs(t, err, agentphone.ErrTemporary, "%v", err)
				require.ErrorIs(t, err, agentphone.ErrClaimLost)
				assert.Len(t, sent, 1)
				assert.Equal(t, 30*time.Second, time.Since(began))
			})
		})
	}
}

// A process that was stopped for a while finds all its timers due at once: those of the retries and those of the leases.
func TestWithIdempotencyKey_NothingIsSentWhenTheLeaseEndsWithTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 256
		var early, late atomic.Int32
		began := time.Now()
		c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
			if time.Since(began) > 0 {
				late.Add(1)
			}
			early.Add(1)
			return apitest.Response(503, "", "Retry-After", "30"), nil
		}, agentphone.WithRetryWait(time.Nanosecond, time.Nanosecond), agentphone.WithStore(&faultyStore{Store: agentphone.NewMemoryStore(), renews: true}))
		for i := range calls {
			go func() {
				_, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: "a", ToNumber: "+14155550123", Body: "b"}, key(fmt.Sprint(i)))
				assert.ErrorIs(t, err, agentphone.ErrClaimLost)
			}()
		}
		synctest.Wait()
		assert.EqualValues(t, calls, early.Load())
		time.Sleep(time.Hour)
		assert.Zero(t, late.Load())
	})
}

// A store that says that the claim is lost, for it has forgotten it, or somebody else has it, ends the call at its first renewal, whatever that
// was doing. What was sent may have taken effect, and nothing is sent any more.
func TestWithIdempotencyKey_NothingIsSentOnceTheClaimIsLost(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	for name, tc := range map[string]struct {
		respond func(r *http.Request) (*http.Response, error)
		unsent  bool
	}{
		"while it waits for a retry": {func(*http.Request) (*http.Response, error) {
			return apitest.Response(429, "", "Retry-After", "15"), nil
		}, true},
		"while it waits for the response": {hang, false},
		"while it looks for the effect": {func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				return nil, io.ErrUnexpectedEOF
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts, began := 0, time.Now()
				c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						posts++
					}
					return tc.respond(r)
				}), agentphone.WithStore(forgetfulStore{agentphone.NewMemoryStore()}))
				_, err := c.Messages.Send(t.Context(), plainText, key("k"))
				require.ErrorIs(t, err, agentphone.ErrClaimLost)
				require.NotErrorIs(t, err, context.Canceled)
				assert.Equal(t, tc.unsent, errors.Is(err, agentphone.ErrTemporary), "%v", err)
				assert.Equal(t, !tc.unsent, errors.Is(err, agentphone.ErrOutcomeUnknown), "%v", err)
				assert.Equal(t, 10*time.Second, time.Since(began), "the first renewal")
				assert.Equal(t, 1, posts)
			})
		})
	}
}

// forgetfulStore knows nothing of the claims that it has granted.
type forgetfulStore struct{ agentphone.Store }

func (forgetfulStore) Renew(context.Context, *agentphone.Claim, time.Duration, []byte) error {
	return agentphone.ErrClaimLost
}

// A process that crashes after it has sent leaves its claim to lapse; whoever repeats the call finds the effect.
func TestWithIdempotencyKey_CrashIsReconciledByAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		store := agentphone.NewMemoryStore()
		crashed, crash := context.WithCancelCause(t.Context())
		hung := srv.Client(agentphone.WithStore(&crashingStore{Store: store, crashed: crashed}))
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Delay: 5 * time.Second}) // after the effect
		go func() { _, _ = hung.Messages.Send(crashed, text(srv, "hi"), key("k")) }()
		time.Sleep(time.Second)
		crash(errors.New("killed"))
		synctest.Wait()
		other := srv.Client(agentphone.WithStore(store))
		_, err := other.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.ErrorIs(t, err, agentphone.ErrIdempotencyKeyInUse, "for one lease")
		time.Sleep(30 * time.Second)
		assertReconciled(t, srv, other)
	})
}

// crashingStore does nothing any more once its process has crashed.
type crashingStore struct {
	agentphone.Store
	crashed context.Context
}

func (s *crashingStore) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	if s.crashed.Err() != nil {
		return s.crashed.Err()
	}
	return s.Store.Complete(ctx, c, value)
}

func (s *crashingStore) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	if s.crashed.Err() != nil {
		return s.crashed.Err()
	}
	return s.Store.Renew(ctx, c, lease, note)
}
