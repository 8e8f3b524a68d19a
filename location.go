package agentphone

import "context"

// LocationService reads where those are who share their location with the account's numbers.
type LocationService service

var (
	opGetLocation      = operation{method: "GET", path: "/v1/location/{phone_number}", idempotent: true}
	opRefreshLocations = operation{method: "POST", path: "/v1/location/refresh", idempotent: true}
)

// Location is where a phone was last seen.
type Location struct {
	PhoneNumber string    `json:"phoneNumber"`
	Latitude    *float64  `json:"latitude"`  // degrees; nil if unknown
	Longitude   *float64  `json:"longitude"` // degrees; nil if unknown
	Status      string    `json:"status"`
	LastUpdated Timestamp `json:"lastUpdated"`
}

// Get returns where the phone with a number (E.164) was last seen. Retried.
// (GET /v1/location/{phone_number})
func (s *LocationService) Get(ctx context.Context, phoneNumber string, opts ...RequestOption) (*Location, error) {
	return do[Location](ctx, (*service)(s), &opGetLocation, []string{phoneNumber}, nil, opts)
}

// LocationRefresh is the answer to [LocationService.Refresh].
type LocationRefresh struct {
	Success          bool `json:"success"`
	PollAfterSeconds int  `json:"pollAfterSeconds"` // when to look with Get
}

// Refresh asks all phones for their location anew. Retried. (POST /v1/location/refresh)
func (s *LocationService) Refresh(ctx context.Context, opts ...RequestOption) (*LocationRefresh, error) {
	return do[LocationRefresh](ctx, (*service)(s), &opRefreshLocations, nil, nil, opts)
}
