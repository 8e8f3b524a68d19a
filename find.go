package agentphone

import (
	"context"
	"fmt"
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
	endedAt  Timestamp // zero if it has not ended, or nothing says when
	doubtful bool      // the list shows too little to tell, or something that may have become of what was sent
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

// listOrder is the order of a list by the time when its items came to be.
type listOrder int

const (
	unordered   listOrder = iota
	newestFirst           // the first item that is too old is the last that is looked at
)

// findIn makes the finder of a list. What says no time may be old, wherever it stands: nobody knows where a server sorts it.
func findIn[T any](order listOrder, list lister[T], match matcher[T]) finder {
	return func(ctx context.Context, c *Client, since time.Time, opts []RequestOption) iter.Seq2[effect, error] {
		return func(yield func(effect, error) bool) {
			when := &effectTime{since: since}
			for item, err := range list(ctx, c, append(opts[:len(opts):len(opts)], when.option())) {
				if err == nil {
					err = ctx.Err() // a page has many items, and a hostile one takes long to compare
				}
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
				case fits != different && !when.isBefore(found.endedAt):
					found.doubtful = fits == similar || at.IsZero()
					if !yield(found, nil) {
						return
					}
				}
			}
		}
	}
}

// errPerhapsFound reports that a list has something that may be an effect, or not, and nothing that certainly is one. An empty result
// would say that there was none.
var errPerhapsFound = fmt.Errorf("agentphone: a list has what may be the effect, or not: %w", ErrOutcomeUnknown)

// collectEffects returns the results of a finder.
func collectEffects[T any](found iter.Seq2[effect, error]) ([]T, error) {
	var out []T
	doubtful := false
	ids := map[string]bool{} // a list that shrinks is read from further back
	for e, err := range found {
		switch {
		case err != nil:
			return nil, err
		case e.doubtful:
			doubtful = true
		case !ids[e.id]:
			ids[e.id] = e.id != ""
			out = append(out, *e.result.(*T))
		}
	}
	if doubtful && len(out) == 0 {
		return nil, errPerhapsFound
	}
	return out, nil
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
		fits := different
		if sameOrNone(call.AgentID, p.AgentID) && (p.FromNumberID == "" || sameOrNone(call.PhoneNumberID, p.FromNumberID)) &&
			!isReceived(call.Direction) && !begins(call.Direction, "web") { // to no number
			fits = compareAddresses(call.ToNumber, p.ToNumber)
		}
		return effect{id: call.ID, result: call, endedAt: call.EndedAt}, call.StartedAt, fits
	})
}

// FindPlaced lists the calls that Create with params may have placed since a time, newest first: outbound, by the same agent, to the
// same number. since is by the local clock; there is an allowance for the skew of the API's. Use it after [ErrOutcomeUnknown],
// where no idempotency key was given. Retried. (GET /v1/calls)
//
// If none certainly fits, but one may, the error is [ErrOutcomeUnknown]: its number is missing or may be the same without its country
// code, or it has no time and may be old. Then the phone may have rung: look at the list yourself.
func (s *CallsService) FindPlaced(ctx context.Context, params CreateCallParams, since time.Time, opts ...RequestOption) ([]Call, error) {
	if err := checkParams(params); err != nil {
		return nil, err
	}
	return findAll[Call](ctx, (*service)(s), findPlaced(params), since, opts)
}

func findBought(p BuyNumberParams) finder {
	return findIn(unordered, wholeNumbers, func(n *PhoneNumber) (effect, Timestamp, likeness) {
		fits := different
		switch {
		case !sameOrNone(n.Country, p.Country):
		case isMissing(n.PhoneNumber): // it may be on its way
			fits = similar
		case strings.HasPrefix(plainAddress(n.PhoneNumber), "1"+p.AreaCode):
			fits = same
		case lacksAreaCode(n.PhoneNumber):
			fits = similar
		}
		return effect{id: n.ID, result: n}, n.CreatedAt, fits
	})
}

// FindBought lists the numbers that Buy with params may have bought since a time: of the same country and area code. since is by the
// local clock; there is an allowance for the skew of the API's. Use it after [ErrOutcomeUnknown], where no idempotency key was given.
// Retried. (GET /v1/numbers)
//
// If none certainly fits, but one may, the error is [ErrOutcomeUnknown]: the list does not show its number yet, or not its area code, or no
// time, and it may be old. Then it may have been bought: look at the list yourself.
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
		return effect{id: contact.ID, result: contact}, contact.CreatedAt, compareAddresses(contact.PhoneNumber, p.PhoneNumber)
	})
}

func findSubAccount(p CreateSubAccountParams) finder {
	return findIn(unordered, wholeSubAccounts, func(a *SubAccount) (effect, Timestamp, likeness) {
		return effect{id: a.ID, result: a}, a.CreatedAt, compareTexts(a.Name, p.Name)
	})
}
