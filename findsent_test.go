package agentphone_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMessagesFindSent_ListsWhatFits(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		params := text(srv, "hi")
		_, err := c.Messages.Send(t.Context(), params)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		began := time.Now()
		var want []string
		for range 3 {
			m, err := c.Messages.Send(t.Context(), params)
			require.NoError(t, err)
			want = append([]string{m.ID}, want...)
			time.Sleep(time.Second)
		}
		_, err = c.Messages.Send(t.Context(), text(srv, "ho"))
		require.NoError(t, err)
		srv.ReceiveMessage("+14155550123", srv.PhoneNumber(), "hi")
		found, err := c.Messages.FindSent(t.Context(), params, began)
		require.NoError(t, err)
		var got []string
		for _, m := range found {
			got = append(got, m.ID)
		}
		assert.Equal(t, want, got)
		for _, from := range []agentphone.SendMessageParams{
			{NumberID: srv.NumberID(), ToNumber: params.ToNumber, Body: "hi"}, {FromNumber: srv.PhoneNumber(), ToNumber: params.ToNumber, Body: "hi"},
		} {
			found, err := c.Messages.FindSent(t.Context(), from, began)
			require.NoError(t, err)
			assert.Len(t, found, 3, fmt.Sprint(from))
		}
		_, err = c.Messages.FindSent(t.Context(), agentphone.SendMessageParams{AgentID: srv.AgentID(), Recipients: []string{"+14155550101", "+14155550102"}, Body: "b"}, began)
		require.ErrorIs(t, err, agentphone.ErrValidation)
	})
}

// The number that a text was sent from may belong to another agent by now.
func TestWithIdempotencyKey_NumberThatWasMovedIsSearched(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		sendUnknown(t, srv, c, "k")
		other, err := c.Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "other"})
		require.NoError(t, err)
		require.NoError(t, c.Agents.DetachNumber(t.Context(), srv.AgentID(), srv.NumberID()))
		require.NoError(t, apitest.Err(c.Agents.AttachNumber(t.Context(), other.ID, agentphone.AttachNumberParams{NumberID: srv.NumberID()})))
		time.Sleep(11 * time.Minute)
		_, err = c.Messages.Send(t.Context(), text(srv, "hi"), key("k"))
		require.NoError(t, err)
		assert.Len(t, srv.Messages(), 1)
	})
}

// Of a number that is not listed any more nothing can be said.
func TestWithIdempotencyKey_NumberThatIsGoneLeavesItUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *agentphonetest.Server) {
		c := srv.Client()
		params := agentphone.SendMessageParams{FromNumber: srv.PhoneNumber(), ToNumber: "+14155550123", Body: "hi"}
		srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: 500})
		_, err := c.Messages.Send(t.Context(), params, key("k"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		_, err = c.Numbers.Release(t.Context(), srv.NumberID())
		require.NoError(t, err)
		time.Sleep(11 * time.Minute)
		_, err = c.Messages.Send(t.Context(), params, key("k"))
		require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
		require.ErrorContains(t, err, "from_number")
	})
}

// A number whose texts cannot be listed hides no effect on another. While there is none nobody can tell, and asking again is of no use.
func TestWithIdempotencyKey_NumberThatCannotBeListed(t *testing.T) {
	for _, effect := range []bool{true, false} {
		t.Run(fmt.Sprint(effect), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts, sentAt := 0, time.Now().UTC().Format(time.RFC3339)
				c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
					switch {
					case r.Method == http.MethodPost:
						posts++
						return nil, io.ErrUnexpectedEOF
					case r.Path == "/v1/numbers":
						return apitest.Response(200, `{"data":[{"id":"num_1","agentId":"agt_2"},{"id":"num_2","agentId":"agt_2"}],"hasMore":false,"total":2}`), nil
					case r.Path == "/v1/numbers/num_1/messages":
						return apitest.Response(403, `{"detail":"suspended"}`), nil
					case !effect:
						return apitest.Response(200, `{"data":[],"hasMore":false}`), nil
					}
					return apitest.Response(200, `{"data":[{"id":"m","to":"+14155550123","body":"hi","receivedAt":"`+sentAt+`"}],"hasMore":false}`), nil
				})
				for range 2 {
					_, err := c.Messages.Send(t.Context(), validSend, key("k"))
					if effect {
						require.NoError(t, err)
						continue
					}
					var pending *agentphone.PendingError
					require.ErrorAs(t, err, &pending)
					require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
					require.ErrorContains(t, err, "suspended")
					assert.Zero(t, pending.RetryAfter)
					time.Sleep(time.Hour)
				}
				assert.Equal(t, 1, posts)
			})
		})
	}
}

// A gateway that has no backend says nothing of a number: it may be listed in a moment.
func TestWithIdempotencyKey_NumberThatAGatewayHidesIsAskedForAgain(t *testing.T) {
	c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			return nil, io.ErrUnexpectedEOF
		}
		return apitest.Response(404, "no backend"), nil
	})
	_, err := c.Messages.Send(t.Context(), validSend, key("k"))
	var pending *agentphone.PendingError
	require.ErrorAs(t, err, &pending)
	assert.NotZero(t, pending.RetryAfter)
}

// Of some messages no list shows what they were: nothing there proves that one was not sent, however long ago.
func TestWithIdempotencyKey_MessageThatCannotBeFoundIsNotSentAgain(t *testing.T) {
	group := []string{"+14155550101", "+14155550102"}
	for name, params := range map[string]agentphone.SendMessageParams{
		"to a group":           {AgentID: "agt_1", ToNumber: "grp_1", Body: "hi"},
		"that starts a group":  {AgentID: "agt_1", Recipients: group, Body: "hi"},
		"from a template":      {AgentID: "agt_1", ToNumber: "+14155550123", Channel: agentphone.ChannelWhatsApp, Template: &agentphone.WhatsAppTemplate{Name: "reminder"}},
		"with media only":      {AgentID: "agt_1", ToNumber: "+14155550123", MediaURL: "https://example.com/a.png"},
		"of blanks, and media": {AgentID: "agt_1", ToNumber: "+14155550123", Body: " ", MediaURL: "https://example.com/a.png"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts := 0
				c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						posts++
						return nil, io.ErrUnexpectedEOF
					}
					return apitest.Response(200, `{"data":[],"hasMore":false}`), nil
				})
				for range 3 {
					_, err := c.Messages.Send(t.Context(), params, key("k"))
					require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
					var pending *agentphone.PendingError
					require.ErrorAs(t, err, &pending)
					assert.Zero(t, pending.RetryAfter, fmt.Sprint("it never is: ", err))
					time.Sleep(time.Hour)
				}
				assert.Equal(t, 1, posts)
				_, err := c.Messages.FindSent(t.Context(), params, time.Now())
				require.ErrorIs(t, err, agentphone.ErrValidation)
			})
		})
	}
}
