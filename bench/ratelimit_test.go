package main

import (
	"context"
	"net/http"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// The documentation says that a rate.Limiter fits. The client's own module does not depend on it, so the test is here.
func TestRateLimiter_OfXTimeFits(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	client := srv.Client(agentphone.WithRateLimiter(rate.NewLimiter(rate.Every(20*time.Millisecond), 1)))
	srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/usage", Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"0"}}})
	began := time.Now()
	for range 3 {
		if _, err := client.Usage.Get(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 60*time.Millisecond {
		t.Errorf("four attempts took %v", took)
	}
}
