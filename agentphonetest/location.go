package agentphonetest

import "time"

// place is where a phone is.
type place struct {
	latitude, longitude float64
	updated             time.Time
}

var locationOperations = []*operation{
	get("/v1/location/{phone_number}", (*Server).getLocation),
	post("/v1/location/refresh", (*Server).refreshLocations, nil),
}

// SetLocation says where a phone is that shares its location. Of other phones the API knows none: the
// status is "unavailable", latitude and longitude are null.
func (s *Server) SetLocation(phoneNumber string, latitude, longitude float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locations[phoneNumber] = &place{latitude, longitude, now()}
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
