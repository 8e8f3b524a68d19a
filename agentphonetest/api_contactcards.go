package agentphonetest

import (
	"net/http"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// contactCard is what a phone number shows of itself on iMessage.
type contactCard struct{ first, last, display, avatar string }

func (c *contactCard) view() object {
	return object{
		"firstName": orNull(c.first), "lastName": orNull(c.last), "displayName": orNull(c.display),
		"hasAvatar": c.avatar != "",
	}
}

const cardPath = "/v1/numbers/{number_id}/contact-card"

var contactCardOperations = []*operation{
	get(cardPath, (*Server).getCard),
	put(cardPath, (*Server).setCard, schema.Fields{
		schema.Text("firstName").Nullable(), schema.Text("lastName").Nullable(), schema.Text("displayName").Nullable(),
		schema.Text("avatarUrl").Nullable().Format(schema.URL),
	}),
	remove(cardPath, (*Server).deleteCard).withStatus(http.StatusNoContent),
}

var errCardNotFound = notFound("Contact card")

// numberWithCard returns the phone number that the path names, which must have a contact card.
func (in *input) numberWithCard() (*phoneNumber, error) {
	n, err := in.account.activeNumber(in.path("number_id"))
	switch {
	case err != nil:
		return nil, err
	case n.card == nil:
		return nil, errCardNotFound
	}
	return n, nil
}

func (s *Server) getCard(in *input) (any, error) {
	n, err := in.numberWithCard()
	if err != nil {
		return nil, err
	}
	return n.card.view(), nil
}

// setCard replaces the whole contact card: what is left out is cleared.
func (s *Server) setCard(in *input) (any, error) {
	n, err := in.account.activeNumber(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	b := in.body
	n.card = &contactCard{b.Text("firstName"), b.Text("lastName"), b.Text("displayName"), b.Text("avatarUrl")}
	return n.card.view(), nil
}

func (s *Server) deleteCard(in *input) (any, error) {
	n, err := in.numberWithCard()
	if err != nil {
		return nil, err
	}
	n.card = nil
	return nil, nil
}
