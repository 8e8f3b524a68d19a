package transport

import (
	"math/rand/v2"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

const (
	noRetryAfter time.Duration = -1 // the response has no Retry-After that can be read
	// farOff stands for every longer Retry-After: it is longer than anybody waits and overflows nothing.
	farOff = 10 * 365 * 24 * time.Hour
)

// RetryAfter parses the Retry-After header, seconds or an HTTP date, and reports whether there is one. A date in the
// past is 0; a value that cannot be parsed counts as none.
func RetryAfter(h http.Header) (time.Duration, bool) {
	d := retryAfter(h, time.Now())
	return max(d, 0), d != noRetryAfter
}

func retryAfter(h http.Header, now time.Time) time.Duration {
	v := textproto.TrimString(h.Get("Retry-After"))
	if v == "" {
		return noRetryAfter
	}
	if strings.Trim(v, "0123456789.") == "" {
		seconds, err := strconv.ParseFloat(v, 64)
		if err != nil && seconds == 0 { // out of range is +Inf with an error
			return noRetryAfter
		}
		if seconds > farOff.Seconds() {
			return farOff
		}
		return time.Duration(seconds * float64(time.Second))
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, t.Sub(now)), farOff)
	}
	return noRetryAfter
}

// backoff returns the wait before the next attempt: the server's Retry-After plus a jitter of up to half of
// RetryWaitBase, or else exponential backoff with full jitter.
func (c *call) backoff(after time.Duration) time.Duration {
	if after != noRetryAfter {
		return after + upTo(c.RetryWaitBase/2)
	}
	return c.Backoff(c.attempts)
}

// Backoff returns the wait after the nth failure, n from 1: a random time between 0 and min(RetryWaitMax,
// RetryWaitBase*2^(n-1)).
func (c *Client) Backoff(n int) time.Duration {
	bound := c.RetryWaitBase
	for range n - 1 {
		if bound >= c.RetryWaitMax/2 {
			bound = c.RetryWaitMax
			break
		}
		bound *= 2
	}
	return upTo(min(bound, c.RetryWaitMax))
}

// upTo returns a random duration below d.
func upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) //nolint:gosec // spreading load needs no secrecy
}
