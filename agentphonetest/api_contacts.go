package agentphonetest

import (
	"net/http"
	"strings"
	"time"
)

type contact struct {
	id, phone, name  string
	email, notes     string // "" is null
	created, updated time.Time
}

func (c *contact) ident() string { return c.id }

func (c *contact) view() object {
	return object{
		"id": c.id, "phoneNumber": c.phone, "name": c.name, "email": orNull(c.email), "notes": orNull(c.notes),
		"createdAt": stamp(c.created), "updatedAt": stamp(c.updated),
	}
}

func contactFields(number, name field) fields {
	return fields{
		number.like(e164), name.atLeast(1), text("email").orNull().like(email), text("notes").orNull(),
	}
}

var contactOperations = []*operation{
	get("/v1/contacts", (*Server).listContacts, append(page(200), text("search"))...),
	post("/v1/contacts", (*Server).createContact,
		contactFields(text("phoneNumber").required(), text("name").required())),
	get("/v1/contacts/capabilities", (*Server).getCapabilities, text("phone_number").required().like(e164)),
	get("/v1/contacts/{contact_id}", (*Server).getContact),
	patch("/v1/contacts/{contact_id}", (*Server).updateContact,
		contactFields(text("phoneNumber").orNull(), text("name").orNull())),
	remove("/v1/contacts/{contact_id}", (*Server).deleteContact).answers(http.StatusNoContent),
}

func (s *Server) listContacts(in *input) (any, error) {
	search := strings.ToLower(in.query.text("search"))
	fit := in.account.contacts.where(func(c *contact) bool {
		all := strings.Join([]string{c.name, c.phone, c.email, c.notes}, "\n")
		return strings.Contains(strings.ToLower(all), search)
	})
	return pageOf(fit, in.query, 50, (*contact).view), nil
}

// numberTaken refuses a number that another contact has.
func (a *account) numberTaken(number string, by *contact) error {
	for _, c := range a.contacts.list {
		if c.phone == number && c != by {
			return refuse(http.StatusConflict, "A contact with this phone number already exists")
		}
	}
	return nil
}

func (s *Server) createContact(in *input) (any, error) {
	c := &contact{
		phone: in.body.text("phoneNumber"), name: in.body.text("name"),
		email: in.body.text("email"), notes: in.body.text("notes"), created: now(),
	}
	if err := in.account.numberTaken(c.phone, nil); err != nil {
		return nil, err
	}
	c.id, c.updated = s.id("cnt"), c.created
	in.account.contacts.add(c)
	return c.view(), nil
}

func (in *input) contact() (*contact, error) {
	c, ok := in.account.contacts.get(in.path("contact_id"))
	if !ok {
		return nil, notFound("Contact")
	}
	return c, nil
}

func (s *Server) getContact(in *input) (any, error) {
	c, err := in.contact()
	if err != nil {
		return nil, err
	}
	return c.view(), nil
}

// updateContact changes what is given; null clears email and notes and leaves the others alone.
func (s *Server) updateContact(in *input) (any, error) {
	c, err := in.contact()
	if err != nil {
		return nil, err
	}
	if number := in.body.text("phoneNumber"); number != "" {
		if err := in.account.numberTaken(number, c); err != nil {
			return nil, err
		}
		c.phone = number
	}
	if name := in.body.text("name"); name != "" {
		c.name = name
	}
	if _, given := in.body["email"]; given {
		c.email = in.body.text("email")
	}
	if _, given := in.body["notes"]; given {
		c.notes = in.body.text("notes")
	}
	c.updated = now()
	return c.view(), nil
}

func (s *Server) deleteContact(in *input) (any, error) {
	c, err := in.contact()
	if err != nil {
		return nil, err
	}
	in.account.contacts.remove(c.id)
	return nil, nil
}

// getCapabilities makes a rule where the API asks a network: a number whose last digit is even
// has iMessage. All have SMS.
func (s *Server) getCapabilities(in *input) (any, error) {
	number := in.query.text("phone_number")
	return object{
		"phoneNumber":  number,
		"capabilities": object{"imessage": (number[len(number)-1]-'0')%2 == 0, "sms": true},
		"checkedAt":    stamp(now()),
	}, nil
}

// place is where a phone is.
type place struct {
	latitude, longitude float64
	updated             time.Time
}

var locationOperations = []*operation{
	get("/v1/location/{phone_number}", (*Server).getLocation),
	post("/v1/location/refresh", (*Server).refreshLocations, nil),
}

func (s *Server) getLocation(in *input) (any, error) {
	number := in.path("phone_number")
	if reason := e164(number); reason != "" {
		return nil, invalid(problem{[]any{"path", "phone_number"}, "Value error, " + reason, "value_error"})
	}
	p := s.locations[number]
	if p == nil {
		return object{"phoneNumber": number, "latitude": nil, "longitude": nil, "status": "unavailable", "lastUpdated": 0}, nil
	}
	return object{
		"phoneNumber": number, "latitude": p.latitude, "longitude": p.longitude,
		"status": "available", "lastUpdated": p.updated.UnixMilli(),
	}, nil
}

// refreshLocations asks all phones where they are. They are where they were.
func (s *Server) refreshLocations(*input) (any, error) {
	for _, p := range s.locations {
		p.updated = now()
	}
	return object{"success": true, "pollAfterSeconds": 5}, nil
}
