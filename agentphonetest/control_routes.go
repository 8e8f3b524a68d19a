package agentphonetest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// controlRoutes are all routes of the control handler. control.openapi.json describes them.
var controlRoutes = []controlRoute{
	controlRead("GET /state", func(s *Server, r *http.Request) (any, error) {
		limit, err := controlNumber(r, "limit", 200, 1, maxControlPage)
		if err != nil {
			return nil, err
		}
		return s.snapshot(limit), nil
	}),
	{"GET /events", (*Server).streamEvents},
	{"GET /openapi.json", func(_ *Server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(controlOpenAPI)
	}},
	controlPart("GET /messages", controlMessages),
	controlPart("GET /calls", controlCalls),
	controlPart("GET /requests", controlRequests),
	controlPart("GET /deliveries", controlDeliveries),
	controlPart("GET /redeliveries", controlRedeliveries),
	controlPart("GET /turns", controlTurns),
	controlPart("GET /verifications", controlVerifications),
	controlPart("GET /charges", controlCharges),
	controlRead("GET /signups/{verificationId}", func(s *Server, r *http.Request) (any, error) {
		otp := s.OTP(r.PathValue("verificationId"))
		if otp == "" {
			return nil, refuseControl(http.StatusNotFound, "there is no such sign-up, or it has been verified")
		}
		return object{"otp": otp}, nil
	}),

	controlDo("POST /messages", func(s *Server, _ *http.Request, p controlMessage) (any, error) {
		if err := p.check(); err != nil {
			return nil, err
		}
		id, err := s.receive(IncomingMessage(p))
		return object{"messageId": id}, err
	}),
	controlDo("POST /messages/{messageId}/reactions", func(s *Server, r *http.Request, p controlReaction) (any, error) {
		if err := checkPerson(p.From); err != nil {
			return nil, err
		}
		return done, s.receiveReaction(p.From, r.PathValue("messageId"), p.Reaction)
	}),
	controlDo("POST /contact-shares", func(s *Server, _ *http.Request, p controlContact) (any, error) {
		if err := checkPerson(p.From); err != nil {
			return nil, err
		}
		return done, s.shareContact(p.From, p.To, p.Card)
	}),
	controlDo("POST /calls", func(s *Server, _ *http.Request, p controlCall) (any, error) {
		if err := checkPerson(p.From); err != nil {
			return nil, err
		}
		id, err := s.receiveCall(p.From, p.To)
		return object{"callId": id}, err
	}),
	controlDo("POST /calls/{callId}/turns", func(s *Server, r *http.Request, p controlTurn) (any, error) {
		if p.Text == "" {
			return nil, misuse("text is required")
		}
		answer, err := s.CallerSays(r.PathValue("callId"), p.Text)
		switch {
		case answer == nil:
			return nil, err
		case err != nil:
			f := controlFailure(err)
			f.body["answer"] = answer.view()
			return nil, f
		}
		return answer.view(), nil
	}),
	controlDo("POST /calls/{callId}/answer", func(s *Server, r *http.Request, _ controlNothing) (any, error) {
		return done, s.AnswerCall(r.PathValue("callId"))
	}),
	controlDo("POST /calls/{callId}/end", func(s *Server, r *http.Request, _ controlNothing) (any, error) {
		return done, s.EndCall(r.PathValue("callId"))
	}),
	controlDo("POST /call-scripts", func(s *Server, _ *http.Request, p controlScript) (any, error) {
		script, err := p.script()
		if err == nil {
			s.NextCall(script)
		}
		return done, err
	}),
	controlDo("POST /faults", func(s *Server, _ *http.Request, p controlFault) (any, error) {
		f, err := p.fault()
		if err != nil {
			return nil, err
		}
		return done, s.injectFault(f)
	}),
	controlRead("DELETE /faults", func(s *Server, _ *http.Request) (any, error) {
		s.ClearFaults()
		return done, nil
	}),
	controlDo("PATCH /settings", func(s *Server, _ *http.Request, p controlSettings) (any, error) { return s.changeSettings(p) }),
	controlDo("POST /locations", func(s *Server, _ *http.Request, p controlLocation) (any, error) {
		if err := p.check(); err != nil {
			return nil, err
		}
		s.SetLocation(p.PhoneNumber, *p.Latitude, *p.Longitude)
		return done, nil
	}),
	controlDo("POST /line-types", func(s *Server, _ *http.Request, p controlLineType) (any, error) {
		if err := p.check(); err != nil {
			return nil, err
		}
		s.SetLineType(p.PhoneNumber, p.LineType)
		return done, nil
	}),
	controlDo("POST /deliveries/{deliveryId}/redeliveries", func(s *Server, r *http.Request, p controlRedelivery) (any, error) {
		how, err := p.redelivery()
		if err != nil {
			return nil, err
		}
		id := r.PathValue("deliveryId")
		if id == "latest" {
			id = ""
		}
		status, body, err := s.Redeliver(id, how)
		return object{"status": status, "body": body}, err
	}),
	controlDo("POST /deliveries/wait", func(s *Server, r *http.Request, _ controlNothing) (any, error) {
		s.waitDeliveries(r.Context())
		return done, nil
	}),
}

// done is the response to what has no result.
var done = object{}

const (
	maxControlPage      = 10_000
	maxControlTimes     = 1000
	defaultControlPage  = 100
	maxControlMillis    = int64(24 * time.Hour / time.Millisecond)
	maxControlMillisAge = 366 * maxControlMillis
)

// controlPart is the route of a list.
func controlPart(pattern string, list controlList) controlRoute {
	return controlRead(pattern, func(s *Server, r *http.Request) (any, error) {
		limit, err := controlNumber(r, "limit", defaultControlPage, 1, maxControlPage)
		if err != nil {
			return nil, err
		}
		offset, err := controlNumber(r, "offset", 0, 0, 1<<31-1)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return list(s, limit, offset), nil
	})
}

// controlNumber returns a number of the query.
func controlNumber(r *http.Request, name string, byDefault, least, most int) (int, error) {
	given := r.URL.Query().Get(name)
	if given == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < least || n > most {
		return 0, misuse("%s must be a whole number from %d to %d", name, least, most)
	}
	return n, nil
}

// changeSettings changes the settings that are given and returns all.
func (s *Server) changeSettings(p controlSettings) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.settings
	if err := p.apply(&changed); err != nil {
		return nil, err
	}
	s.settings = changed
	s.publishSetup()
	return s.settings.view(), nil
}

// millis returns a duration of the body, which may be negative if least is.
func millis(name string, n, least, most int64) (time.Duration, error) {
	if n < least || n > most {
		return 0, misuse("%s must be from %d to %d", name, least, most)
	}
	return time.Duration(n) * time.Millisecond, nil
}

func oneOf[T ~string](name string, given T, allowed ...T) error {
	if !slices.Contains(allowed, given) {
		return misuse("%s cannot be %q: it is one of %q", name, given, allowed)
	}
	return nil
}

// checkPerson checks who texts or calls.
func checkPerson(from string) error {
	if from == "" || personFormat(from) != "" && !isShortCode(from) {
		return misuse("from must be a phone number in E.164 form, such as +14155550123, an email address or a short code")
	}
	return nil
}
