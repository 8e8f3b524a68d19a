package record_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/devphone/record"
	"github.com/agentphone/agentphone-go/devphone/run"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

const (
	person       = "+14155550123"
	imessageUser = "+14155550142"
	secret       = "whsec_test"
)

// phone is the API in memory as devphone has it, with an agent behind its webhook.
type phone struct {
	*testing.T
	*agentphonetest.Server
	control http.Handler
}

// newPhone returns a phone whose agent is what agent makes of a client.
func newPhone(t *testing.T, agent func(t *testing.T, c *agentphone.Client) http.Handler) *phone {
	t.Helper()
	srv := agentphonetest.NewServer(agentphonetest.WithWebhookSecret(secret), agentphonetest.WithEchoes(), agentphonetest.WithRinging())
	t.Cleanup(srv.Close)
	p := &phone{t, srv, srv.ControlHandler()}
	if agent != nil {
		_, err := srv.Client().Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "http://127.0.0.1:1/webhook"})
		require.NoError(t, err)
		srv.SetReceiver(agent(t, srv.Client()))
	}
	return p
}

// record returns what was done, as it is read from its file.
func (p *phone) record(which record.Selection) (scenario.Scenario, string) {
	p.Helper()
	recording, err := record.Of(p.control, which)
	require.NoError(p, err)
	var file strings.Builder
	require.NoError(p, recording.Write(&file))
	read, err := scenario.Parse("recorded.yaml", []byte(file.String()))
	require.NoError(p, err, file.String())
	require.Len(p, read, 1)
	return read[0], file.String()
}

// plays plays a scenario with an agent, and returns the result.
func plays(t *testing.T, s scenario.Scenario, agent func(t *testing.T, c *agentphone.Client) http.Handler) (*run.Result, string) {
	t.Helper()
	var handler http.Handler
	webhook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer webhook.Close()
	runner := run.New(webhook.URL, secret)
	defer runner.Close()
	api := httptest.NewServer(runner)
	defer api.Close()
	client, err := agentphone.NewClient(runner.APIKey(), agentphone.WithBaseURL(api.URL))
	require.NoError(t, err)
	handler = agent(t, client)
	result, err := runner.Run(t.Context(), &s)
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, result.WriteText(&text))
	return result, text.String()
}

// bot is an agent that replies to texts and reactions and answers calls with what answers say.
type bot struct {
	reply map[string][]string // to a text, or else to ""
	turns map[string]func(v *agentphone.VoiceResponse) error
	ended string // what is texted after a call
}

func (b bot) agent(t *testing.T, c *agentphone.Client) http.Handler {
	t.Helper()
	send := func(ctx context.Context, e *agentphone.Event, to string, texts ...string) error {
		for _, text := range texts {
			if _, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: e.AgentID, ToNumber: to, Body: text}); err != nil {
				return err
			}
		}
		return nil
	}
	handler, err := agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{
		OnMessage: func(ctx context.Context, e *agentphone.Event, m *agentphone.MessageData) error {
			texts, ok := b.reply[m.Message]
			if !ok {
				texts = b.reply[""]
			}
			return send(ctx, e, m.From, texts...)
		},
		OnReaction: func(ctx context.Context, e *agentphone.Event, r *agentphone.ReactionData) error {
			return send(ctx, e, r.FromNumber, "Thanks for the "+string(r.ReactionType)+"!")
		},
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, d *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			if turn := b.turns[d.Transcript]; turn != nil {
				return turn(v)
			}
			return nil
		},
		OnCallEnded: func(ctx context.Context, e *agentphone.Event, d *agentphone.CallEndedData) error {
			if b.ended == "" {
				return nil
			}
			return send(ctx, e, d.From, b.ended)
		},
	})
	require.NoError(t, err)
	return handler
}

func says(lines ...string) func(v *agentphone.VoiceResponse) error {
	return func(v *agentphone.VoiceResponse) error {
		for _, line := range lines[:len(lines)-1] {
			if err := v.Interim(line); err != nil {
				return err
			}
		}
		return v.Say(lines[len(lines)-1])
	}
}

var restaurant = bot{
	reply: map[string][]string{
		"Can I book a table?": {"For how many people?"},
		"4":                   {"Booked!", "See you at 7.\nBring /money/."},
		"STOP":                nil,
		"":                    {"Pardon?"},
	},
	turns: map[string]func(v *agentphone.VoiceResponse) error{
		"Is it booked?": says("One moment.", "Yes, for 4 people."),
		"Thanks, bye.":  func(v *agentphone.VoiceResponse) error { return v.Hangup() },
		"A person?":     func(v *agentphone.VoiceResponse) error { return v.Transfer() },
		"Press 1.":      func(v *agentphone.VoiceResponse) error { return v.Press("1#") },
	},
	ended: "Thanks for calling.",
}

