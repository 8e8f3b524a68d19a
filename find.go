package agentphone

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/internal/elapsed"
)

// finder iterates, for the parameters of a call that is not idempotent, over what may be its effect: what fits the parameters and
// came to be since a time by the local clock, newest first.
type finder func(ctx context.Context, c *Client, since time.Time, opts []RequestOption) iter.Seq2[effect, error]

// effect is something that a call may have created: what the call would have returned.
type effect struct {
	id       string
	result   any
	doubtful bool // the list shows too little to tell, or something that may have become of what was sent
}

// findBy makes the finder of an operation's parameters, for its declaration. with returns nil for parameters whose effect no list
// shows.
func findBy[P any](with func(P) finder) func(params any) finder {
	return func(params any) finder { return with(params.(P)) }
}

const (
	clockAllowance   = 2 * time.Minute  // between the API's Date header and its timestamps
	unknownAllowance = 15 * time.Minute // without a Date header
)

// effectTime tells what is too old to be an effect of a call: older than the call is at most. The API's timestamps are by its clock, which
// the Date header of the response that lists them shows.
type effectTime struct {
	since    time.Time // by the local clock
	response Response  // the latest page
}

// option makes a list note its responses.
func (e *effectTime) option() RequestOption { return WithResponse(&e.response) }

// isBefore reports whether something of a page of the list came to be too early. What has no time is not.
func (e *effectTime) isBefore(t Timestamp) bool {
	if t.IsZero() {
		return false
	}
	now := time.Now()
	date, err := http.ParseTime(e.response.Header.Get("Date"))
	allowance := clockAllowance
	if err != nil {
		date, allowance = now, unknownAllowance
	}
	return t.Before(date.Add(-elapsed.AtMost(e.since, now)).Add(-allowance))
}

// A lister iterates over a list that shows effects.
type lister[T any] func(ctx context.Context, c *Client, opts []RequestOption) iter.Seq2[T, error]

// A matcher returns the effect that an item of a list would be, when the item came to be, and how well it fits the call's parameters.
type matcher[T any] func(*T) (found effect, at Timestamp, fits likeness)

// likeness is how well an item of a list fits the parameters of a call.
type likeness int

const (
	different likeness = iota
	similar            // perhaps it is the same
	same
)

func sameIf(fits bool) likeness {
	if fits {
		return same
	}
	return different
}

// listOrder is the order of a list by the time when its items came to be.
type listOrder int

const (
	unordered   listOrder = iota // an item that says no time may be old
	newestFirst                  // the first item that is too old is the last that is looked at
)

// findIn makes the finder of a list.
func findIn[T any](order listOrder, list lister[T], match matcher[T]) finder {
	return func(ctx context.Context, c *Client, since time.Time, opts []RequestOption) iter.Seq2[effect, error] {
		return func(yield func(effect, error) bool) {
			when := &effectTime{since: since}
			for item, err := range list(ctx, c, append(opts[:len(opts):len(opts)], when.option())) {
				if err != nil {
					yield(effect{}, err)
					return
				}
				found, at, fits := match(&item)
				switch {
				case when.isBefore(at):
					if order == newestFirst {
						return
					}
				case fits != different:
					found.doubtful = fits == similar || at.IsZero() && order == unordered
					if !yield(found, nil) {
						return
					}
				}
			}
		}
	}
}

// collectEffects returns the results of a finder.
func collectEffects[T any](found iter.Seq2[effect, error]) ([]T, error) {
	var out []T
	ids := map[string]bool{} // a list that shrinks is read from further back
	for e, err := range found {
		if err != nil {
			return nil, err
		}
		if e.doubtful || ids[e.id] {
			continue
		}
		ids[e.id] = e.id != ""
		out = append(out, *e.result.(*T))
	}
	return out, nil
}

