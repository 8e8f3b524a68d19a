// Package run plays scenarios with a phone agent: it is the API in memory, the people who text and call, and whoever
// checks what the agent does.
package run

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// transferNumber is the TransferNumber of the agent, so that a transfer takes place.
const transferNumber = "+14155550199"

// pauses are those between the attempts at a delivery. The API's own are minutes long.
var pauses = []time.Duration{
	50 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond,
}

// Runner plays scenarios, one after the other. It is an [http.Handler] that serves the API to the agent.
type Runner struct {
	wire *wire
	api  atomic.Pointer[agentphonetest.Server] // of the scenario that is played, or else of the last one
	seed string
	// played and people are how many scenarios and people there were.
	played, people int
}

// New returns a Runner for the agent whose webhook is at target. Deliveries are signed with secret.
func New(target, secret string) *Runner {
	r := &Runner{wire: newWire(target, secret), seed: rand.Text(), people: mathrand.IntN(maxPeople)}
	r.api.Store(r.newServer())
	return r
}

// APIKey is the key of the API that the Runner serves. It is the same for all Runners.
func (r *Runner) APIKey() string { return r.api.Load().APIKey() }

// AgentID is the id of the agent. It is the same for all Runners.
func (r *Runner) AgentID() string { return r.api.Load().AgentID() }

// NumberID is the id of the agent's phone number. It is the same for all Runners.
func (r *Runner) NumberID() string { return r.api.Load().NumberID() }

// ServeHTTP serves the API.
func (r *Runner) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.api.Load().ServeHTTP(w, req) }

// Close ends what the agent may still be doing with the API.
func (r *Runner) Close() { r.api.Load().Close() }

// newServer returns an API with the account of the starter and nothing else. It has ids of its own, or else the agent
// would take a delivery for one of an earlier scenario.
func (r *Runner) newServer() *agentphonetest.Server {
	r.played++
	srv := agentphonetest.NewServer(
		agentphonetest.WithEchoes(), agentphonetest.WithIDSeed(fmt.Sprint(r.seed, r.played)), agentphonetest.WithDeliveryPauses(pauses...),
		agentphonetest.WithRecentRequests(1), // nobody looks at them
	)
	srv.SetReceiver(r.wire)
	return srv
}

// Run plays a scenario until it is over or a step fails. The error is that of ctx.
func (r *Runner) Run(ctx context.Context, s *scenario.Scenario) (*Result, error) {
	start := time.Now()
	srv := r.newServer()
	if err := setUp(ctx, srv, r.wire.target); err != nil {
		srv.Close()
		return nil, err
	}
	r.api.Swap(srv).Close()
	stop := context.AfterFunc(ctx, srv.Close) // ends all that waits
	defer stop()

	c := &conversation{server: srv, wire: r.wire, scenario: s, addresses: r.addresses(s), calls: map[string]string{}, read: map[string]int{}}
	result := &Result{Name: s.Name, File: s.File, Line: s.Line, Passed: true}
	for i := range s.Steps {
		step := StepResult{Line: s.Steps[i].Line, Step: s.Steps[i].String(), From: s.Person(&s.Steps[i]).Name, Skipped: true}
		if result.Passed {
			c.play(ctx, &s.Steps[i], &step)
			result.Passed = len(step.Failures) == 0
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		result.Steps = append(result.Steps, step)
	}
	result.Seconds = seconds(time.Since(start))
	return result, nil
}

// setUp makes the agent one that answers by webhook. The URL is for whoever asks the API: deliveries go through the wire.
func setUp(ctx context.Context, srv *agentphonetest.Server, target string) error {
	client := srv.Client()
	if _, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: target, TimeoutSeconds: 120}); err != nil {
		return err
	}
	_, err := client.Agents.Update(ctx, srv.AgentID(), agentphone.UpdateAgentParams{
		VoiceMode: agentphone.VoiceModeWebhook, TransferNumber: agentphone.Value(transferNumber),
	})
	return err
}

// maxPeople is how many people there can be with phone numbers of their own.
const maxPeople = 5000

// addresses returns the phone numbers and email addresses of people, by name. Who has none gets a number that no other
// scenario has: an agent that remembers people would take them for somebody else.
func (r *Runner) addresses(s *scenario.Scenario) map[string]string {
	addresses := map[string]string{}
	var taken []string
	for _, p := range s.People {
		addresses[p.Name] = p.Address
		taken = append(taken, p.Address)
	}
	if len(s.People) == 0 {
		addresses[scenario.DefaultPerson] = ""
	}
	for name, address := range addresses {
		for address == "" || addresses[name] == "" && slices.Contains(taken, address) {
			r.people++
			address = fmt.Sprintf("+1212555%04d", r.people%maxPeople*2+1) // odd: without iMessage
		}
		addresses[name] = address
	}
	return addresses
}
