//go:build !js

package transport

import "net/http"

// roundTripOver passes a request to a RoundTripper. Where there is fetch it does more: see fetch_js.go.
func roundTripOver(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	return rt.RoundTrip(req)
}
