package agentphonetest

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

var callOperations = []*operation{
	get("/v1/calls", (*Server).listCalls, pageQuery(100, callFilters...)...),
	post("/v1/calls", (*Server).createCall, schema.Fields{
		schema.Text("agentId").Required(),
		schema.Text("toNumber").Required().Format(e164Format),
		schema.Text("fromNumberId").Nullable(),
		schema.Text("initialGreeting").Nullable(),
		schema.Text("voice").Nullable(),
		schema.Text("systemPrompt").Nullable(),
		modelTier,
		variables,
		schema.Text("callScreeningIdentity").Nullable().Max(100),
		schema.Text("callScreeningPurpose").Nullable().Max(300),
		schema.Boolean("disableRecording"),
		schema.Boolean("waitForCompletion").Nullable(), // as the official MCP server sends it
		schema.Integer("maxWaitSeconds").Nullable().Min(1),
	}).thatWaits(),
	post("/v1/calls/web", (*Server).createWebCall, schema.Fields{
		schema.Text("agentId").Required(),
		schema.Object("metadata").Nullable(),
		variables,
	}),
	get("/v1/calls/{call_id}", (*Server).getCall,
		schema.Boolean("wait"), schema.Integer("timeout").Min(10).Max(300)).thatWaits(),
	post("/v1/calls/{call_id}/end", (*Server).endCall, nil),
	get("/v1/agents/{agent_id}/calls", (*Server).listAgentCalls, pageQuery(100)...),
	get("/v1/numbers/{number_id}/calls", (*Server).listNumberCalls, pageQuery(100)...),
}

// callFilters are those of the list of calls. With one of them the list looks at all calls.
var callFilters = []schema.Field{
	schema.Text("status"), schema.Text("direction"), schema.Text("type"), schema.Text("search"),
}

var variables = schema.Map("variables", schema.Text("").Nullable()).Nullable()

// call returns the call that the path names.
func (in *input) call() (*call, error) {
	c, ok := in.account.calls.get(in.path("call_id"))
	if !ok {
		return nil, notFound("Call")
	}
	return c, nil
}

func (in *input) callView(c *call) object {
	m := c.now()
	return m.view(in.base, m.transcript())
}

func (s *Server) listCalls(in *input) (any, error) {
	all := listed(s, in.account.calls.list, (*call).placedAt)
	if slices.ContainsFunc(callFilters, func(f schema.Field) bool { return in.query.Text(f.Name) != "" }) {
		all = where(all, func(c *call) bool { return c.now().matches(in.query) })
	}
	return newestPageOf(all, in.query, defaultPage, in.callView), nil
}

func (s *Server) listAgentCalls(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	return newestPageOf(listed(s, a.calls, (*call).placedAt), in.query, defaultPage, func(c *call) object { return c.now().summary() }), nil
}

