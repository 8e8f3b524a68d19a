package redisstore_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/internal/killtest"
	"github.com/agentphone/agentphone-go/redisstore"
)

func TestMain(m *testing.M) {
	apitest.TestMain(m, func() {
		killtest.Main(func(address string) (agentphone.Store, error) {
			return redisstore.New(redis.NewClient(&redis.Options{Addr: address})), nil
		})
	})
}

func TestKill_NothingTakesEffectTwiceAndNothingIsLost(t *testing.T) {
	killtest.Require(t, func(t *testing.T) killtest.Config { return killtest.Standard(3, startRedis(t).address) })
}