// talk has a person text and call the restaurant, and returns the call.
func (p *phone) talk() string {
	p.Helper()
	p.ReceiveMessage(person, p.PhoneNumber(), "Can I book a table?")
	p.ReceiveMessage(person, p.PhoneNumber(), "4")
	id := p.ReceiveCall(person, p.PhoneNumber())
	p.say(id, "Is it booked?")
	p.say(id, "Hm.")
	p.say(id, "Thanks, bye.")
	p.WaitDeliveries()
	return id
}

func (p *phone) say(id, text string) {
	p.Helper()
	_, err := p.CallerSays(id, text)
	require.NoError(p, err)
}

func TestOf_RecordedConversationHolds(t *testing.T) {
	p := newPhone(t, restaurant.agent)
	p.talk()
	s, file := p.record(record.Selection{})
	assert.Contains(t, file, "# caller was +14155550123. ")
	result, text := plays(t, s, restaurant.agent)
	assert.True(t, result.Passed, "%s\n%s", text, file)

	for name, other := range map[string]func(b *bot){
		"another text":       func(b *bot) { b.reply = map[string][]string{"": {"For how many people, please?"}} },
		"a text too many":    func(b *bot) { b.reply = map[string][]string{"": {"For how many people?", "For how many people?"}} },
		"another line":       func(b *bot) { b.turns = map[string]func(v *agentphone.VoiceResponse) error{"": says("Yes.")} },
		"no text afterwards": func(b *bot) { b.ended = "" },
	} {
		t.Run(name, func(t *testing.T) {
			otherwise := restaurant
			other(&otherwise)
			for i := range s.Steps { // so that it fails soon
				s.Steps[i].Expect.Within = 500 * time.Millisecond
			}
			result, text := plays(t, s, otherwise.agent)
			assert.False(t, result.Passed, "%s", text)
		})
	}
}

// steps are those of a scenario as YAML.
func stepsOf(file string) string {
	_, steps, _ := strings.Cut(file, "\nsteps:\n")
	return steps
}

// holds checks that what was recorded holds with the restaurant, and returns the file.
func (p *phone) holds(which record.Selection) string {
	p.Helper()
	s, file := p.record(which)
	result, text := plays(p.T, s, restaurant.agent)
	assert.True(p, result.Passed, "%s\n%s", text, file)
	return file
}

func TestOf_RecordsActionsAndTheEndOfACall(t *testing.T) {
	p := newPhone(t, restaurant.agent)
	id := p.ReceiveCall(person, p.PhoneNumber())
	p.say(id, "Press 1.")
	p.say(id, "Is it booked?")
	require.NoError(t, p.EndCall(id))
	id = p.ReceiveCall(person, p.PhoneNumber())
	p.say(id, "A person?")
	p.WaitDeliveries()
	assert.Equal(t, `  - say: Press 1.
    expect:
      digits: 1#
  - say: Is it booked?
    expect:
      words:
        - One moment.
        - Yes, for 4 people.
  - hangup: true
    expect:
      words:
        - Thanks for calling.
      max: 1
  - say: A person?
    expect:
      transfer: true
`, stepsOf(p.holds(record.Selection{})))
}

func TestOf_RecordsReactionsAndChannels(t *testing.T) {
	p := newPhone(t, restaurant.agent)
	p.ReceiveMessage(imessageUser, p.PhoneNumber(), "Can I book a table?")
	all := p.Messages()
	p.ReceiveReaction(imessageUser, all[0].ID, agentphone.ReactionLike) // to the person's own
	p.ReceiveReaction(imessageUser, all[1].ID, agentphone.ReactionLove)
	p.Receive(agentphonetest.IncomingMessage{From: imessageUser, To: p.PhoneNumber(), Body: "4", Channel: agentphone.ChannelWhatsApp})
	p.Receive(agentphonetest.IncomingMessage{From: imessageUser, To: p.PhoneNumber(), MediaURLs: []string{"https://example.com/a.png"}})
	file := p.holds(record.Selection{})
	assert.Equal(t, `  - text: Can I book a table?
    expect:
      words:
        - For how many people?
      max: 1
  - react: love
    expect:
      words:
        - Thanks for the love!
      max: 1
  - text: "4"
    channel: whatsapp
    expect:
      words:
        - Booked!
        - |-
          See you at 7.
          Bring /money/.
      max: 2
  - media:
      - https://example.com/a.png
    expect:
      words:
        - Pardon?
      max: 1
`, stepsOf(file))
	assert.Contains(t, file, "people:\n  caller: \""+imessageUser+"\"\n")
	assert.Contains(t, file, "# Left out: 1 × reaction to a text that was not the agent's last one.\n")
}

