package killtest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/internal/killtest"
)

func TestMain(m *testing.M) {
	apitest.TestMain(m, func() {
		killtest.Main(func(string) (agentphone.Store, error) { return agentphone.NewMemoryStore(), nil })
	})
}

// A kill test that could not fail would prove nothing: it does if each process has a store of its own.
func TestRun_FindsWhatAStoreThatIsNotSharedDoes(t *testing.T) {
	tally := killtest.Run(t, killtest.Config{Processes: 2, Texts: 30, Calls: 5, Kills: 3, Timeout: time.Minute}, 1)
	t.Log(tally)
	assert.Positive(t, tally.Twice)
	assert.Positive(t, tally.Disagree)
}
