package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// conversation is a scenario that is being played.
type conversation struct {
	server    *agentphonetest.Server
	wire      *wire
	scenario  *scenario.Scenario
	addresses map[string]string // of people, by name
	calls     map[string]string // the ids of the calls that people are in, by name
	read      map[string]int    // how many of the agent's texts were seen in earlier steps, by address
}

// observed is what the agent did in a step.
type observed struct {
	heard    []Heard // what it said, or texted
	hangup   bool
	transfer bool
	digits   string
	attempts []Attempt
	// unreadable says what of the answer to a voice turn could not be read, or is "".
	unreadable string
	err        error // why the person could not do what the step says
}

// play plays a step and checks what the agent does.
func (c *conversation) play(ctx context.Context, step *scenario.Step, result *StepResult) {
	began := time.Now()
	within := step.Expect.Limit()
	deadline := began.Add(within)
	c.wire.begin(step, within, deadline)
	var o observed
	o.err = c.act(step, &o)
	id, _ := c.wire.delivered()
	for i := 0; o.err == nil && id != "" && i < step.Fault.Duplicate && ctx.Err() == nil; i++ {
		status, body, _ := c.server.Redeliver(id, agentphonetest.Redelivery{}) // the wire has a record of the error
		if step.Action == scenario.ActionSay && status/100 == 2 {
			_, attempts := c.wire.delivered()
			heard, unreadable := spoken(attempts[len(attempts)-1].contentType, body, time.Since(began))
			o.heard, o.unreadable = append(o.heard, heard...), cmp.Or(o.unreadable, unreadable)
		}
	}
	if step.Action != scenario.ActionSay && o.err == nil {
		o.heard = c.awaitTexts(ctx, step, began, deadline)
	}
	_, o.attempts = c.wire.delivered()
	result.Skipped = false
	result.record(&o)
	result.Failures = check(step, &o)
	result.Seconds = seconds(time.Since(began))
}

// act has the person do what the step says. The API in memory panics if it is asked for what is not there, such as a
// number that the agent has released.
func (c *conversation) act(step *scenario.Step, o *observed) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	name := c.scenario.Person(step).Name
	address := c.addresses[name]
	switch step.Action {
	case scenario.ActionText:
		c.server.Receive(agentphonetest.IncomingMessage{
			From: address, To: c.server.PhoneNumber(), Body: step.Words, Channel: step.Channel, MediaURLs: step.MediaURLs,
		})
	case scenario.ActionReact:
		id, err := c.lastText(address)
		if err != nil {
			return err
		}
		c.server.ReceiveReaction(address, id, agentphone.ReactionType(step.Words))
	case scenario.ActionSay:
		return c.say(name, step, o)
	case scenario.ActionHangup:
		id := c.callOf(name)
		if id == "" {
			return errors.New("there is no call to hang up")
		}
		delete(c.calls, name)
		if err := c.server.EndCall(id); err != nil {
			return errors.New("there is no call to hang up: the agent has ended it")
		}
	}
	return nil
}

// say has the person say something, in the call that there is or in a new one.
func (c *conversation) say(name string, step *scenario.Step, o *observed) error {
	id := c.callOf(name)
	if id == "" {
		id = c.server.ReceiveCall(c.addresses[name], c.server.PhoneNumber())
	}
	c.calls[name] = id
	answer, err := c.server.CallerSays(id, step.Words)
	if answer == nil {
		if errors.Is(err, agentphonetest.ErrCallOver) {
			return errors.New("the call is over: the agent has ended it")
		}
		return err
	}
	for _, line := range answer.Lines {
		o.heard = append(o.heard, Heard{Text: line.Text, Seconds: seconds(line.At)})
	}
	o.hangup, o.transfer, o.digits, o.unreadable = answer.Hangup, answer.Transfer, answer.Digits, answer.Unreadable
	if o.hangup || o.transfer {
		delete(c.calls, name)
	}
	return nil // what went wrong with the delivery is in the record of the wire
}