// A conversation stays on WhatsApp by itself, in the scenario as in the API.
func TestOf_NamesAChannelOnlyWhereItChanges(t *testing.T) {
	p := newPhone(t, restaurant.agent)
	for _, channel := range []agentphone.Channel{"", agentphone.ChannelWhatsApp, "", agentphone.ChannelSMS} {
		p.Receive(agentphonetest.IncomingMessage{From: person, To: p.PhoneNumber(), Body: "STOP", Channel: channel})
	}
	file := p.holds(record.Selection{})
	assert.Equal(t, "  - text: STOP\n  - text: STOP\n    channel: whatsapp\n  - text: STOP\n  - text: STOP\n    channel: sms\n", stepsOf(file))
}

func TestOf_RecordsWhatWasDeliveredAgain(t *testing.T) {
	p := newPhone(t, restaurant.agent)
	p.ReceiveMessage(person, p.PhoneNumber(), "Can I book a table?")
	deliveries := p.Deliveries()
	again := func(how agentphonetest.Redelivery) {
		t.Helper()
		_, _, err := p.Redeliver(deliveries[0].ID, how)
		require.NoError(t, err)
	}
	again(agentphonetest.Redelivery{Times: 2})
	again(agentphonetest.Redelivery{Secret: "whsec_forged"})
	again(agentphonetest.Redelivery{Age: 10 * time.Minute})
	again(agentphonetest.Redelivery{NoSignature: true})
	file := p.holds(record.Selection{})
	assert.Equal(t, `  - text: Can I book a table?
    fault:
      duplicate: 2
    expect:
      words:
        - For how many people?
      max: 1
  - text: Can I book a table?
    fault:
      forged: true
    expect:
      max: 0
  - text: Can I book a table?
    fault:
      stale: 10m
    expect:
      max: 0
`, stepsOf(file))
	assert.Contains(t, file, "# Left out: 1 × delivery that was sent again altered, without a signature or the like.\n")
}

// Texts to others than whoever acted are waited for; those that come while a delivery is under way are its own.
func TestOf_SeveralPeopleKeepTheirParts(t *testing.T) {
	const manager = "+4915112345678"
	withManager := func(t *testing.T, c *agentphone.Client) http.Handler {
		handler, err := agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{
			OnMessage: func(ctx context.Context, e *agentphone.Event, m *agentphone.MessageData) error {
				to := []string{m.From, manager}
				if m.Message == "Later" {
					time.Sleep(300 * time.Millisecond)
					to = to[:1]
				}
				for _, who := range to {
					if _, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: e.AgentID, ToNumber: who, Body: "About " + m.Message}); err != nil {
						return err
					}
				}
				return nil
			},
		})
		require.NoError(t, err)
		return handler
	}
	p := newPhone(t, withManager)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.ReceiveMessage("+14155550101", p.PhoneNumber(), "Later")
	}()
	require.Eventually(t, func() bool { return len(p.Messages()) == 1 }, time.Second, time.Millisecond)
	p.ReceiveMessage("+14155550103", p.PhoneNumber(), "Now")
	<-done
	s, file := p.record(record.Selection{})
	assert.Equal(t, `  - text: Later
    expect:
      words:
        - About Later
      max: 1
  - text: Now
    from: person2
    expect:
      words:
        - About Now
      max: 1
  - from: person3
    expect:
      words:
        - About Now
      max: 1
`, stepsOf(file))
	assert.Contains(t, file, "people:\n  person1:\n  person2:\n  person3: \""+manager+"\"\n")
	result, text := plays(t, s, withManager)
	assert.True(t, result.Passed, "%s\n%s", text, file)

	_, one := p.record(record.Selection{Person: "+14155550103", Number: p.PhoneNumber()})
	assert.Equal(t, "  - text: Now\n    expect:\n      words:\n        - About Now\n      max: 1\n", stepsOf(one))
	_, err := record.Of(p.control, record.Selection{Person: "+14155550103", Number: manager})
	assert.ErrorIs(t, err, record.ErrNothing)
}

func TestOf_SelectsACall(t *testing.T) {
	p := newPhone(t, restaurant.agent)
	id := p.talk()
	other := p.ReceiveCall(imessageUser, p.PhoneNumber())
	p.say(other, "Is it booked?")
	file := p.holds(record.Selection{Call: id})
	assert.Equal(t, `  - say: Is it booked?
    expect:
      words:
        - One moment.
        - Yes, for 4 people.
  - say: Hm.
    expect:
      max: 0
  - say: Thanks, bye.
    expect:
      hangup: true
`, stepsOf(file))
	_, err := record.Of(p.control, record.Selection{Call: "call_1"})
	assert.ErrorIs(t, err, record.ErrNothing)
}

