package agentphonetest

import "net/http"

// card is what a number shows of itself on iMessage.
type card struct{ first, last, display, avatar string }

func (c *card) view() object {
	return object{
		"firstName": orNull(c.first), "lastName": orNull(c.last), "displayName": orNull(c.display),
		"hasAvatar": c.avatar != "",
	}
}

const cardPath = "/v1/numbers/{number_id}/contact-card"

var contactCardOperations = []*operation{
	get(cardPath, (*Server).getCard),
	{method: http.MethodPut, path: cardPath, do: (*Server).putCard, status: http.StatusOK, body: fields{
		text("firstName").orNull(), text("lastName").orNull(), text("displayName").orNull(),
		text("avatarUrl").orNull().like(webAddress),
	}},
	remove(cardPath, (*Server).deleteCard).answers(http.StatusNoContent),
}

var errNoCard = notFound("Contact card")

// cardOf is the number that an input names, which must have a card.
func cardOf(in *input) (*phone, error) {
	n, err := in.account.activeNumber(in.path("number_id"))
	switch {
	case err != nil:
		return nil, err
	case n.card == nil:
		return nil, errNoCard
	}
	return n, nil
}

func (s *Server) getCard(in *input) (any, error) {
	n, err := cardOf(in)
	if err != nil {
		return nil, err
	}
	return n.card.view(), nil
}

// putCard replaces the whole card: what is left out is gone.
func (s *Server) putCard(in *input) (any, error) {
	n, err := in.account.activeNumber(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	b := in.body
	n.card = &card{b.text("firstName"), b.text("lastName"), b.text("displayName"), b.text("avatarUrl")}
	return n.card.view(), nil
}

func (s *Server) deleteCard(in *input) (any, error) {
	n, err := cardOf(in)
	if err != nil {
		return nil, err
	}
	n.card = nil
	return nil, nil
}
