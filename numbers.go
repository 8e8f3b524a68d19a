package agentphone

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"github.com/agentphone/agentphone-go/internal/lenientjson"
)

// NumbersService buys, lists and releases the account's phone numbers, and lists their messages and calls.
type NumbersService service

var (
	opListNumbers        = operation{name: "Numbers.List", method: "GET", path: "/v1/numbers", idempotent: true}
	opBuyNumber          = operation{name: "Numbers.Buy", method: "POST", path: "/v1/numbers", find: findBy(findBought)}
	opGetNumber          = operation{name: "Numbers.Get", method: "GET", path: "/v1/numbers/{number_id}", idempotent: true}
	opListNumberCalls    = operation{name: "Numbers.ListCalls", method: "GET", path: "/v1/numbers/{number_id}/calls", idempotent: true}
	opReleaseNumber      = operation{name: "Numbers.Release", method: "DELETE", path: "/v1/numbers/{number_id}", idempotent: true, emptyOK: true}
	opListNumberMessages = operation{name: "Numbers.ListMessages", method: "GET", path: "/v1/numbers/{number_id}/messages", idempotent: true}
	opLookupNumbers      = operation{name: "Numbers.Lookup", method: "GET", path: "/v1/numbers/lookup"} // not idempotent: each is billed
)

// Country is the country of a number, as an ISO 3166 code.
type Country string

const (
	CountryUS Country = "US"
	CountryCA Country = "CA"
)

// NumberStatus is the status of a number.
type NumberStatus string

const (
	NumberStatusActive   NumberStatus = "active"
	NumberStatusReleased NumberStatus = "released"
)

// PhoneNumber is one of the account's numbers.
type PhoneNumber struct {
	ID          string       `json:"id"`
	PhoneNumber string       `json:"phoneNumber"` // E.164
	Country     Country      `json:"country"`
	Status      NumberStatus `json:"status"`
	Type        string       `json:"type"`
	AgentID     string       `json:"agentId"` // "" if it is attached to no agent
	CreatedAt   Timestamp    `json:"createdAt"`
	OutboundSMS OutboundSMS  `json:"outboundSms"` // "" if unknown
}

// OutboundSMS says whether a number can send SMS to US numbers.
type OutboundSMS string

const (
	OutboundSMSEnabled              OutboundSMS = "enabled"
	OutboundSMSActivating           OutboundSMS = "activating"            // the carriers are still at it
	OutboundSMSRegistrationRequired OutboundSMS = "registration_required" // see [RegistrationService.Register]
)

// ListNumbersParams are the parameters of [NumbersService.List] and [NumbersService.All].
type ListNumbersParams struct {
	Limit  int `url:"limit,omitempty"`  // page size, 1 to 100; the default is 20, and 100 for All
	Offset int `url:"offset,omitempty"` // number of numbers to skip
}

func (p ListNumbersParams) validate() error { return checkPage(p.Limit, maxPage, p.Offset) }

// List returns one page of the account's numbers. Retried. (GET /v1/numbers)
func (s *NumbersService) List(ctx context.Context, params ListNumbersParams, opts ...RequestOption) (*Page[PhoneNumber], error) {
	return list[PhoneNumber](ctx, (*service)(s), &opListNumbers, nil, params, params.Offset, opts)
}

// All iterates over the account's numbers. Retried. (GET /v1/numbers)
func (s *NumbersService) All(ctx context.Context, params ListNumbersParams, opts ...RequestOption) iter.Seq2[PhoneNumber, error] {
	return allByOffset(params.Offset, cmp.Or(params.Limit, maxPage), func(n *PhoneNumber) string { return n.ID },
		func(offset, limit int) (*Page[PhoneNumber], error) {
			return s.List(ctx, ListNumbersParams{Limit: limit, Offset: offset}, opts...)
		})
}

