package redisstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/redisstore"
)

// A server that is paused, killed and restarted in the middle of it: each text is sent once, and none is reported and lost.
func TestFaults_ServerIsPausedKilledAndRestarted(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	server := startRedis(t)
	srv := agentphonetest.NewServer()
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()

	const texts = 120
	var mu sync.Mutex
	reported := map[string]string{}
	var workers sync.WaitGroup
	jobs := make(chan int)
	for w := range 6 {
		rdb := redis.NewClient(&redis.Options{Addr: server.address, DialTimeout: 300 * time.Millisecond, ReadTimeout: 300 * time.Millisecond, MaxRetries: 1})
		defer func() { _ = rdb.Close() }()
		c := srv.Client(agentphone.WithStore(redisstore.New(rdb)), agentphone.WithSettleTime(2*time.Second))
		r := rand.New(rand.NewPCG(1, uint64(w)))
		workers.Go(func() {
			for n := range jobs {
				if r.IntN(5) == 0 {
					srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true})
				}
				for ctx.Err() == nil {
					m, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", Body: fmt.Sprint("text ", n)},
						agentphone.WithIdempotencyKey(fmt.Sprint("job-", n)))
					if err == nil {
						mu.Lock()
						reported[fmt.Sprint("text ", n)] = m.ID
						mu.Unlock()
						break
					}
					time.Sleep(time.Duration(200+r.IntN(300)) * time.Millisecond)
				}
			}
		})
	}
	stop := make(chan struct{})
	var faults sync.WaitGroup
	faults.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(400 * time.Millisecond):
			}
			if i%2 == 0 {
				server.pause()
				time.Sleep(500 * time.Millisecond)
				server.resume()
			} else {
				server.kill()
				server.start(t)
			}
		}
	})
	for n := range texts {
		jobs <- n
		time.Sleep(80 * time.Millisecond) // so that the faults hit every step of some of them
	}
	close(jobs)
	close(stop)
	faults.Wait()
	workers.Wait()
	require.NoError(t, ctx.Err())

	sent := map[string]string{}
	for _, m := range srv.Messages() {
		require.Empty(t, sent[m.Body], "%q was sent twice", m.Body)
		sent[m.Body] = m.ID
	}
	assert.Len(t, sent, texts)
	assert.Equal(t, sent, reported)
}
