// Package scenario reads and writes conversations with a phone agent as YAML: what people text and say, and what is
// expected of the agent. The format is described in the README of devphone.
package scenario

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
)

const (
	// DefaultPerson is the name of the only person of a scenario that names none.
	DefaultPerson = "caller"
	// DefaultWithin is how long a step waits for what it expects, unless it says otherwise.
	DefaultWithin = 10 * time.Second
	// DefaultQuiet is how long a step waits for texts that it does not expect, unless it says otherwise.
	DefaultQuiet = 250 * time.Millisecond
)

// Scenario is a conversation, and what is expected of the agent in it.
type Scenario struct {
	Name string
	// People take part. The first one takes each step that does not say whose it is. If there are none, that is
	// [DefaultPerson].
	People []Person
	Steps  []Step

	// File and Line are where the scenario was read. They are not written.
	File string
	Line int
}

// Person is somebody who texts or calls.
type Person struct {
	Name string
	// Address is a phone number in E.164 form or, for iMessage, an email address. "" is a number that nobody else has.
	Address string
}

// Action is what a person does in a step.
type Action string

const (
	ActionNone   Action = ""       // nothing: the agent's texts are waited for
	ActionText   Action = "text"   // texts the agent
	ActionReact  Action = "react"  // reacts to the agent's last text
	ActionSay    Action = "say"    // says something in a call, which begins if there is none
	ActionHangup Action = "hangup" // hangs up
)

// Step is something that a person does, and what is expected of the agent.
type Step struct {
	Action Action
	// Words are what is texted or said, or the kind of a reaction: one of those of [agentphone.ReactionType], or an emoji.
	Words string
	// From is the name of the person. "" is the first one.
	From string
	// Channel is how a text comes. "" is as the API chooses it.
	Channel agentphone.Channel
	// MediaURLs are the pictures and the like of a text.
	MediaURLs []string
	Fault     Fault
	Expect    Expectation

	// Line is where the step was read. It is not written.
	Line int
}

// Fault is what goes wrong with the delivery of a step to the agent. At most one of its fields is set.
type Fault struct {
	Forged    bool          // it is signed with another secret
	Stale     time.Duration // its signature is that old
	Duplicate int           // it comes that many times more
	Timeout   time.Duration // the sender gives up the first attempt after that time and ignores a response that came sooner
}

// Expectation is what is expected of the agent in a step. In a call it is about what the agent answers, else about its
// texts to the person. What is not expected must not happen: Hangup, Transfer, Digits.
type Expectation struct {
	Words []Pattern // are found, in this order
	Not   []Pattern // are not found
	// Max is how many lines or texts there are at most. Nil is any number.
	Max *int
	// Status is that of the agent's last response. "" is 2xx, or 4xx if the delivery is forged or stale.
	Status Status
	// First is how long the first words take at most. Zero is as long as Within.
	First time.Duration
	// Within is how long everything that is expected takes at most. Zero is [DefaultWithin].
	Within time.Duration
	// Quiet is how long a step waits for more texts than it expects. Zero is [DefaultQuiet].
	Quiet    time.Duration
	Hangup   bool
	Transfer bool
	Digits   string
}

// Limit is how long everything that is expected takes at most: Within, or its default.
func (e *Expectation) Limit() time.Duration { return cmp.Or(e.Within, DefaultWithin) }

// Status is an HTTP status such as "200", or a class of them such as "4xx".
type Status string

// Matches reports whether the status, or the class, is that of a response.
func (s Status) Matches(code int) bool {
	if class, ok := strings.CutSuffix(string(s), "xx"); ok {
		return class == strconv.Itoa(code/100)
	}
	return string(s) == strconv.Itoa(code)
}

// WantedStatus is the status that is expected of the agent's last response.
func (s *Step) WantedStatus() Status {
	switch {
	case s.Expect.Status != "":
		return s.Expect.Status
	case s.Fault.Forged || s.Fault.Stale != 0:
		return "4xx"
	}
	return "2xx"
}

// Person returns the person who takes a step.
func (s *Scenario) Person(step *Step) Person {
	for _, p := range s.People {
		if p.Name == step.From || step.From == "" {
			return p
		}
	}
	return Person{Name: DefaultPerson}
}

// String describes a step, as in `text "Hi"`.
func (s *Step) String() string {
	switch s.Action {
	case ActionNone:
		return "wait for texts"
	case ActionHangup:
		return "hang up"
	}
	return fmt.Sprintf("%s %q", s.Action, shortened(s.Words))
}
