package agentphone

import "context"

// ContactCardsService manages the contact cards of numbers. A number has at most one.
type ContactCardsService service

var (
	opGetContactCard    = operation{method: "GET", path: "/v1/numbers/{number_id}/contact-card", idempotent: true}
	opSetContactCard    = operation{method: "PUT", path: "/v1/numbers/{number_id}/contact-card", idempotent: true}
	opDeleteContactCard = operation{method: "DELETE", path: "/v1/numbers/{number_id}/contact-card", idempotent: true, emptyOK: true}
)

// ContactCard is the name and picture that a number shows to those it messages by iMessage.
type ContactCard struct {
	FirstName   string `json:"firstName"`
	LastName    string `json:"lastName"`
	DisplayName string `json:"displayName"`
	HasAvatar   bool   `json:"hasAvatar"` // whether the card has a picture
}

// SetContactCardParams are the parameters of [ContactCardsService.Set]. Empty fields are not sent. To clear a field,
// delete the card and set it again.
type SetContactCardParams struct {
	FirstName   string `json:"firstName,omitzero"`
	LastName    string `json:"lastName,omitzero"`
	DisplayName string `json:"displayName,omitzero"`
	AvatarURL   string `json:"avatarUrl,omitzero"` // URL of a picture that the API can fetch
}

// Get returns the contact card of a number. It fails with [ErrNotFound] if the number has none. Retried.
// (GET /v1/numbers/{number_id}/contact-card)
func (s *ContactCardsService) Get(ctx context.Context, numberID string, opts ...RequestOption) (*ContactCard, error) {
	return do[ContactCard](ctx, (*service)(s), &opGetContactCard, []string{numberID}, nil, opts)
}

// Set creates or replaces the contact card of a number. Retried. (PUT /v1/numbers/{number_id}/contact-card)
func (s *ContactCardsService) Set(ctx context.Context, numberID string, params SetContactCardParams, opts ...RequestOption) (*ContactCard, error) {
	return do[ContactCard](ctx, (*service)(s), &opSetContactCard, []string{numberID}, params, opts)
}

// Delete deletes the contact card of a number. Retried. (DELETE /v1/numbers/{number_id}/contact-card)
func (s *ContactCardsService) Delete(ctx context.Context, numberID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteContactCard, []string{numberID}, nil, opts)
}
