package agentphonetest

import (
	"net/http"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// contact is an entry in the address book of an account.
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

// contactFields describes the body of both creation and update, which differ in the number and the name.
func contactFields(number, name schema.Field) schema.Fields {
	return schema.Fields{
		number.Format(e164Format), name.Min(1), schema.Text("email").Nullable().Format(schema.Email), schema.Text("notes").Nullable(),
	}
}

var contactOperations = []*operation{
	get("/v1/contacts", (*Server).listContacts, pageQuery(200, schema.Text("search"))...),
	post("/v1/contacts", (*Server).createContact,
		contactFields(schema.Text("phoneNumber").Required(), schema.Text("name").Required())),
	get("/v1/contacts/capabilities", (*Server).getCapabilities, schema.Text("phone_number").Required().Format(e164Format)),
	get("/v1/contacts/{contact_id}", (*Server).getContact),
	patch("/v1/contacts/{contact_id}", (*Server).updateContact,
		contactFields(schema.Text("phoneNumber").Nullable(), schema.Text("name").Nullable())),
	remove("/v1/contacts/{contact_id}", (*Server).deleteContact).withStatus(http.StatusNoContent),
}

func (s *Server) listContacts(in *input) (any, error) {
	search := strings.ToLower(in.query.Text("search"))
	if search == "" {
		return pageOf(in.account.contacts.list, in.query, 50, (*contact).view), nil
	}
	matching := where(in.account.contacts.list, func(c *contact) bool {
		all := strings.Join([]string{c.name, c.phone, c.email, c.notes}, "\n")
		return strings.Contains(strings.ToLower(all), search)
	})
	return pageOf(matching, in.query, 50, (*contact).view), nil
}

// checkContactNumber refuses a number that another contact has.
func (a *account) checkContactNumber(number string, by *contact) error {
	if c := a.byPhone[number]; c != nil && c != by {
		return refuse(http.StatusConflict, "A contact with this phone number already exists")
	}
	return nil
}

// setPhone gives a contact a phone number.
func (a *account) setPhone(c *contact, number string) {
	if a.byPhone == nil {
		a.byPhone = map[string]*contact{}
	}
	delete(a.byPhone, c.phone)
	c.phone = number
	a.byPhone[number] = c
}

func (s *Server) createContact(in *input) (any, error) {
	c := &contact{
		name: in.body.Text("name"), email: in.body.Text("email"), notes: in.body.Text("notes"), created: now(),
	}
	number := in.body.Text("phoneNumber")
	if err := in.account.checkContactNumber(number, c); err != nil {
		return nil, err
	}
	in.account.setPhone(c, number)
	c.id, c.updated = s.id("cnt"), c.created
	in.account.contacts.add(c)
	return c.view(), nil
}

// contact returns the contact that the path names.
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

// updateContact changes what is given. Null clears the email and the notes and is ignored for the others.
func (s *Server) updateContact(in *input) (any, error) {
	c, err := in.contact()
	if err != nil {
		return nil, err
	}
	if number := in.body.Text("phoneNumber"); number != "" {
		if err := in.account.checkContactNumber(number, c); err != nil {
			return nil, err
		}
		in.account.setPhone(c, number)
	}
	if name := in.body.Text("name"); name != "" {
		c.name = name
	}
	if _, given := in.body["email"]; given {
		c.email = in.body.Text("email")
	}
	if _, given := in.body["notes"]; given {
		c.notes = in.body.Text("notes")
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
	delete(in.account.byPhone, c.phone)
	return nil, nil
}

// hasIMessage has a rule where the API asks the network: email addresses and phone numbers that end in an even digit
// have iMessage, short codes have not.
func hasIMessage(address string) bool {
	if strings.Contains(address, "@") {
		return true
	}
	return e164Format(address) == "" && (address[len(address)-1]-'0')%2 == 0
}

// capabilities are those of a phone: all have SMS.
func capabilities(address string) object {
	return object{"imessage": hasIMessage(address), "sms": !strings.Contains(address, "@")}
}

func (s *Server) getCapabilities(in *input) (any, error) {
	number := in.query.Text("phone_number")
	return object{
		"phoneNumber":  number,
		"capabilities": capabilities(number),
		"checkedAt":    stamp(now()),
	}, nil
}

// place is where a phone is, in degrees.
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
	if reason := e164Format(number); reason != "" {
		return nil, invalidAt("path", "phone_number", reason)
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

// refreshLocations asks all phones where they are. They have not moved.
func (s *Server) refreshLocations(*input) (any, error) {
	for _, p := range s.locations {
		p.updated = now()
	}
	return object{"success": true, "pollAfterSeconds": 5}, nil
}
