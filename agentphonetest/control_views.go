package agentphonetest

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// What the control handler shows, in its responses and events. control.openapi.json describes it. Where the API shows
// the same thing, it is the API's object with more in it. The caller holds s.mu.

const (
	// keptResponses is of how many requests, the newest, the response is kept.
	keptResponses = 1000
	// keptResponseBytes is how much is kept of one.
	keptResponseBytes = 64 << 10
)

// keepResponse keeps the response of a request if it is a text, and forgets that of an old one.
func (s *Server) keepResponse(entry *record, res *response) {
	if s.feed == nil {
		return
	}
	if old := s.requests.numbered(entry.number - keptResponses); old != nil {
		old.response = ""
	}
	mediaType, _, _ := mime.ParseMediaType(res.header.Get("Content-Type"))
	if mediaType == "application/json" || strings.HasPrefix(mediaType, "text/") {
		entry.response = string(res.body[:min(len(res.body), keptResponseBytes)])
	}
}

func (r *record) view() object {
	v := object{
		"number": r.number, "at": stamp(r.At), "operation": r.Operation, "method": r.Method, "path": r.Path,
		"query": r.Query.Encode(), "header": r.Header, "body": string(r.Body), "done": r.done,
		"status": nil, "durationMs": nil, "response": orNull(r.response), "faulted": r.faulted,
	}
	if r.Status != 0 {
		v["status"] = r.Status
	}
	if r.done {
		v["durationMs"] = r.Duration.Milliseconds()
	}
	return v
}

func (m *message) controlView() object {
	v := m.view()
	v["conversationId"], v["agentId"] = m.conversation.id, orNull(m.agentID)
	return v
}

func (c *conversation) controlView() object {
	v := c.fullView()
	v["backgroundUrl"] = orNull(c.background.url)
	return v
}

// controlView is a call without what was said.
func (m moment) controlView() object {
	v := m.commonView(nil)
	delete(v, "lastTranscriptSnippet") // which would change with each line
	v["direction"], v["person"] = m.direction, orNull(m.other())
	v["recordingAvailable"], v["disconnectionReason"] = m.recorded(), orNull(m.reason)
	v["digits"], v["driven"] = m.digits, m.driven
	return v
}

// callWithLines is a call with what was said.
func callWithLines(c *call) object {
	m, lines := c.now(), []object{}
	for i, line := range m.said() {
		lines = append(lines, m.lineView(i, line))
	}
	v := m.controlView()
	v["lines"] = lines
	return v
}

func (m moment) lineView(index int, said spoken) object {
	v := object{
		"callId": m.id, "index": index, "role": said.Role, "content": said.Content,
		"at": stamp(m.timeAt(said.at)), "callMs": said.at.Milliseconds(), "turnMs": nil, "interim": false,
	}
	if said.line != nil {
		v["turnMs"], v["interim"] = said.line.At.Milliseconds(), said.line.Interim
	}
	return v
}

func (a *VoiceAnswer) view() object {
	return object{
		"lines": views(a.Lines, func(l VoiceLine) object {
			return object{"text": l.Text, "interim": l.Interim, "atMs": l.At.Milliseconds()}
		}),
		"hangup": a.Hangup, "transfer": a.Transfer, "digits": a.Digits, "unreadable": a.Unreadable,
	}
}

func (d *delivery) controlView() object {
	attempts := []object{}
	for i, a := range d.attempts {
		attempts = append(attempts, a.view(i+1))
	}
	var payload struct {
		AgentID any `json:"agentId"`
	}
	_ = json.Unmarshal(d.payload, &payload) // the server's own
	return object{
		"id": d.id, "event": d.event, "channel": d.channel, "accountId": d.account.id, "agentId": payload.AgentID,
		"messageId": orNull(d.messageID), "url": d.webhook.url, "payload": json.RawMessage(d.payload),
		"createdAt": stamp(d.created), "status": d.status, "nextAttemptAt": stamp(d.next), "attempts": attempts,
	}
}

func (a *attempt) view(number int) object {
	header := map[string]string{}
	for name, values := range a.header {
		header[name] = strings.Join(values, ", ")
	}
	v := object{
		"number": number, "at": stamp(a.began), "durationMs": a.took.Milliseconds(), "header": header,
		"status": nil, "response": strings.ToValidUTF8(a.response, string(utf8.RuneError)), "error": orNull(a.failure),
	}
	if a.status != 0 {
		v["status"] = a.status
	}
	return v
}

func (v *verification) view() object {
	return object{
		"id": v.id, "phoneNumber": v.phone, "code": v.code, "sentAt": stamp(v.sent), "checks": v.checks, "verified": v.verified,
	}
}

func (c Charge) view() object {
	return object{"operation": c.Operation, "quantity": c.Quantity, "amount": c.Amount}
}

