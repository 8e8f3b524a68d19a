package killtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/leasetime"
)

// job is a text or a call to make under a key.
type job struct {
	Key, Kind, To, Body string
}

// parameters tells jobs apart that have other keys only.
func (j job) parameters() string { return j.Kind + " " + j.To + " " + j.Body }

// orders are what a process reads from its standard input.
type orders struct {
	URL, APIKey, AgentID, Store string
	Seed                        uint64
	Jobs                        []job
}

// report is a line that a process prints for a job that is done.
type report struct {
	Key, ID              string
	Replayed, Reconciled bool
}

// keyLease is the lease of the processes: many times what a renewal takes.
const keyLease = 2 * time.Second

// Main is the main function of a process that [Run] starts. open returns the store of a Config.
func Main(open func(store string) (agentphone.Store, error)) {
	if err := work(open, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "killtest:", err)
		os.Exit(1)
	}
}

func work(open func(store string) (agentphone.Store, error), stdin io.Reader, stdout io.Writer) error {
	leasetime.Key = keyLease
	var o orders
	if err := json.NewDecoder(stdin).Decode(&o); err != nil {
		return err
	}
	store, err := open(o.Store)
	if err != nil {
		return err
	}
	client, err := agentphone.NewClient(o.APIKey, agentphone.WithBaseURL(o.URL), agentphone.WithStore(store), agentphone.WithSettleTime(settleTime),
		agentphone.WithTimeout(attemptTimeout), agentphone.WithRetryWait(10*time.Millisecond, 50*time.Millisecond))
	if err != nil {
		return err
	}
	p := &process{orders: o, client: client, out: json.NewEncoder(stdout), free: make(chan struct{}, 8)}
	r := rand.New(rand.NewPCG(o.Seed, 2))
	r.Shuffle(len(o.Jobs), func(i, j int) { o.Jobs[i], o.Jobs[j] = o.Jobs[j], o.Jobs[i] })
	var all sync.WaitGroup
	for _, j := range o.Jobs {
		p.free <- struct{}{}
		seed := r.Uint64()
		all.Go(func() { p.do(j, rand.New(rand.NewPCG(seed, 3))) })
	}
	all.Wait()
	return nil
}

type process struct {
	orders
	client *agentphone.Client
	free   chan struct{} // has room for a job that is not waiting

	mu  sync.Mutex
	out *json.Encoder
}

// do repeats a job until it has a result. It holds a place of p.free, except while it waits.
func (p *process) do(j job, r *rand.Rand) {
	for {
		var response agentphone.Response
		id, err := p.send(j, agentphone.WithIdempotencyKey(j.Key), agentphone.WithResponse(&response))
		<-p.free
		if err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			_ = p.out.Encode(report{j.Key, id, response.Replayed, response.Reconciled})
			return
		}
		wait := 50*time.Millisecond + time.Duration(r.Int64N(int64(450*time.Millisecond)))
		var pending *agentphone.PendingError
		if errors.As(err, &pending) && r.IntN(2) == 0 {
			wait = pending.RetryAfter
		}
		time.Sleep(wait)
		p.free <- struct{}{}
	}
}

func (p *process) send(j job, opts ...agentphone.RequestOption) (string, error) {
	if j.Kind == "call" {
		c, err := p.client.Calls.Create(context.Background(), agentphone.CreateCallParams{AgentID: p.AgentID, ToNumber: j.To, SystemPrompt: "x"}, opts...)
		if err != nil {
			return "", err
		}
		return c.ID, nil
	}
	m, err := p.client.Messages.Send(context.Background(), agentphone.SendMessageParams{AgentID: p.AgentID, ToNumber: j.To, Body: j.Body}, opts...)
	if err != nil {
		return "", err
	}
	return m.ID, nil
}