// spoken returns what the answer to a duplicate says, and what of it cannot be read: one JSON object, or with NDJSON several.
func spoken(contentType, answer string, at time.Duration) (heard []Heard, unreadable string) {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	byLine := mediaType == "application/x-ndjson"
	objects := json.NewDecoder(strings.NewReader(answer))
	for n := 1; ; n++ {
		var line *struct {
			Text, Action, Digits string
			Interim, Hangup      bool
		}
		err := objects.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return heard, ""
		case err != nil && !byLine:
			return nil, fmt.Sprintf("that to a duplicate is not one JSON object: %v", err)
		case err != nil:
			return heard, fmt.Sprintf("that to a duplicate is no JSON object: %v", err)
		case line == nil:
			return heard, "that to a duplicate is null"
		case n > 1 && !byLine:
			return nil, "that to a duplicate is several JSON objects, which take the Content-Type application/x-ndjson"
		case line.Text != "":
			heard = append(heard, Heard{Text: line.Text, Seconds: seconds(at)})
		}
	}
}

// callOf returns the id of the call that a person is in, or of one that the agent has placed to the person, or "".
func (c *conversation) callOf(name string) string {
	if id := c.calls[name]; id != "" {
		return id
	}
	for _, call := range c.server.Calls() {
		if call.Status == agentphone.CallStatusInProgress && call.ToNumber == c.addresses[name] {
			return call.ID
		}
	}
	return ""
}

// texts returns the agent's texts to an address.
func (c *conversation) texts(address string) []agentphone.ConversationMessage {
	return slices.DeleteFunc(c.server.Messages(), func(m agentphone.ConversationMessage) bool {
		return m.Direction != agentphone.DirectionOutbound || m.ToNumber != address
	})
}

// lastText returns the id of the agent's last text to an address, if it can be reacted to.
func (c *conversation) lastText(address string) (string, error) {
	all := c.texts(address)
	if len(all) == 0 {
		return "", errors.New("the agent has sent no text to react to")
	}
	last := all[len(all)-1]
	if last.Channel != agentphone.ChannelIMessage && last.Channel != agentphone.ChannelWhatsApp {
		return "", fmt.Errorf("only an iMessage or a WhatsApp message can be reacted to; the agent's last text came by %s", last.Channel)
	}
	return last.ID, nil
}

// pollInterval is how often the agent's texts are looked at.
const pollInterval = 5 * time.Millisecond

// awaitTexts waits until the deliveries are settled and the words that the step expects have come, and then for as long as
// the step is to be quiet. It returns the agent's texts to the person since the last step.
func (c *conversation) awaitTexts(ctx context.Context, step *scenario.Step, began, deadline time.Time) []Heard {
	address := c.addresses[c.scenario.Person(step).Name]
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		c.server.WaitDeliveries()
	}()
	quiet := cmp.Or(step.Expect.Quiet, scenario.DefaultQuiet)
	var heard []Heard
	var quietUntil time.Time // zero while something is still expected
	for ctx.Err() == nil {
		now, before := time.Now(), len(heard)
		heard = heard[:0]
		for _, m := range c.texts(address)[c.read[address]:] {
			heard = append(heard, Heard{Text: m.Body, Seconds: seconds(max(m.ReceivedAt.Sub(began), 0))})
		}
		_, missing := findInOrder(step.Expect.Words, joined(heard))
		isSettled := isClosed(settled)
		if isSettled && len(missing) > 0 && c.refused(step) {
			missing = nil // they will not come
		}
		switch {
		case (len(missing) > 0 || !isSettled) && now.Before(deadline):
			quietUntil = time.Time{}
		case len(missing) > 0:
			quietUntil = now // too late
		case quietUntil.IsZero() || len(heard) > before:
			quietUntil = now.Add(quiet)
		}
		if over := now.After(deadline.Add(quiet)); over || !quietUntil.IsZero() && !now.Before(quietUntil) {
			break
		}
		pause(ctx, pollInterval)
	}
	c.read[address] += len(heard)
	return heard
}

// refused reports whether the agent's response is not the one that the step expects, so that it has failed.
func (c *conversation) refused(step *scenario.Step) bool {
	_, attempts := c.wire.delivered()
	return checkStatus(step, attempts) != ""
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// joined is everything that was heard, as one text.
func joined(heard []Heard) string {
	all := make([]string, len(heard))
	for i, h := range heard {
		all[i] = h.Text
	}
	return strings.Join(all, "\n")
}

func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Second)
}