func (a *account) controlView() object {
	v := object{
		"id": a.id, "name": orNull(a.name), "email": orNull(a.email), "apiKey": orNull(a.key), "parentId": nil,
		"webhook": a.webhook.view(), "numbers": views(a.numbers.list, (*phoneNumber).view),
		"agents": views(a.agents.list, func(ag *agent) object {
			v := ag.view()
			v["webhook"] = ag.webhook.view()
			return v
		}),
	}
	if a.parent != nil {
		v["parentId"] = a.parent.id
	}
	return v
}

func (s *Server) setupView() object {
	return object{
		"settings":    s.settings.view(),
		"faults":      views(s.faults, func(f *fault) object { return f.view() }),
		"callScripts": views(s.scripts, CallScript.view),
		"locations": views(sortedKeys(s.locations), func(phone string) object {
			at := s.locations[phone]
			return object{"phoneNumber": phone, "latitude": at.latitude, "longitude": at.longitude}
		}),
		"lineTypes": views(sortedKeys(s.lineTypes), func(phone string) object {
			return object{"phoneNumber": phone, "lineType": s.lineTypes[phone]}
		}),
	}
}

func (s *settings) view() object {
	pauses := []int64{}
	for _, p := range s.pauses {
		pauses = append(pauses, p.Milliseconds())
	}
	return object{
		"echoes": s.echoes, "rateLimits": s.rateLimits, "paymentMethod": !s.noPayment, "numberLimit": s.numberLimit,
		"ringing":    s.ringing,
		"endDelayMs": s.endDelay.Milliseconds(), "listDelayMs": s.listDelay.Milliseconds(),
		"deliveryTimeoutMs": s.deliveryTimeout.Milliseconds(), "deliveryPausesMs": pauses,
	}
}

func (f *Fault) view() object {
	header := f.Header
	if header == nil {
		header = http.Header{}
	}
	return object{
		"operation": f.Operation, "matching": f.Matching, "every": f.Every, "status": f.Status, "header": header,
		"code": f.Code, "body": f.Body, "delayMs": f.Delay.Milliseconds(), "reset": f.Reset,
		"beforeEffect": f.BeforeEffect, "afterEffect": f.AfterEffect, "times": f.Times,
	}
}

func (c CallScript) view() object {
	return object{
		"turns":      views(c.Turns, func(u Utterance) object { return object{"role": u.Role, "content": u.Content} }),
		"durationMs": c.Duration.Milliseconds(), "status": c.Status, "transcriptDelayMs": c.TranscriptDelay.Milliseconds(),
	}
}

// snapshot is the state of the server, with the newest limit items of each list.
func (s *Server) snapshot(limit int) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observeCalls()
	newest := func(list controlList) object { return list(s, limit, 0) }
	return object{
		"lastEventId": s.feed.id(s.feed.end()), "at": stamp(time.Now()),
		"server": object{
			"apiKey": s.APIKey(), "agentId": s.AgentID(), "numberId": s.NumberID(), "phoneNumber": s.PhoneNumber(),
		},
		"setup": s.setupView(), "accounts": views(s.accounts.list, (*account).controlView),
		"conversations": newest(controlConversations), "messages": newest(controlMessages), "calls": newest(controlCalls),
		"requests": newest(controlRequests), "deliveries": newest(controlDeliveries),
		"verifications": newest(controlVerifications),
	}
}

// controlList is a part of a list, oldest first: the newest limit items, but for the newest offset ones.
type controlList func(s *Server, limit, offset int) object

func partOf[T any](all []T, limit, offset int, view func(T) object) object {
	to := max(0, len(all)-offset)
	return object{"data": views(all[max(0, to-limit):to], view), "total": len(all)}
}

func controlMessages(s *Server, limit, offset int) object {
	return partOf(s.messages.list, limit, offset, (*message).controlView)
}

func controlCalls(s *Server, limit, offset int) object {
	s.observeCalls()
	return partOf(s.calls.list, limit, offset, callWithLines)
}

func controlRequests(s *Server, limit, offset int) object {
	return partOf(s.requests.list, limit, offset, (*record).view)
}

func controlDeliveries(s *Server, limit, offset int) object {
	return partOf(s.deliveries.list, limit, offset, (*delivery).controlView)
}

func controlVerifications(s *Server, limit, offset int) object {
	return partOf(s.verifications.list, limit, offset, (*verification).view)
}

func controlCharges(s *Server, limit, offset int) object {
	return partOf(s.charges, limit, offset, Charge.view)
}

// controlConversations are the conversations of all accounts by their last messages.
func controlConversations(s *Server, limit, offset int) object {
	var all chronology
	for _, a := range s.accounts.list {
		for _, c := range a.latest {
			all.add(c)
		}
	}
	return partOf(all, limit, offset, (*conversation).controlView)
}
