package agentphone_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// What took effect and is not recognized in its list takes effect again: a list may spell what was sent in its own way, or leave it out.
func TestWithIdempotencyKey_EffectIsFoundHoweverTheListSpellsIt(t *testing.T) {
	message := item{"id": "x", "from": "+14155550100", "to": "+14155550123", "body": "hi", "direction": "outbound"}
	sent := func(to, body string) func(context.Context, *agentphone.Client) error {
		return func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{NumberID: "num_1", ToNumber: to, Body: body}, key("k"))
			return err
		}
	}
	hi := sent("+14155550123", "hi")
	call := item{"id": "x", "agentId": "agt_1", "toNumber": "+14155559999", "direction": "outbound", "status": "in-progress"}
	placed := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+14155559999", FromNumberID: "num_1"}, key("k"))
		return err
	}
	number := item{"id": "x", "phoneNumber": "+14155550100", "country": "US"}
	bought := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: "US", AreaCode: "415"}, key("k"))
		return err
	}
	contact := item{"id": "x", "phoneNumber": "+14155550123", "name": "Ada"}
	created := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: "+14155550123", Name: "Ada"}, key("k"))
		return err
	}
	for name, tc := range map[string]struct {
		call func(context.Context, *agentphone.Client) error
		item item
	}{
		"text":                              {hi, message},
		"text to ten digits":                {hi, with(message, item{"to": "4155550123"})},
		"text to eleven digits":             {hi, with(message, item{"to": "14155550123"})},
		"text to a tel: URI":                {hi, with(message, item{"to": "tel:+14155550123"})},
		"text to a whatsapp: URI":           {hi, with(message, item{"to": "whatsapp:+14155550123"})},
		"text to a number with dashes":      {hi, with(message, item{"to": "+1 (415) 555-0123"})},
		"text to abroad, without its +":     {sent("+447700900123", "hi"), with(message, item{"to": "447700900123"})},
		"text to a short code":              {sent("12345", "hi"), with(message, item{"to": "12345"})},
		"text to an address in capitals":    {sent("Ada@Example.com", "hi"), with(message, item{"to": "ada@example.com"})},
		"text that is outbound-api":         {hi, with(message, item{"direction": "outbound-api"})},
		"text that is Outgoing":             {hi, with(message, item{"direction": "Outgoing"})},
		"text of no direction":              {hi, with(message, item{"direction": nil})},
		"text with other quotation marks":   {sent("+14155550123", "It\u2019s \u201con\u201d \u2013 now\u2026"), with(message, item{"body": `It's "on" - now...`})},
		"text without what does not show":   {sent("+14155550123", "a\u200bb \u2764\ufe0f"), with(message, item{"body": "ab \u2764"})},
		"text escaped as HTML":              {sent("+14155550123", "a < b & c"), with(message, item{"body": "a &lt; b &amp; c"})},
		"text that was trimmed":             {sent("+14155550123", " hi\n"), message},
		"call":                              {placed, call},
		"call to ten digits":                {placed, with(call, item{"toNumber": "4155559999"})},
		"call of no agent":                  {placed, with(call, item{"agentId": nil})},
		"call from a number":                {placed, with(call, item{"phoneNumberId": "num_1"})},
		"number":                            {bought, number},
		"number of ten digits":              {bought, with(number, item{"phoneNumber": "4155550100"})},
		"number of no country":              {bought, with(number, item{"country": nil})},
		"number of a country in lower case": {bought, with(number, item{"country": "us"})},
		"contact":                           {created, contact},
		"contact with ten digits":           {created, with(contact, item{"phoneNumber": "4155550123"})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				posts, again := callTwice(t, tc.call, with(item{"receivedAt": now, "startedAt": now, "createdAt": now}, tc.item))
				require.NoError(t, again)
				assert.Equal(t, 1, posts)
			})
		})
	}
}

