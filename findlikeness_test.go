package agentphone_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
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
		"text with an okina":                {sent("+14155550123", "Hawai\u02bbi"), with(message, item{"body": "Hawai'i"})},
		"text escaped as HTML again":        {sent("+14155550123", "a < b & c"), with(message, item{"body": "a &amp;amp;lt; b &amp;amp; c"})},
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
	sent := func(to string) func(context.Context, *agentphone.Client) error {
		return func(ctx context.Context, c *agentphone.Client) error {
			_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{NumberID: "num_1", ToNumber: to, Body: "hi"}, key("k"))
			return err
		}
	}
	placed := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: "agt_1", ToNumber: "+442079460000"}, key("k"))
		return err
	}
	bought := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: "US", AreaCode: "415"}, key("k"))
		return err
	}
	contact := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: "+442079460000", Name: "Ada"}, key("k"))
		return err
	}
	agent := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "Ada"}, key("k"))
		return err
	}
	account := func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "Ada"}, key("k"))
		return err
	}
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // as in a bubble
	message := func(to any) item { return item{"to": to, "body": "hi", "direction": "outbound", "receivedAt": now} }
	call := func(to any) item {
		return item{"agentId": "agt_1", "toNumber": to, "direction": "outbound", "startedAt": now}
	}
	for name, tc := range map[string]struct {
		call func(context.Context, *agentphone.Client) error
		item item
	}{
		"a text to a British number without its code":  {sent("+442079460000"), message("2079460000")},
		"a text to a British number, as dialed there":  {sent("+442079460000"), message("020 7946 0000")},
		"a text to a Mexican number without its code":  {sent("+525512345678"), message("5512345678")},
		"a text to a Russian number, as dialed there":  {sent("+79121234567"), message("8 (912) 123-45-67")},
		"a text to a Hungarian one, as dialed there":   {sent("+36201234567"), message("tel:06201234567")},
		"a text to a number without its area code":     {sent("+14155550123"), message("555-0123")},
		"a text to a short number without its code":    {sent("+376312345"), message("312345")},
		"a text to a Mexican mobile":                   {sent("+525512345678"), message("+5215512345678")},
		"a text to an Argentinian landline":            {sent("+5491112345678"), message("541112345678")},
		"a text to a number that is masked":            {sent("+14155550123"), message("+1415***0123")},
		"a text to a number with parameters":           {sent("+14155550123"), message("tel:555-0123;phone-context=+1415")},
		"a text to a SIP URI":                          {sent("+14155550123"), message("sip:+14155550123@example.com")},
		"a text to null":                               {sent("+14155550123"), message("null")},
		"a text to nobody":                             {sent("+14155550123"), message(nil)},
		"a text to None":                               {sent("+14155550123"), message("None")},
		"a text without words":                         {sent("+14155550123"), with(message("+14155550123"), item{"body": nil})},
		"a text of no time":                            {sent("+14155550123"), with(message("+14155550123"), item{"receivedAt": nil})},
		"a call to a British number, as dialed there":  {placed, call("02079460000")},
		"a call to nobody":                             {placed, call(nil)},
		"a call of no time":                            {placed, with(call("+442079460000"), item{"startedAt": nil})},
		"a number that is not there yet":               {bought, item{"country": "US", "createdAt": now}},
		"a number without its area code":               {bought, item{"phoneNumber": "555-0100", "country": "US", "createdAt": now}},
		"a number that is masked":                      {bought, item{"phoneNumber": "+1***0100", "country": "US", "createdAt": now}},
		"a number of no time":                          {bought, item{"phoneNumber": "+14155550100", "country": "US"}},
		"a contact without a number":                   {contact, item{"name": "Ada", "createdAt": now}},
		"a contact with a number as dialed in Britain": {contact, item{"phoneNumber": "(020) 7946 0000", "createdAt": now}},
		"a sub-account of no time":                     {account, item{"name": "Ada", "createdAt": nil}},
		"a sub-account without a name":                 {account, item{"createdAt": now}},
		"an agent of no time":                          {agent, item{"name": "Ada"}},
		"an agent without a name":                      {agent, item{"createdAt": now}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { assertNotSentAgain(t, tc.call, with(tc.item, item{"id": "x"})) })
		})
	}
}

// What went to another number, or into none, is no doubt: the request is sent again, for it had no effect.
func TestWithIdempotencyKey_OtherNumbersAreNoDoubt(t *testing.T) {
	for name, shown := range map[string]item{
		"another area code":       {"toNumber": "+12125550123", "direction": "outbound"},
		"another country":         {"toNumber": "+444155550123", "direction": "outbound"},
		"a part of the number":    {"toNumber": "0123", "direction": "outbound"},
		"an email address":        {"toNumber": "ada@example.com", "direction": "outbound"},
		"a group":                 {"toNumber": "grp_1", "direction": "outbound"},
		"no number, in a browser": {"direction": "web"},
		"no number, received":     {"direction": "inbound"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts, _ := callTwice(t, func(ctx context.Context, c *agentphone.Client) error {
					_, err := c.Calls.Create(ctx, validCall, key("k"))
					return err
				}, with(shown, item{"id": "x", "agentId": "agt_1", "startedAt": time.Now()}))
				assert.Equal(t, 2, posts)
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

// assertNotSentAgain makes a call whose response is lost, and again when its list shows an item that may be its effect.
func assertNotSentAgain(t *testing.T, call func(context.Context, *agentphone.Client) error, shown item) {
	t.Helper()
	posts, again := callTwice(t, call, shown)
	assert.Equal(t, 1, posts)
	require.ErrorIs(t, again, agentphone.ErrOutcomeUnknown)
	var pending *agentphone.PendingError
	require.ErrorAs(t, again, &pending)
	assert.Zero(t, pending.RetryAfter)
}