func TestOf_SaysWhatNoScenarioHas(t *testing.T) {
	p := newPhone(t, restaurant.agent)
	_, err := record.Of(p.control, record.Selection{})
	require.ErrorIs(t, err, record.ErrNothing)
	c := p.Client()
	_, err = c.Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: p.AgentID(), Recipients: []string{"ada@example.com", "bob@example.com"}, Body: "Dinner?"})
	require.NoError(t, err)
	_, err = c.Calls.Create(t.Context(), agentphone.CreateCallParams{AgentID: p.AgentID(), ToNumber: person, SystemPrompt: "Be nice."})
	require.NoError(t, err)
	p.ShareContact(person, p.PhoneNumber(), map[string]any{"name": "Ada"})
	p.ReceiveMessage(person, p.PhoneNumber(), " \n ")
	p.ReceiveMessage("12345", p.PhoneNumber(), "STOP")
	first := p.ReceiveCall(person, p.PhoneNumber())
	p.say(first, "Is it booked?")
	_, err = c.Calls.End(t.Context(), first)
	require.NoError(t, err)
	p.say(p.ReceiveCall(person, p.PhoneNumber()), "Is it booked?")
	_, file := p.record(record.Selection{})
	for _, left := range []string{
		"text in a group", "call that follows a script or a system prompt", "contact card", "thing that a person did which a scenario cannot have",
		"after one that the agent has ended by the API",
	} {
		assert.Regexp(t, "Left out: 1 × [^.]*"+left, strings.ReplaceAll(file, "\n# ", " "))
	}
	assert.Regexp(t, "(?m)^# .*person1 was 12345, ", file)
}

func TestOf_RecordsHowTheAgentResponded(t *testing.T) {
	status := http.StatusTeapot
	p := newPhone(t, func(*testing.T, *agentphone.Client) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
		})
	})
	p.ReceiveMessage(person, p.PhoneNumber(), "Refused")
	id := p.ReceiveCall(person, p.PhoneNumber())
	_, _ = p.CallerSays(id, "Refused")
	status = 0
	_, _ = p.CallerSays(id, "Not answered")
	p.WaitDeliveries()
	_, file := p.record(record.Selection{})
	assert.Equal(t, "  - text: Refused\n    expect:\n      status: 418\n  - say: Refused\n    expect:\n      max: 0\n      status: 418\n  - say: Not answered\n", stepsOf(file))
	assert.Contains(t, file, "# The agent did not respond to 1 delivery.")
}

// An agent that answers late gets more time than it took, and silence is expected once it has lasted.
func TestOf_TakesTheAgentsTimeGenerously(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPhone(t, bot{turns: map[string]func(v *agentphone.VoiceResponse) error{"Hello?": func(v *agentphone.VoiceResponse) error {
			time.Sleep(20 * time.Second)
			return v.Say("Hello.")
		}}}.agent)
		texts := func(body string) {
			t.Helper()
			_, err := p.Client().Messages.Send(t.Context(), agentphone.SendMessageParams{AgentID: p.AgentID(), ToNumber: person, Body: body})
			require.NoError(t, err)
		}
		p.ReceiveMessage(person, p.PhoneNumber(), "Remind me.")
		time.Sleep(30 * time.Second)
		texts("This is your reminder.")
		p.ReceiveMessage(person, p.PhoneNumber(), "Too soon")
		time.Sleep(time.Second)
		p.ReceiveMessage(person, p.PhoneNumber(), "STOP")
		time.Sleep(2 * time.Second)
		p.say(p.ReceiveCall(person, p.PhoneNumber()), "Hello?")
		time.Sleep(time.Second)
		texts("You called.")
		p.WaitDeliveries()
		_, file := p.record(record.Selection{})
		assert.Equal(t, `  - text: Remind me.
    expect:
      words:
        - This is your reminder.
      max: 1
      within: 1m30s
  - text: Too soon
  - text: STOP
    expect:
      max: 0
  - say: Hello?
    expect:
      words:
        - Hello.
      within: 1m
  - expect:
      words:
        - You called.
      max: 1
      within: 1m3s
`, stepsOf(file))
	})
}

// Without a webhook people text into the void. What they did is worth a scenario all the same.
func TestOf_TakesNoWebhook(t *testing.T) {
	p := newPhone(t, nil)
	p.ReceiveMessage(person, p.PhoneNumber(), "Can I book a table?")
	_, file := p.record(record.Selection{})
	assert.Equal(t, "  - text: Can I book a table?\n", stepsOf(file))
}

func TestOf_TakesMoreThanTheControlAPIListsAtOnce(t *testing.T) {
	p := newPhone(t, nil)
	const texts = 10_050
	for range texts {
		p.ReceiveMessage(person, p.PhoneNumber(), "Hi")
	}
	recording, err := record.Of(p.control, record.Selection{})
	require.NoError(t, err)
	assert.Len(t, recording.Scenario.Steps, texts)
}