// Get returns a number. It fails with [ErrNotFound] if there is none with that id. Retried.
// (GET /v1/numbers/{number_id})
func (s *NumbersService) Get(ctx context.Context, numberID string, opts ...RequestOption) (*PhoneNumber, error) {
	return do[PhoneNumber](ctx, (*service)(s), &opGetNumber, []string{numberID}, nil, opts)
}

// BuyNumberParams are the parameters of [NumbersService.Buy].
type BuyNumberParams struct {
	Country  Country `json:"country"`           // required: US or CA
	AreaCode string  `json:"areaCode,omitzero"` // three digits, such as 415; if empty any will do
	AgentID  string  `json:"agentId,omitzero"`  // the agent to attach the number to; none if empty
}

func (p BuyNumberParams) validate() error {
	if p.AreaCode != "" && (len(p.AreaCode) != 3 || !isDigits(p.AreaCode)) {
		return &ValidationError{"areaCode", "is not three digits"}
	}
	if err := required("country", string(p.Country)); err != nil {
		return err
	}
	if p.Country != CountryUS && p.Country != CountryCA {
		return &ValidationError{"country", "is neither US nor CA"}
	}
	return nil
}

// Buy buys a number, for which the account pays $3.00 a month until it is released. It fails with [ErrPaymentRequired] if the
// balance is too low, billing is off or there is no payment method, with [ErrNumberLimit] or [ErrConflict] if the account may
// have no more numbers, and with [ErrConflict] if there is none in the area code (the message may name others). If no numbers
// are in stock the status is 503; without Retry-After that is [ErrOutcomeUnknown], as any 503. The API accepts 20 requests a
// minute. (POST /v1/numbers)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look for the number with
// [NumbersService.FindBought] before buying another, or use [WithIdempotencyKey].
func (s *NumbersService) Buy(ctx context.Context, params BuyNumberParams, opts ...RequestOption) (*PhoneNumber, error) {
	return do[PhoneNumber](ctx, (*service)(s), &opBuyNumber, nil, params, opts)
}

// ReleasedNumber is the result of [NumbersService.Release].
type ReleasedNumber struct {
	Success     bool         `json:"success"`     // true unless the API says otherwise
	PhoneNumber string       `json:"phoneNumber"` // E.164
	Status      NumberStatus `json:"status"`
}

// UnmarshalJSON decodes a ReleasedNumber. Success is true if data does not have it.
func (n *ReleasedNumber) UnmarshalJSON(data []byte) error {
	type plain ReleasedNumber
	released := plain{Success: true}
	err := lenientjson.Unmarshal(data, &released)
	*n = ReleasedNumber(released)
	return err
}

// Release gives up a number, which cannot be undone; the rest of the month is not refunded. The API accepts 60 requests a
// minute. Retried: after a lost response, a retry that finds nothing left to release succeeds; then PhoneNumber and Status are
// empty. (DELETE /v1/numbers/{number_id})
func (s *NumbersService) Release(ctx context.Context, numberID string, opts ...RequestOption) (*ReleasedNumber, error) {
	return do[ReleasedNumber](ctx, (*service)(s), &opReleaseNumber, []string{numberID}, nil, opts)
}

// LineType is the kind of line that a phone number belongs to.
type LineType string

const (
	LineTypeMobile   LineType = "mobile"
	LineTypeLandline LineType = "landline"
	LineTypeVoIP     LineType = "voip"
)

// NumberLookup is what is known of a phone number, be it one of the account's or not.
type NumberLookup struct {
	PhoneNumber string   `json:"phoneNumber"` // E.164
	LineType    LineType `json:"lineType"`    // "" if unknown
	Country     Country  `json:"country"`     // any country's ISO 3166 code; "" if unknown
	RCSEnabled  *bool    `json:"rcsEnabled"`  // nil if unknown
}

const maxLookups = 25

// LookupNumbersParams are the parameters of [NumbersService.Lookup].
type LookupNumbersParams struct {
	PhoneNumbers []string `url:"phoneNumbers,comma"` // required: 1 to 25, in E.164 form
}

