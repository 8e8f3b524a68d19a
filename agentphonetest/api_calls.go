package agentphonetest

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

var callOperations = []*operation{
	get("/v1/calls", (*Server).listCalls, append(page(100),
		text("status"), text("direction"), text("type"), text("search"))...),
	post("/v1/calls", (*Server).createCall, fields{
		text("agentId").required(),
		text("toNumber").required().like(e164),
		text("fromNumberId").orNull(),
		text("initialGreeting").orNull(),
		text("voice").orNull(),
		text("systemPrompt").orNull(),
		modelTier,
		group("variables").orNull().valuesLike(text("").orNull()),
		text("callScreeningIdentity").orNull(),
		text("callScreeningPurpose").orNull(),
	}),
	get("/v1/calls/{call_id}", (*Server).getCall,
		boolean("wait"), integer("timeout").atLeast(10).atMost(300)).thatWaits(),
	post("/v1/calls/{call_id}/end", (*Server).endCall, nil),
	get("/v1/numbers/{number_id}/calls", (*Server).listNumberCalls, page(100)...),
}

func (s *Server) listCalls(in *input) (any, error) {
	var fit []*call
	for _, c := range newestFirst(in.account.calls.list) {
		if c.now().fits(in.query) {
			fit = append(fit, c)
		}
	}
	return pageOf(fit, in.query, defaultPage, in.callView), nil
}

func (in *input) callView(c *call) object { return c.now().view(in.base) }

func (s *Server) listAgentCalls(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	its := in.account.calls.where(func(c *call) bool { return c.agentID == a.id })
	return pageOf(newestFirst(its), in.query, defaultPage, func(c *call) object { return c.now().summary() }), nil
}

