package apitest

import (
	"testing"
	"time"
	"unsafe"
)

// ByWallClock returns a time whose reading of the wall clock is another one by so many whole seconds, while that of the monotonic clock
// stays as it is. Earlier than a time that was read later, it is as if the machine had slept between the two, or the clock had been set
// forward; later, as if it had been set back. Nothing else makes such a time: the clocks of a test cannot be set.
func ByWallClock(t *testing.T, at time.Time, by time.Duration) time.Time {
	t.Helper()
	type fields struct {
		wall uint64 // a flag, 33 bits of seconds, 30 of nanoseconds
		ext  int64
		loc  *time.Location
	}
	other := at
	(*fields)(unsafe.Pointer(&other)).wall += uint64(by/time.Second) << 30 //nolint:gosec // the layout is checked below
	if other.Sub(at) != 0 || other.Round(0).Sub(at.Round(0)) != by {
		t.Fatalf("%v has no monotonic reading, or a time.Time is laid out in another way than it was", at)
	}
	return other
}
