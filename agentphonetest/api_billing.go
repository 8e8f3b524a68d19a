package agentphonetest

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// The published prices, in thousandths of a US dollar.
const (
	numberPrice       = 3000 // of the first month
	verificationPrice = 50   // of one that succeeds
	lookupPrice       = 9    // of each number
)

// charge records what an operation costs. The caller holds s.mu.
func (s *Server) charge(operation string, quantity, price int) {
	s.charges = append(s.charges, Charge{Operation: operation, Quantity: quantity, Amount: quantity * price})
}

// billed are the operations that cost something. They are refused to an account without a payment method.
var billed = []string{
	"GET /v1/numbers/lookup", "POST /v1/calls", "POST /v1/calls/web", "POST /v1/messages", "POST /v1/numbers",
	"POST /v1/register", "POST /v1/verify/check", "POST /v1/verify/send",
}

func (s *Server) checkPayment(op *operation) error {
	if s.noPayment && slices.Contains(billed, op.name()) {
		return refuse(http.StatusPaymentRequired, "No payment method on file")
	}
	return nil
}

// rate is how often an account may call an operation.
type rate struct{ perMinute, perDay int } // perDay: 0 is no limit

// rates are the published ones. Texts have none: carriers queue what is too much for them.
var rates = map[string]rate{
	"POST /v0/agent/sign-up":                  {perMinute: 10},
	"POST /v0/agent/verify":                   {perMinute: 20},
	"POST /v1/agents":                         {perMinute: 30},
	"PATCH /v1/agents/{agent_id}":             {perMinute: 20},
	"DELETE /v1/agents/{agent_id}":            {perMinute: 30},
	"POST /v1/agents/{agent_id}/webhook":      {perMinute: 10},
	"POST /v1/agents/{agent_id}/webhook/test": {perMinute: 10},
	"POST /v1/calls":                          {perMinute: 120},
	"POST /v1/calls/web":                      {perMinute: 30},
	"GET /v1/contacts/capabilities":           {perMinute: 60, perDay: 1000},
	"POST /v1/numbers":                        {perMinute: 20},
	"GET /v1/numbers/lookup":                  {perMinute: 30},
	"DELETE /v1/numbers/{number_id}":          {perMinute: 60},
	"POST /v1/verify/check":                   {perMinute: 120},
	"POST /v1/verify/send":                    {perMinute: 60},
	"POST /v1/webhooks":                       {perMinute: 10},
	"POST /v1/webhooks/test":                  {perMinute: 10},
}

// rateKey is whose requests are counted together: an operation's by an account, its sub-accounts included, or by
// everybody if the operation needs no key.
type rateKey struct {
	operation string
	account   *account
}

// checkRate counts a request, or returns the response to one that comes too soon. The caller holds s.mu.
func (s *Server) checkRate(op *operation, a *account) *response {
	r, limited := rates[op.name()]
	if !s.rateLimits || !limited {
		return nil
	}
	if a != nil && a.parent != nil {
		a = a.parent
	}
	key := rateKey{op.name(), a}
	kept := time.Minute
	if r.perDay > 0 {
		kept = day
	}
	times := slices.DeleteFunc(s.counted[key], func(t time.Time) bool { return time.Since(t) >= kept })
	wait := max(untilFree(times, r.perMinute, time.Minute), untilFree(times, r.perDay, day))
	if wait > 0 {
		s.counted[key] = times
		res := jsonResponse(http.StatusTooManyRequests,
			codeBody(agentphone.CodeRateLimitExceeded, "rate_limit_error", "Rate limit exceeded"))
		res.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		return res
	}
	s.counted[key] = append(times, time.Now())
	return nil
}

// untilFree is how long it takes until fewer than limit of the times are within a period. times are in order. A limit
// of 0 is none.
func untilFree(times []time.Time, limit int, period time.Duration) time.Duration {
	if limit == 0 || len(times) < limit {
		return 0
	}
	return period - time.Since(times[len(times)-limit])
}
