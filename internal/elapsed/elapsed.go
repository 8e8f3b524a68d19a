// Package elapsed says how much time has passed by clocks of which neither can be trusted: the monotonic one, which [time.Time.Sub]
// goes by, stands still while a machine sleeps, and the wall clock may be set. Whoever would send something twice by a mistake takes
// the bound that errs on the safe side.
package elapsed

import "time"

// AtLeast returns how much time has passed between two times by the clock that shows less of it.
func AtLeast(from, to time.Time) time.Duration { return min(to.Sub(from), byWallClock(from, to)) }

// AtMost returns how much time has passed between two times by the clock that shows more of it.
func AtMost(from, to time.Time) time.Duration { return max(to.Sub(from), byWallClock(from, to)) }

func byWallClock(from, to time.Time) time.Duration { return to.Round(0).Sub(from.Round(0)) }