func (p LookupNumbersParams) validate() error {
	switch {
	case len(p.PhoneNumbers) == 0:
		return &ValidationError{"phoneNumbers", "is required"}
	case len(p.PhoneNumbers) > maxLookups:
		return &ValidationError{"phoneNumbers", fmt.Sprintf("are over %d, the most that one request may have", maxLookups)}
	}
	for _, number := range p.PhoneNumbers {
		if err := requiredE164("phoneNumbers", number); err != nil {
			return err
		}
	}
	return nil
}

// Lookup returns the line type of 1 to 25 phone numbers, which need not be the account's. More are a *[ValidationError]: each
// number costs $0.009, so they are not split into several requests unasked. The API accepts 30 lookups a minute.
// (GET /v1/numbers/lookup)
//
// Not idempotent, although it is a read, for each request is billed: it is not retried once it may have been sent. On
// [ErrOutcomeUnknown] it may have been billed; looking up again does no other harm.
func (s *NumbersService) Lookup(ctx context.Context, params LookupNumbersParams, opts ...RequestOption) (*Page[NumberLookup], error) {
	return list[NumberLookup](ctx, (*service)(s), &opLookupNumbers, nil, params, 0, opts)
}

// NumberMessage is a message in a list of [NumbersService].
type NumberMessage struct {
	ID         string    `json:"id"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Body       string    `json:"body"`
	Direction  Direction `json:"direction"`
	Channel    Channel   `json:"channel"` // "" if unknown
	ReceivedAt Timestamp `json:"receivedAt"`
}

// UnmarshalJSON decodes a NumberMessage, whose sender the API calls "from" or "from_".
func (m *NumberMessage) UnmarshalJSON(data []byte) error {
	type plain NumberMessage
	var wire struct {
		plain
		FromAlt string `json:"from_"`
	}
	if err := lenientjson.Unmarshal(data, &wire); err != nil {
		return err
	}
	*m = NumberMessage(wire.plain)
	m.From = cmp.Or(m.From, wire.FromAlt)
	return nil
}

// ListMessages returns one page of a number's messages, newest first. Retried.
// (GET /v1/numbers/{number_id}/messages)
func (s *NumbersService) ListMessages(ctx context.Context, numberID string, params ListMessagesParams, opts ...RequestOption) (*Page[NumberMessage], error) {
	return list[NumberMessage](ctx, (*service)(s), &opListNumberMessages, []string{numberID}, params, 0, opts)
}

// AllMessages iterates over a number's messages, newest first. It yields each message once, even if several have the
// same time, and none that arrives after the iteration has begun. Retried. (GET /v1/numbers/{number_id}/messages)
func (s *NumbersService) AllMessages(ctx context.Context, numberID string, params ListMessagesParams, opts ...RequestOption) iter.Seq2[NumberMessage, error] {
	return allByTime(params, func(m *NumberMessage) (string, Timestamp) { return m.ID, m.ReceivedAt },
		func(p ListMessagesParams) (*Page[NumberMessage], error) {
			return s.ListMessages(ctx, numberID, p, opts...)
		})
}

// ListCalls returns one page of a number's calls, newest first. Only Limit and Offset of params may be set: the API has
// no filters here, and others are a *[ValidationError]. Retried. (GET /v1/numbers/{number_id}/calls)
func (s *NumbersService) ListCalls(ctx context.Context, numberID string, params ListCallsParams, opts ...RequestOption) (*Page[Call], error) {
	return listScopedCalls(ctx, (*service)(s), &opListNumberCalls, numberID, params, opts)
}

// AllCalls iterates over a number's calls, newest first. As for [NumbersService.ListCalls], params must have no
// filters. Retried. (GET /v1/numbers/{number_id}/calls)
func (s *NumbersService) AllCalls(ctx context.Context, numberID string, params ListCallsParams, opts ...RequestOption) iter.Seq2[Call, error] {
	return allCalls(params, func(p ListCallsParams) (*Page[Call], error) { return s.ListCalls(ctx, numberID, p, opts...) })
}
