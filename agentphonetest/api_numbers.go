package agentphonetest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// phoneNumber is a phone number that an account bought.
type phoneNumber struct {
	id       string
	account  *account
	order    int // how many numbers were sold before
	e164     string
	country  string
	agentID  string // "" if no agent has it
	released bool
	created  time.Time
	card     *contactCard // nil if it has none

	calls         []*call
	messages      []*message
	conversations []*conversation
}

func (n *phoneNumber) ident() string { return n.id }

func (n *phoneNumber) status() string {
	if n.released {
		return string(agentphone.NumberStatusReleased)
	}
	return string(agentphone.NumberStatusActive)
}

const numberType = "local"

func (n *phoneNumber) view() object {
	return object{
		"id": n.id, "phoneNumber": n.e164, "country": n.country, "status": n.status(),
		"type": numberType, "agentId": orNull(n.agentID), "createdAt": stamp(n.created), "outboundSms": n.outboundSMS(),
	}
}

// outboundSMS is whether the number can send texts: all can, without a registration, until they are released.
func (n *phoneNumber) outboundSMS() any {
	if n.released {
		return nil
	}
	return "enabled"
}

func (n *phoneNumber) asAgentNumber() object {
	return object{"id": n.id, "phoneNumber": n.e164, "status": n.status(), "type": numberType}
}

func (a *account) activeNumbers() []*phoneNumber { return a.active.list }

// numberWith returns an active number of any account by its E.164 form, or nil.
func (s *Server) numberWith(e164 string) *phoneNumber {
	n := s.numbers[e164]
	if n == nil || n.released || !s.exists(n.account) {
		return nil
	}
	return n
}

// assign attaches an active number to an agent, or with "" to none.
func (a *account) assign(n *phoneNumber, agentID string) {
	byOrder := func(a, b *phoneNumber) int { return cmp.Compare(a.order, b.order) }
	if ag, ok := a.agents.get(n.agentID); ok {
		i, _ := slices.BinarySearchFunc(ag.numbers, n, byOrder)
		ag.numbers = slices.Delete(ag.numbers, i, i+1)
	}
	n.agentID = agentID
	if ag, ok := a.agents.get(agentID); ok {
		i, _ := slices.BinarySearchFunc(ag.numbers, n, byOrder)
		ag.numbers = slices.Insert(ag.numbers, i, n)
	}
}

// numberByID finds a phone number, even a released one.
func (a *account) numberByID(id string) (*phoneNumber, error) {
	n, ok := a.numbers.get(id)
	if !ok {
		return nil, notFound("Number")
	}
	return n, nil
}

func (a *account) activeNumber(id string) (*phoneNumber, error) {
	n, err := a.numberByID(id)
	if err == nil && n.released {
		return nil, notFound("Number")
	}
	return n, err
}

var numberOperations = []*operation{
	get("/v1/numbers", (*Server).listNumbers, pageQuery(100)...),
	post("/v1/numbers", (*Server).buyNumber, schema.Fields{
		schema.Enum("country", "US", "CA").Required(),
		schema.Text("areaCode").Nullable().Format(areaCodeFormat),
		schema.Text("agentId").Nullable(),
	}),
	get("/v1/numbers/lookup", (*Server).lookUpNumbers, schema.Text("phoneNumbers").Required().Format(lookupFormat)),
	get("/v1/numbers/{number_id}", (*Server).getNumber),
	remove("/v1/numbers/{number_id}", (*Server).releaseNumber),
}

// e164Format is the format of a phone number.
func e164Format(s string) string {
	if _, err := agentphone.ParseE164(s); err != nil {
		return "phone number must be in E.164 format"
	}
	return ""
}

