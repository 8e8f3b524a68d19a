package agentphone

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"time"
)

// findSent finds a text among those of the numbers that it may have been sent from.
func findSent(p SendMessageParams) finder {
	if checkFindable(p) != nil {
		return nil
	}
	match := func(m *NumberMessage) (effect, Timestamp, likeness) {
		fits := different
		if !isReceived(m.Direction) {
			if fits = compareAddresses(m.To, p.ToNumber); fits != different {
				fits = min(fits, compareTexts(m.Body, p.Body))
			}
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
			var unlisted error // of a number whose texts cannot be seen: that of another may still be the effect
			for _, number := range numbers {
				messages := func(ctx context.Context, c *Client, opts []RequestOption) iter.Seq2[NumberMessage, error] {
					return c.Numbers.AllMessages(ctx, number, ListMessagesParams{}, opts...)
				}
				for found, err := range findIn(newestFirst, messages, match)(ctx, c, since, opts) {
					if isUnlisted(err) {
						unlisted = err
						break
					}
					if !yield(found, err) || err != nil {
						return
					}
				}
			}
			if unlisted != nil {
				yield(effect{}, unlisted)
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

// isUnlisted reports whether a list cannot be read for good: asking again is of no use.
func isUnlisted(err error) bool {
	var refused *APIError
	return errors.Is(err, errNumberGone) ||
		errors.As(err, &refused) && refused.isAPIs && (refused.StatusCode == http.StatusForbidden || refused.StatusCode == http.StatusNotFound)
}

// FindSent lists the messages that Send with params may have sent since a time, newest first: outbound, to the same address, with the
// same body but for white space, from the number given or, if none is, from any of the account's. since is by the local clock; there is
// an allowance for the skew of the API's. Use it after [ErrOutcomeUnknown], where no idempotency key was given ([WithIdempotencyKey]
// does it by itself). Media are not compared. A message to a group, one made from a template and one without a body cannot be found: a
// *[ValidationError].
// Retried. (GET /v1/numbers/{number_id}/messages)
//
// If none certainly fits, but one may, the error is [ErrOutcomeUnknown]: a carrier may have added to its body (how to opt out), cut it,
// or replaced characters in it; its body, address or time is missing; or its address may be the same without its country code. Then
// the text may have been sent: look at the list yourself.
func (s *MessagesService) FindSent(ctx context.Context, params SendMessageParams, since time.Time, opts ...RequestOption) ([]SentMessage, error) {
	if err := checkParams(params); err != nil {
		return nil, err
	}
	if err := checkFindable(params); err != nil {
		return nil, err
	}
	return findAll[SentMessage](ctx, (*service)(s), findSent(params), since, opts)
}