func (s *Server) listNumberCalls(in *input) (any, error) {
	n, err := in.account.number(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	its := in.account.calls.where(func(c *call) bool { return c.number == n })
	return pageOf(newestFirst(its), in.query, defaultPage, in.callView), nil
}

func (s *Server) createCall(in *input) (any, error) {
	a, err := in.account.agentNamed(in.body.text("agentId"))
	if err != nil {
		return nil, err
	}
	var pick func(*phone) bool
	if id := in.body.text("fromNumberId"); id != "" {
		pick = func(n *phone) bool { return n.id == id }
	}
	from, err := in.account.sender(a.id, pick)
	if err != nil {
		return nil, err
	}
	c := &call{
		agentID: a.id, number: from, from: from.phone, to: in.body.text("toNumber"),
		kind: phoneCall, direction: agentphone.DirectionOutbound,
	}
	greeting := cmp.Or(in.body.text("initialGreeting"), a.text("beginMessage"))
	w, _ := in.account.webhookOf(a.id)
	if in.body.text("systemPrompt") == "" && w != nil && len(s.scripts) == 0 {
		c.driven(greeting)
	} else {
		c.script = s.takeScript(greeting)
	}
	return in.callView(s.addCall(in.account, c)), nil
}

func (s *Server) addCall(a *account, c *call) *call {
	c.id, c.started, c.account = s.id("call"), time.Now(), a
	a.calls.add(c)
	s.calls = append(s.calls, c)
	return c
}

func (a *account) callNamed(id string) (*call, error) {
	c, ok := a.calls.get(id)
	if !ok {
		return nil, notFound("Call")
	}
	return c, nil
}

// getCall holds the answer back, if it is asked to, until the call is over or the time is up.
func (s *Server) getCall(in *input) (any, error) {
	const defaultWait = 120
	limit := time.Duration(in.query.integer("timeout", defaultWait)) * time.Second
	until := time.Now().Add(limit)
	for {
		s.mu.Lock()
		c, err := in.account.callNamed(in.path("call_id"))
		if err != nil {
			s.mu.Unlock()
			return nil, err
		}
		s.lookForEnds()
		m, seen := c.now(), s.changes
		v := m.view(in.base)
		s.mu.Unlock()
		left := min(time.Until(until), m.untilEnd())
		if !in.query.flag("wait") || m.final || left <= 0 {
			return v, nil
		}
		if err := s.pause(in.ctx, left, seen); err != nil {
			return nil, err
		}
	}
}

// endCall ends a call where it is. A call that is over stays as it is.
func (s *Server) endCall(in *input) (any, error) {
	c, err := in.account.callNamed(in.path("call_id"))
	if err != nil {
		return nil, err
	}
	if s.hangUp(c, agentHungUp) {
		s.lookForEnds()
	}
	return in.callView(c), nil
}

var webCallOperations = []*operation{
	post("/v1/calls/web", (*Server).createWebCall, fields{
		text("agentId").required(),
		group("metadata").orNull(),
		group("variables").orNull().valuesLike(text("").orNull()),
	}),
}

// createWebCall begins a call from a browser. It follows a script like any other, from now on, as if the
// token were used at once.
func (s *Server) createWebCall(in *input) (any, error) {
	a, err := in.account.agentNamed(in.body.text("agentId"))
	if err != nil {
		return nil, err
	}
	c := s.addCall(in.account, &call{
		agentID: a.id, kind: webCall, direction: agentphone.DirectionInbound,
		script: s.takeScript(a.text("beginMessage")),
	})
	return object{"accessToken": s.secret("wct"), "callId": c.id}, nil
}

// common is what all views of a call have.
func (m moment) common() object {
	v := object{
		"id": m.id, "agentId": orNull(m.agentID), "phoneNumberId": nil, "phoneNumber": nil,
		"fromNumber": orNull(m.from), "toNumber": orNull(m.to), "status": m.status(),
		"startedAt": stamp(m.after(0)), "endedAt": m.endedAt(), "durationSeconds": m.seconds(),
		"lastTranscriptSnippet": m.snippet(),
	}
	if m.number != nil {
		v["phoneNumberId"], v["phoneNumber"] = m.number.id, m.number.phone
	}
	return v
}

// view is a call with all that the API says of it. base begins the recording's URL.
func (m moment) view(base string) object {
	v := m.common()
	v["direction"] = m.direction
	v["recordingAvailable"], v["recordingUrl"] = m.recorded(), nil
	if m.recorded() {
		v["recordingUrl"] = base + "/v1/calls/" + m.id + "/recording"
	}
	v["transcripts"] = m.transcripts()
	return v
}

// summary is a call in the list of its agent: numbers are never null there, seconds are whole.
func (m moment) summary() object {
	v := m.common()
	v["fromNumber"], v["toNumber"] = m.from, m.to
	if seconds, ok := v["durationSeconds"].(float64); ok {
		v["durationSeconds"] = math.Round(seconds)
	}
	return v
}

// transcripts pairs what the human said with the answer that follows. What the agent says by
// itself stands alone.
func (m moment) transcripts() []object {
	turns := []object{}
	open := false // the last turn has no answer yet
	for i, turn := range m.said() {
		human := turn.Role == agentphone.RoleUser
		if !human && open {
			turns[len(turns)-1]["response"] = turn.Content
			open = false
			continue
		}
		t := object{
			"id": fmt.Sprintf("turn_%s_%d", strings.TrimPrefix(m.id, "call_"), i), "transcript": nil,
			"confidence": nil, "response": nil, "createdAt": stamp(m.after(turn.at)),
		}
		if human {
			t["transcript"], t["confidence"] = turn.Content, 0.95
		} else {
			t["response"] = turn.Content
		}
		open = human
		turns = append(turns, t)
	}
	return turns
}

// fits says whether a call passes the filters of a list.
func (m moment) fits(filters object) bool {
	is := func(name, value string) bool { return cmp.Or(filters.text(name), value) == value }
	if !is("status", string(m.status())) || !is("direction", string(m.direction)) || !is("type", m.kind) {
		return false
	}
	texts := []string{m.id, m.from, m.to}
	for _, turn := range m.said() {
		texts = append(texts, turn.Content)
	}
	return strings.Contains(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(filters.text("search")))
}