func areaCodeFormat(s string) string {
	if len(s) != 3 || !isDigits(s) {
		return "area code must be 3 digits"
	}
	return ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func (s *Server) addNumber(acc *account, country, area, agentID string) *phoneNumber {
	if area == "" {
		area = map[string]string{"US": "415", "CA": "604"}[country]
	}
	// 555-0100 and up, which are reserved for fiction.
	n := &phoneNumber{
		id: s.id("num"), account: acc, order: s.numbersSold, e164: fmt.Sprintf("+1%s555%04d", area, 100+s.numbersSold),
		country: country, created: now(),
	}
	s.numbersSold++
	acc.numbers.add(n)
	acc.active.add(n)
	s.numbers[n.e164] = n
	acc.assign(n, agentID)
	return n
}

func (s *Server) listNumbers(in *input) (any, error) {
	return pageOf(in.account.activeNumbers(), in.query, defaultPage, (*phoneNumber).view), nil
}

func (s *Server) buyNumber(in *input) (any, error) {
	agentID := in.body.Text("agentId")
	if agentID != "" {
		if _, err := in.account.agentByID(agentID); err != nil {
			return nil, err
		}
	}
	if len(in.account.activeNumbers()) >= s.numberLimit {
		return nil, refuseWithCode(http.StatusConflict, agentphone.CodeNumberLimit, "validation_error",
			fmt.Sprintf("Number limit reached: this account may hold %d numbers", s.numberLimit))
	}
	s.charge("POST /v1/numbers", 1, numberPrice)
	return s.addNumber(in.account, in.body.Text("country"), in.body.Text("areaCode"), agentID).view(), nil
}

// getNumber returns a phone number, even a released one.
func (s *Server) getNumber(in *input) (any, error) {
	n, err := in.account.numberByID(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	return n.view(), nil
}

func (s *Server) releaseNumber(in *input) (any, error) {
	n, err := in.account.activeNumber(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	in.account.assign(n, "")
	in.account.active.remove(n.id)
	n.released = true
	return object{"success": true, "phoneNumber": n.e164, "status": n.status()}, nil
}

// sender returns the number that an agent calls or writes from: the one with the id, the E.164 form or both, if they are
// not "", or else the agent's first.
func (s *Server) sender(a *account, agentID, id, e164 string) (*phoneNumber, error) {
	if id != "" || e164 != "" {
		n := s.numbers[e164]
		if id != "" {
			n, _ = a.active.get(id)
		}
		switch {
		case n == nil || n.account != a || n.released || e164 != "" && n.e164 != e164:
			return nil, refuseWithCode(http.StatusNotFound, agentphone.CodePhoneNumberNotFound, "not_found_error", "Phone number not found")
		case agentID != "" && n.agentID != agentID:
			return nil, badRequest("The phone number is not attached to this agent")
		}
		return n, nil
	}
	if ag, ok := a.agents.get(agentID); ok && len(ag.numbers) > 0 {
		return ag.numbers[0], nil
	}
	return nil, badRequest("Agent has no phone number attached")
}

const maxLookup = 25

// lookupFormat is the format of a list of phone numbers with commas between them.
func lookupFormat(s string) string {
	numbers := strings.Split(s, ",")
	if len(numbers) > maxLookup {
		return fmt.Sprintf("at most %d phone numbers", maxLookup)
	}
	for _, number := range numbers {
		if problem := e164Format(number); problem != "" {
			return problem
		}
	}
	return ""
}

// lookUpNumbers tells the kinds of phone numbers, in the order of the request. Each is billed.
func (s *Server) lookUpNumbers(in *input) (any, error) {
	numbers := strings.Split(in.query.Text("phoneNumbers"), ",")
	s.charge("GET /v1/numbers/lookup", len(numbers), lookupPrice)
	return object{"data": views(numbers, s.lookup)}, nil
}

// lookup has a rule where the API asks the network. The caller holds s.mu.
func (s *Server) lookup(number string) object {
	kind, country := "mobile", ""
	if strings.HasPrefix(number, "+1") {
		country = "US"
	}
	if n := s.numberWith(number); n != nil {
		kind, country = "voip", n.country
	}
	if set, ok := s.lineTypes[number]; ok {
		kind = set
	}
	v := object{"phoneNumber": number, "lineType": orNull(kind), "country": orNull(country), "rcsEnabled": nil}
	if kind != "" {
		v["rcsEnabled"] = kind == "mobile"
	}
	return v
}
