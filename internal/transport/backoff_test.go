package transport

import (
	"net/http"
	"testing"
	"time"
)

// Whatever a server asks for is a wait that is not negative and of bounded length, or is ignored.
func FuzzRetryAfter_IsBounded(f *testing.F) {
	for _, v := range []string{
		"0", "1", "0.5", "120", "-1", "+1", "1e9", "86400", "9223372037", "99999999999999999999999", "NaN", "Inf", "", " 3 ", "3, 4", "..", "1.2.3",
		"Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Friday, 31-Dec-99 23:59:59 GMT", "Fri Dec 31 23:59:59 1999", "soon", "\x00",
	} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		now := time.Now()
		d := retryAfter(http.Header{"Retry-After": {v}}, now)
		if d != noRetryAfter && (d < 0 || d > farOff) {
			t.Fatalf("%q is a wait of %v", v, d)
		}
		if d, ok := RetryAfter(http.Header{"Retry-After": {v}}); d < 0 || !ok && d != 0 {
			t.Fatalf("%q is a wait of %v, %v", v, d, ok)
		}
	})
}