// findSent finds a text among those of the numbers that it may have been sent from.
func findSent(p SendMessageParams) finder {
	if checkFindable(p) != nil {
		return nil
	}
	match := func(m *NumberMessage) (effect, Timestamp, likeness) {
		fits := different
		if !isReceived(m.Direction) && sameAddress(m.To, p.ToNumber) {
			fits = compareTexts(m.Body, p.Body)
		}
		sent := &SentMessage{ID: m.ID, Channel: m.Channel, FromNumber: m.From, ToNumber: m.To}
		return effect{id: m.ID, result: sent}, m.ReceivedAt, fits
	}
	return func(ctx context.Context, c *Client, since time.Time, opts []RequestOption) iter.Seq2[effect, error] {
		return func(yield func(effect, error) bool) {
			numbers, err := c.Messages.senders(ctx, p, opts)
			if err != nil {
				yield(effect{}, err)
				return
			}
			for _, number := range numbers {
				messages := func(ctx context.Context, c *Client, opts []RequestOption) iter.Seq2[NumberMessage, error] {
					return c.Numbers.AllMessages(ctx, number, ListMessagesParams{}, opts...)
				}
				for found, err := range findIn(newestFirst, messages, match)(ctx, c, since, opts) {
					if !yield(found, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// checkFindable returns an error for a message of which the lists show too little.
func checkFindable(p SendMessageParams) error {
	reason := ""
	switch {
	case len(p.Recipients) > 0 || strings.HasPrefix(p.ToNumber, groupPrefix):
		reason = "a message to a group cannot be found"
	case p.Template != nil:
		reason = "a message made from a template cannot be found"
	case strings.TrimSpace(p.Body) == "":
		reason = "a message without words cannot be found"
	default:
		return nil
	}
	return &ValidationError{"params", reason}
}

// isReceived reports whether a message is certainly not one that the agent sent.
func isReceived(direction Direction) bool { return begins(direction, "in") }

// senders returns the ids of the numbers that a text may have been sent from, the agent's first. A number may have been moved to
// another agent since.
func (s *MessagesService) senders(ctx context.Context, p SendMessageParams, opts []RequestOption) ([]string, error) {
	if p.FromNumber == "" && p.NumberID != "" {
		return []string{p.NumberID}, nil
	}
	var first, others []string
	for number, err := range wholeNumbers(ctx, s.client, opts) {
		switch {
		case err != nil:
			return nil, err
		case p.FromNumber != "" && sameAddress(number.PhoneNumber, p.FromNumber):
			return []string{number.ID}, nil
		case number.AgentID == p.AgentID:
			first = append(first, number.ID)
		default:
			others = append(others, number.ID)
		}
	}
	if p.FromNumber != "" {
		return nil, errNumberGone
	}
	return append(first, others...), nil
}

// errNumberGone reports that a text cannot be looked for: the list of the account's numbers does not have the one that it was sent from.
var errNumberGone = errors.New("agentphone: from_number: is none of the account's numbers (any more)")

// FindSent lists the messages that Send with params may have sent since a time, newest first: outbound, to the same address, with the
// same body but for white space, from the number given or, if none is, from any of the account's. since is by the local clock; there is
// an allowance for the skew of the API's. Use it after [ErrOutcomeUnknown], where no idempotency key was given ([WithIdempotencyKey]
// does it by itself). Media are not compared. A message to a group, one made from a template and one without a body cannot be found: a
// *[ValidationError].
// Retried. (GET /v1/numbers/{number_id}/messages)
func (s *MessagesService) FindSent(ctx context.Context, params SendMessageParams, since time.Time, opts ...RequestOption) ([]SentMessage, error) {
	if err := checkParams(params); err != nil {
		return nil, err
	}
	if err := checkFindable(params); err != nil {
		return nil, err
	}
	return findAll[SentMessage](ctx, (*service)(s), findSent(params), since, opts)
}

func findAll[T any](ctx context.Context, s *service, find finder, since time.Time, opts []RequestOption) ([]T, error) {
	c := s.owner()
	if c == nil || c.cfg == nil {
		return nil, errNoClient
	}
	return collectEffects[T](find(ctx, c, since, opts))
}

func findPlaced(p CreateCallParams) finder {
	return findIn(newestFirst, wholeCalls, func(call *Call) (effect, Timestamp, likeness) {
		return effect{id: call.ID, result: call}, call.StartedAt,
			sameIf(sameOrNone(call.AgentID, p.AgentID) && sameAddress(call.ToNumber, p.ToNumber) &&
				(p.FromNumberID == "" || sameOrNone(call.PhoneNumberID, p.FromNumberID)))
	})
}

// FindPlaced lists the calls that Create with params may have placed since a time, newest first: outbound, by the same agent, to the
// same number. since is by the local clock; there is an allowance for the skew of the API's. Use it after [ErrOutcomeUnknown],
// where no idempotency key was given. Retried. (GET /v1/calls)
func (s *CallsService) FindPlaced(ctx context.Context, params CreateCallParams, since time.Time, opts ...RequestOption) ([]Call, error) {
	if err := checkParams(params); err != nil {
		return nil, err
	}
	return findAll[Call](ctx, (*service)(s), findPlaced(params), since, opts)
}

func findBought(p BuyNumberParams) finder {
	return findIn(unordered, wholeNumbers, func(n *PhoneNumber) (effect, Timestamp, likeness) {
		return effect{id: n.ID, result: n}, n.CreatedAt,
			sameIf(sameOrNone(n.Country, p.Country) && strings.HasPrefix(plainAddress(n.PhoneNumber), "1"+p.AreaCode))
	})
}

// FindBought lists the numbers that Buy with params may have bought since a time: of the same country and area code. since is by the
// local clock; there is an allowance for the skew of the API's. Use it after [ErrOutcomeUnknown], where no idempotency key was given.
// Retried. (GET /v1/numbers)
func (s *NumbersService) FindBought(ctx context.Context, params BuyNumberParams, since time.Time, opts ...RequestOption) ([]PhoneNumber, error) {
	if err := checkParams(params); err != nil {
		return nil, err
	}
	return findAll[PhoneNumber](ctx, (*service)(s), findBought(params), since, opts)
}

// What was created is found by its name or number.

func findAgent(p CreateAgentParams) finder {
	return findIn(unordered, wholeAgents, func(a *Agent) (effect, Timestamp, likeness) {
		return effect{id: a.ID, result: a}, a.CreatedAt, compareTexts(a.Name, p.Name)
	})
}

func findContact(p CreateContactParams) finder {
	return findIn(unordered, wholeContacts, func(contact *Contact) (effect, Timestamp, likeness) {
		return effect{id: contact.ID, result: contact}, contact.CreatedAt, sameIf(sameAddress(contact.PhoneNumber, p.PhoneNumber))
	})
}

func findSubAccount(p CreateSubAccountParams) finder {
	return findIn(unordered, wholeSubAccounts, func(a *SubAccount) (effect, Timestamp, likeness) {
		return effect{id: a.ID, result: a}, a.CreatedAt, compareTexts(a.Name, p.Name)
	})
}
