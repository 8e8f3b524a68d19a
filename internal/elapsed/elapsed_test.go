package elapsed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/internal/elapsed"
)

func TestElapsed_BoundsAreThoseOfTheTwoClocks(t *testing.T) {
	now := time.Now()
	from := now.Add(-time.Minute)
	for name, tc := range map[string]struct {
		from          time.Time
		least, atMost time.Duration
	}{
		"both agree":                    {from, time.Minute, time.Minute},
		"the machine slept meanwhile":   {apitest.ByWallClock(t, from, -time.Hour), time.Minute, time.Hour + time.Minute},
		"the wall clock was set back":   {apitest.ByWallClock(t, from, time.Hour), time.Minute - time.Hour, time.Minute},
		"there is no monotonic reading": {from.Round(0), time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.least, elapsed.AtLeast(tc.from, now))
			assert.Equal(t, tc.atMost, elapsed.AtMost(tc.from, now))
		})
	}
}
