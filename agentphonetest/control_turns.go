package agentphonetest

import "time"

// What the control handler keeps for GET /turns and GET /redeliveries, which no other record has. The caller holds s.mu.

// turnRecord is a voice turn that is over.
type turnRecord struct {
	callID, deliveryID string
	text               string // what the person said
	at                 time.Time
	answer             VoiceAnswer
	status             int // of the receiver's response; 0 if there was none
	failure            string
	took               time.Duration
}

func (r *turnRecord) view() object {
	v := object{
		"callId": r.callID, "deliveryId": r.deliveryID, "text": r.text, "at": stamp(r.at), "answer": r.answer.view(),
		"status": nil, "error": orNull(r.failure), "durationMs": r.took.Milliseconds(),
	}
	if r.status != 0 {
		v["status"] = r.status
	}
	return v
}

// redeliveryRecord is an event that was sent again, once.
type redeliveryRecord struct {
	deliveryID string
	how        Redelivery // without its Body
	altered    bool       // it had one
	at         time.Time
	status     int // of the receiver's response; 0 if there was none
	failure    string
}

func (r *redeliveryRecord) view() object {
	v := object{
		"deliveryId": r.deliveryID, "at": stamp(r.at), "secret": orNull(r.how.Secret), "ageMs": r.how.Age.Milliseconds(),
		"noSignature": r.how.NoSignature, "altered": r.altered, "status": nil, "error": orNull(r.failure),
	}
	if r.status != 0 {
		v["status"] = r.status
	}
	return v
}

// keepTurn keeps a turn that is over, and publishes it.
func (s *Server) keepTurn(t *voiceTurn, err error) {
	s.publishCall(t.call)
	if s.feed == nil {
		return
	}
	r := &turnRecord{
		callID: t.call.id, deliveryID: t.delivery.id, text: t.text, at: t.delivery.created, answer: t.answer,
		status: t.attempt.status, took: t.attempt.took,
	}
	if err != nil {
		r.failure = err.Error()
	}
	s.turns = append(s.turns, r)
	s.publish("turn", r.view)
}

// keepRedelivery keeps an event that was sent again, and publishes it.
func (s *Server) keepRedelivery(d *delivery, how Redelivery, payload []byte, a attempt) {
	if s.feed == nil {
		return
	}
	altered := how.Body != nil
	how.Body = nil
	s.redeliveries = append(s.redeliveries, &redeliveryRecord{d.id, how, altered, a.began, a.status, a.failure})
	s.publish("redelivery", func() object {
		return object{"deliveryId": d.id, "body": string(payload), "attempt": a.view(1)}
	})
}

func controlTurns(s *Server, limit, offset int) object {
	return partOf(s.turns, limit, offset, (*turnRecord).view)
}

func controlRedeliveries(s *Server, limit, offset int) object {
	return partOf(s.redeliveries, limit, offset, (*redeliveryRecord).view)
}
