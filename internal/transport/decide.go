package transport

import "net/http"

// outcome is how an attempt ended, in the terms that decide whether it is retried.
type outcome struct {
	status     int  // of the response
	retryAfter bool // the response says when to retry
	lasting    bool // the response is a 429 that no wait of ours clears

	failed    bool // there was no whole response, so no status
	notSent   bool // failed, and the server certainly did not act
	permanent bool // failed, and another attempt would fail likewise
}

// verdict is what follows from an outcome.
type verdict struct {
	retry        bool
	mayHaveActed bool // the request is not idempotent and may have taken effect
}

// decide is the table of docs/retries.md. A request that is not idempotent is retried only if the server certainly did not act.
// It may have taken effect after any response that a proxy may have made up while the server worked.
func decide(o outcome, idempotent bool) verdict {
	unknown := verdict{retry: idempotent, mayHaveActed: !idempotent}
	switch {
	case o.failed && o.notSent:
		return verdict{retry: !o.permanent}
	case o.failed:
		return verdict{retry: idempotent && !o.permanent, mayHaveActed: !idempotent}
	}
	switch o.status {
	case http.StatusTooManyRequests:
		return verdict{retry: !o.lasting}
	case http.StatusServiceUnavailable:
		if o.retryAfter {
			return verdict{retry: true}
		}
		return unknown
	case http.StatusRequestTimeout:
		return unknown
	case http.StatusFound, http.StatusSeeOther: // "done; see there", for which many say 302
		return verdict{mayHaveActed: !idempotent}
	case http.StatusNotImplemented:
		return verdict{}
	}
	if o.status >= 500 || o.status < 200 { // a status below 100 is none of HTTP's
		return unknown
	}
	return verdict{}
}