func (s *Server) listNumberCalls(in *input) (any, error) {
	n, err := in.account.numberByID(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	return newestPageOf(listed(s, n.calls, (*call).placedAt), in.query, defaultPage, in.callView), nil
}

// createCall places a call and, if it is asked to, holds the response back until the call is over.
func (s *Server) createCall(in *input) (any, error) {
	s.mu.Lock()
	c, err := s.placeCall(in)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	wait := 0
	if in.body.Bool("waitForCompletion") {
		wait = in.body.Int("maxWaitSeconds", defaultWaitSeconds)
	}
	return s.awaitEnd(in, c, wait)
}

// placeCall places a call. [Server.NextCall] says when it follows a script and when the test drives it. The caller holds
// s.mu.
func (s *Server) placeCall(in *input) (*call, error) {
	a, err := in.account.agentByID(in.body.Text("agentId"))
	if err != nil {
		return nil, err
	}
	from, err := s.sender(in.account, a.id, in.body.Text("fromNumberId"), "")
	if err != nil {
		return nil, err
	}
	c := &call{
		agentID: a.id, number: from, from: from.e164, to: in.body.Text("toNumber"),
		kind: phoneCall, direction: agentphone.DirectionOutbound, unrecorded: in.body.Bool("disableRecording"),
	}
	w, _ := in.account.webhookFor(a.id)
	driven := in.body.Text("systemPrompt") == "" && w != nil && len(s.scripts) == 0
	greeting := cmp.Or(in.body.Text("initialGreeting"), a.text("beginMessage"))
	switch {
	case in.body["initialGreeting"] == "": // the agent waits until it is spoken to
		greeting = ""
	case greeting == "" && !driven:
		greeting = defaultGreeting
	}
	switch {
	case driven && s.ringing:
		c.ring(greeting)
	case driven:
		c.driveByTest(greeting)
	default:
		c.script = s.takeScript(greeting)
	}
	return s.addCall(in.account, c), nil
}

// createWebCall starts a call from a browser, as if its token were used at once. It always follows a script.
func (s *Server) createWebCall(in *input) (any, error) {
	a, err := in.account.agentByID(in.body.Text("agentId"))
	if err != nil {
		return nil, err
	}
	c := s.addCall(in.account, &call{
		agentID: a.id, kind: webCall, direction: agentphone.DirectionWeb,
		script: s.takeScript(cmp.Or(a.text("beginMessage"), defaultGreeting)),
	})
	return object{"accessToken": s.secret("wct"), "callId": c.id}, nil
}

const defaultWaitSeconds = 120

// getCall holds the response back, if it is asked to, until the call is over or the timeout has passed.
func (s *Server) getCall(in *input) (any, error) {
	s.mu.Lock()
	c, err := in.call()
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	wait := 0
	if in.query.Bool("wait") {
		wait = in.query.Int("timeout", defaultWaitSeconds)
	}
	return s.awaitEnd(in, c, wait)
}

// awaitEnd waits until a call is over or some seconds have passed, and returns its view. The caller does not hold s.mu.
func (s *Server) awaitEnd(in *input, c *call, seconds int) (any, error) {
	until := time.Now().Add(time.Duration(seconds) * time.Second)
	for {
		s.mu.Lock()
		s.deliverEnds()
		m, seen := c.now(), c.changes
		v := m.view(in.base, m.transcript())
		s.mu.Unlock()
		left := min(time.Until(until), m.left)
		if m.final || left <= 0 {
			return v, nil
		}
		if err := s.pause(in.ctx, left, c, seen); err != nil {
			return nil, err
		}
	}
}

// endCall ends a call that is in progress: now or, [WithEndDelay], soon.
func (s *Server) endCall(in *input) (any, error) {
	c, err := in.call()
	switch {
	case err != nil:
		return nil, err
	case !s.hangUp(c, agentHungUp, s.endDelay):
		return nil, refuse(http.StatusConflict, "The call is not in progress")
	case !c.now().final:
		return object{"id": c.id, "status": agentphone.CallStatusEnding}, nil
	}
	s.deliverEnds()
	return in.callView(c), nil
}

// transcript is what the API shows of what was said so far.
func (m moment) transcript() []spoken {
	if delay := m.script.TranscriptDelay; delay > 0 && (!m.final || time.Since(m.timeAt(m.elapsed)) < delay) {
		return nil
	}
	return m.said()
}

// view is a call in most responses. base begins the URL of the recording.
func (m moment) view(base string, said []spoken) object {
	v := m.commonView(said)
	v["direction"] = m.direction
	v["recordingAvailable"], v["recordingUrl"] = m.recorded(), nil
	if m.recorded() {
		v["recordingUrl"] = base + "/v1/calls/" + m.id + "/recording"
	}
	v["transcripts"] = m.exchanges(said)
	return v
}

// summary is a call in the list of its agent, where numbers are never null and seconds are whole.
func (m moment) summary() object {
	v := m.commonView(m.transcript())
	v["fromNumber"], v["toNumber"] = m.from, m.to
	if seconds, ok := v["durationSeconds"].(float64); ok {
		v["durationSeconds"] = math.Round(seconds)
	}
	return v
}

func (m moment) commonView(said []spoken) object {
	v := object{
		"id": m.id, "agentId": orNull(m.agentID), "phoneNumberId": nil, "phoneNumber": nil,
		"fromNumber": orNull(m.from), "toNumber": orNull(m.to), "status": m.status(),
		"startedAt": stamp(m.timeAt(0)), "endedAt": m.endedAt(), "durationSeconds": m.seconds(),
		"lastTranscriptSnippet": nil,
	}
	if m.number != nil {
		v["phoneNumberId"], v["phoneNumber"] = m.number.id, m.number.e164
	}
	if len(said) > 0 {
		v["lastTranscriptSnippet"] = said[len(said)-1].Content
	}
	return v
}

// exchanges pairs what the person said with the agent's answer that follows. What the agent says of its own accord
// stands alone.
func (m moment) exchanges(said []spoken) []object {
	out := []object{}
	unanswered := false // the last one has no answer yet
	for i, turn := range said {
		person := turn.Role == agentphone.RoleUser
		if !person && unanswered {
			out[len(out)-1]["response"] = turn.Content
			unanswered = false
			continue
		}
		t := object{
			"id": fmt.Sprintf("turn_%s_%d", strings.TrimPrefix(m.id, "call_"), i), "transcript": nil,
			"confidence": nil, "response": nil, "createdAt": stamp(m.timeAt(turn.at)),
		}
		if person {
			t["transcript"], t["confidence"] = turn.Content, confidence
		} else {
			t["response"] = turn.Content
		}
		unanswered = person
		out = append(out, t)
	}
	return out
}

// matches reports whether a call passes the filters of the list.
func (m moment) matches(filters schema.Values) bool {
	is := func(name, value string) bool { return cmp.Or(filters.Text(name), value) == value }
	if !is("status", string(m.status())) || !is("direction", string(m.direction)) || !is("type", m.kind) {
		return false
	}
	search := strings.ToLower(filters.Text("search"))
	if search == "" {
		return true
	}
	texts := []string{m.id, m.from, m.to}
	for _, turn := range m.said() {
		texts = append(texts, turn.Content)
	}
	return strings.Contains(strings.ToLower(strings.Join(texts, "\n")), search)
}
