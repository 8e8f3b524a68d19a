package agentphone

import "context"

// LocationService returns the locations of phones that share them with the account's numbers.
type LocationService service

var (
	opGetLocation      = operation{method: "GET", path: "/v1/location/{phone_number}", idempotent: true}
	opRefreshLocations = operation{method: "POST", path: "/v1/location/refresh", idempotent: true}
)

// Location is the last known location of a phone.
type Location struct {
	PhoneNumber string    `json:"phoneNumber"` // E.164
	Latitude    *float64  `json:"latitude"`    // degrees; nil if unknown
	Longitude   *float64  `json:"longitude"`   // degrees; nil if unknown
	Status      string    `json:"status"`      // such as "available", "unavailable"
	LastUpdated Timestamp `json:"lastUpdated"` // when the phone was there; zero if unknown
}

// Get returns the last known location of a phone. phoneNumber is its number in E.164. Retried.
// (GET /v1/location/{phone_number})
func (s *LocationService) Get(ctx context.Context, phoneNumber string, opts ...RequestOption) (*Location, error) {
	return do[Location](ctx, (*service)(s), &opGetLocation, []string{phoneNumber}, nil, opts)
}

// LocationRefresh is the result of [LocationService.Refresh].
type LocationRefresh struct {
	Success          bool `json:"success"`
	PollAfterSeconds int  `json:"pollAfterSeconds"` // seconds to wait before the next Get
}

// Refresh requests new locations from all phones and does not wait for them. Retried. (POST /v1/location/refresh)
func (s *LocationService) Refresh(ctx context.Context, opts ...RequestOption) (*LocationRefresh, error) {
	return do[LocationRefresh](ctx, (*service)(s), &opRefreshLocations, nil, nil, opts)
}
