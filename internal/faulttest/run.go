package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/leasetime"
)

const (
	texts      = 300
	workers    = 8
	textPause  = 40 * time.Millisecond  // at least between two texts
	faultPause = 400 * time.Millisecond // in which the store works
	lease      = 2 * time.Second
	settleTime = 2 * time.Second
)

// Run sends texts under idempotency keys while the faults are run in turn, and repeats each text until it is reported. It requires
// that each was sent once, and that its own message was reported. newStore returns the store of one of the workers.
func Run(t *testing.T, newStore func() agentphone.Store, faults ...func()) {
	length := leasetime.Key
	leasetime.Key = lease
	t.Cleanup(func() { leasetime.Key = length })
	srv := agentphonetest.NewServer()
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()

	r := &run{srv: srv, reported: map[string]string{}}
	var all sync.WaitGroup
	jobs := make(chan int)
	for w := range workers {
		c := srv.Client(agentphone.WithStore(newStore()), agentphone.WithSettleTime(settleTime))
		random := rand.New(rand.NewPCG(1, uint64(w)))
		all.Go(func() {
			for n := range jobs {
				r.send(ctx, c, random, fmt.Sprint("text ", n))
			}
		})
	}
	stop := make(chan struct{})
	var faulty sync.WaitGroup
	faulty.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(faultPause):
			}
			faults[n%len(faults)]()
			r.faults++
		}
	})
	for n := range texts {
		select {
		case jobs <- n:
		case <-ctx.Done():
		}
		time.Sleep(textPause)
	}
	close(jobs)
	close(stop)
	faulty.Wait()
	all.Wait()
	require.NoError(t, ctx.Err(), "%d of %d texts were reported", len(r.reported), texts)
	r.check(t)
}

type run struct {
	srv    *agentphonetest.Server
	faults int

	mu       sync.Mutex
	reported map[string]string // ids by text
	failed   int
}

// send repeats a text until it has a result.
func (r *run) send(ctx context.Context, c *agentphone.Client, random *rand.Rand, body string) {
	r.srv.InjectFault(agentphonetest.Fault{ // it takes a while, so that faults of the store meet every step
		Operation: "POST /v1/messages", Reset: random.IntN(5) == 0, Delay: time.Duration(random.Int64N(int64(200 * time.Millisecond))),
	})
	for ctx.Err() == nil {
		m, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: r.srv.AgentID(), ToNumber: "+14155550123", Body: body},
			agentphone.WithIdempotencyKey(body))
		r.mu.Lock()
		if err != nil {
			r.failed++
		} else {
			r.reported[body] = m.ID
		}
		r.mu.Unlock()
		if err == nil {
			return
		}
		time.Sleep(time.Duration(200+random.IntN(300)) * time.Millisecond)
	}
}

func (r *run) check(t *testing.T) {
	t.Helper()
	sent := map[string]string{}
	for _, m := range r.srv.Messages() {
		require.Empty(t, sent[m.Body], "%q was sent twice", m.Body)
		sent[m.Body] = m.ID
	}
	assert.Len(t, sent, texts)
	assert.Equal(t, sent, r.reported)
	assert.Positive(t, r.failed, "the faults met no call")
	t.Logf("%d texts, %d faults, %d calls that failed: 0 twice, 0 lost", texts, r.faults, r.failed)
}
