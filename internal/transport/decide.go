package transport

import "net/http"

// outcome is how an attempt ended, as far as it matters to whether it is retried.
type outcome struct {
	status     int  // of the response
	retryAfter bool // the response says when to retry
	failed     bool // there was no whole response, so no status
	notSent    bool // failed, and the server certainly did not act
	permanent  bool // no retry clears it: an invalid certificate, or a 429 for the day's limit
}

// verdict is what follows from an outcome.
type verdict struct {
	retry          bool
	outcomeUnknown bool // the request is not idempotent and may have taken effect
}

// decide is the table of docs/retries.md. A request that is not idempotent is retried only if the server certainly did
// not act on it. After a response that a proxy may have sent while the server was still working, the outcome is
// unknown.
func decide(o outcome, idempotent bool) verdict {
	unknown := verdict{retry: idempotent, outcomeUnknown: !idempotent}
	switch {
	case o.failed && o.notSent:
		return verdict{retry: !o.permanent}
	case o.failed:
		return verdict{retry: idempotent && !o.permanent, outcomeUnknown: !idempotent}
	}
	switch o.status {
	case http.StatusTooManyRequests:
		return verdict{retry: !o.permanent}
	case http.StatusServiceUnavailable:
		if o.retryAfter {
			return verdict{retry: true}
		}
		return unknown
	case http.StatusRequestTimeout, clientClosedRequest, clientClosedConnection:
		return unknown
	case http.StatusFound, http.StatusSeeOther: // "done, see there", for which many servers send 302
		return verdict{outcomeUnknown: !idempotent}
	case http.StatusNotImplemented:
		return verdict{}
	}
	if o.status >= 500 || o.status < 200 { // HTTP has no status below 100
		return unknown
	}
	return verdict{}
}

// Gateways respond with these if it was they who gave up on the API: nginx and gRPC, and load balancers of AWS.
const clientClosedRequest, clientClosedConnection = 499, 460
