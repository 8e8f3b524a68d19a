package agentphone

import "context"

// ContactCardsService manages the card that a number shows to those it messages by iMessage.
type ContactCardsService service

var (
	opGetContactCard    = operation{method: "GET", path: "/v1/numbers/{number_id}/contact-card", idempotent: true}
	opSetContactCard    = operation{method: "PUT", path: "/v1/numbers/{number_id}/contact-card", idempotent: true}
	opDeleteContactCard = operation{method: "DELETE", path: "/v1/numbers/{number_id}/contact-card", idempotent: true, emptyOK: true}
)

// ContactCard is a number's card.
type ContactCard struct {
	FirstName   string `json:"firstName"`
	LastName    string `json:"lastName"`
	DisplayName string `json:"displayName"`
	HasAvatar   bool   `json:"hasAvatar"`
}

// SetContactCardParams are the parameters of [ContactCardsService.Set]. What is empty is not sent;
// to take something off a card, delete the card first.
type SetContactCardParams struct {
	FirstName   string `json:"firstName,omitzero"`
	LastName    string `json:"lastName,omitzero"`
	DisplayName string `json:"displayName,omitzero"`
	AvatarURL   string `json:"avatarUrl,omitzero"` // an image that the API can fetch
}

// Get returns a number's card. Retried. (GET /v1/numbers/{number_id}/contact-card)
func (s *ContactCardsService) Get(ctx context.Context, numberID string, opts ...RequestOption) (*ContactCard, error) {
	return do[ContactCard](ctx, (*service)(s), &opGetContactCard, []string{numberID}, nil, opts)
}

// Set makes a number's card, or replaces it. Retried. (PUT /v1/numbers/{number_id}/contact-card)
func (s *ContactCardsService) Set(ctx context.Context, numberID string, params SetContactCardParams, opts ...RequestOption) (*ContactCard, error) {
	return do[ContactCard](ctx, (*service)(s), &opSetContactCard, []string{numberID}, params, opts)
}

// Delete removes a number's card. Retried: if the answer to a first attempt was lost, the error of the
// second may be [ErrNotFound]. (DELETE /v1/numbers/{number_id}/contact-card)
func (s *ContactCardsService) Delete(ctx context.Context, numberID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteContactCard, []string{numberID}, nil, opts)
}