// What a list shows may be what was sent, or not: nobody can tell, so it is not sent again.
func TestWithIdempotencyKey_WhatMayBeTheEffectIsNotSentAgain(t *testing.T) {
	long := strings.Repeat("words ", 300)
	send := func(body string) func(context.Context, *agentphone.Client) error {
		return func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: body}, key("k"))
			return err
		}
	}
	for name, tc := range map[string]struct {
		call func(context.Context, *agentphone.Client) error
		item item
	}{
		"a text with a line more":            {send("hi"), item{"to": "+14155550123", "body": "hi\nReply STOP to opt out", "direction": "outbound"}},
		"a text whose end is gone":           {send(long), item{"to": "+14155550123", "body": long[:1600], "direction": "outbound"}},
		"a text with a non-breaking hyphen":  {send("9\u201110 today"), item{"to": "+14155550123", "body": "9-10 today", "direction": "outbound"}},
		"a text with German quotation marks": {send("\u201eja\u201c \u00abnein\u00bb"), item{"to": "+14155550123", "body": `"ja" <<nein>>`, "direction": "outbound"}},
		"a text without its accents":         {send("Un caf\u00e9 \u00e0 Orl\u00e9ans"), item{"to": "+14155550123", "body": "Un cafe a Orleans", "direction": "outbound"}},
		"a text in another form of Unicode":  {send("Un caf\u00e9 au lait"), item{"to": "+14155550123", "body": "Un cafe\u0301 au lait", "direction": "outbound"}},
		"a text without its emoji":           {send("See you \U0001F44B"), item{"to": "+14155550123", "body": "See you ?", "direction": "outbound"}},
		"a sub-account of no time": {func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "Ada"}, key("k"))
			return err
		}, item{"id": "x", "name": "Ada", "createdAt": nil}},
		"an agent of no time": {func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "Ada"}, key("k"))
			return err
		}, item{"id": "x", "name": "Ada"}},
		"a number of no time": {func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: "US"}, key("k"))
			return err
		}, item{"id": "x", "phoneNumber": "+14155550100", "country": "US"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts, again := callTwice(t, tc.call, with(item{"receivedAt": time.Now()}, tc.item))
				require.ErrorIs(t, again, agentphone.ErrOutcomeUnknown)
				var pending *agentphone.PendingError
				require.ErrorAs(t, again, &pending)
				assert.Zero(t, pending.RetryAfter)
				assert.Equal(t, 1, posts)
			})
		})
	}
}

type item = map[string]any

func with(base, over item) item {
	out := maps.Clone(base)
	maps.Copy(out, over)
	return out
}

// callTwice makes a call whose response is lost, and again an hour later, when its list shows an item. It returns
// how often the request was sent, and the second error.
func callTwice(t *testing.T, call func(context.Context, *agentphone.Client) error, shown item) (posts int, again error) {
	t.Helper()
	began := time.Now()
	c, _ := apitest.NewClient(t, func(_ int, r apitest.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			posts++
			return nil, io.ErrUnexpectedEOF
		}
		items := []item{}
		if time.Since(began) > 0 { // lists lag
			items = append(items, shown)
		}
		body, err := json.Marshal(item{"data": items, "hasMore": false})
		require.NoError(t, err)
		return apitest.Response(200, string(body)), nil
	})
	require.ErrorIs(t, call(t.Context(), c), agentphone.ErrOutcomeUnknown)
	time.Sleep(time.Hour)
	again = call(t.Context(), c)
	return posts, again
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

// Another text to the same person is no doubt: the request is sent again, for it had no effect.
func TestWithIdempotencyKey_OtherTextsAreNoDoubt(t *testing.T) {
	for sent, listed := range map[string]string{
		"Your code is 1042":                "Your code is 1043",
		"hi":                               "hi there",
		"Un caf\u00e9 \u00e0 Orl\u00e9ans": "Un th\u00e9 \u00e0 Orl\u00e9ans",
		"\u4f60\u597d":                     "\u518d\u89c1",
		"ok":                               "L'\u00e9t\u00e9 \u00e0 l'\u00e9cole de la Corr\u00e8ze, \u00e0 pied ou \u00e0 v\u00e9lo, ok",
	} {
		t.Run(sent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts, again := callTwice(t, func(ctx context.Context, c *agentphone.Client) error {
					_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: sent}, key("k"))
					return err
				}, item{"id": "y", "to": "+14155550123", "body": listed, "direction": "outbound", "receivedAt": time.Now()})
				require.ErrorIs(t, again, agentphone.ErrOutcomeUnknown, "its response is lost, too")
				assert.Equal(t, 2, posts)
			})
		})
	}
}
