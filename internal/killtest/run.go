package killtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/apitest"
)

// Config is a kill test.
type Config struct {
	Store     string // what the processes open
	Processes int
	Texts     int
	Calls     int
	Kills     int // at least; the test fails if the jobs are done before
	Timeout   time.Duration
}

// Standard is the size of the kill test in the gate.
func Standard(processes int, store string) Config {
	return Config{Store: store, Processes: processes, Texts: 500, Calls: 50, Kills: 30, Timeout: 3 * time.Minute}
}

// Tally is what came of a kill test.
type Tally struct {
	Texts, Calls, Kills int
	Effects             int
	Twice               int // effects beyond one for each key
	Lost                int // keys without an effect, or without a report
	Disagree            int // keys that were reported with other results, or with that of another key
	Reports             int
	Replayed            int
	Reconciled          int
	Faults              map[string]int
	Took                time.Duration
}

func (t Tally) String() string {
	return fmt.Sprintf("%d texts, %d calls, %d kills: %d effects, %d twice, %d lost, %d disagree; %d reports, of which %d replayed, %d reconciled; %v; faults %v",
		t.Texts, t.Calls, t.Kills, t.Effects, t.Twice, t.Lost, t.Disagree, t.Reports, t.Replayed, t.Reconciled, t.Took.Round(time.Second), t.Faults)
}

// Require runs a kill test for each seed, and requires that nothing took effect twice or was lost. KILLTEST_SEED is the first seed, and
// KILLTEST_ROUNDS how many there are; by default it is the same one.
func Require(t *testing.T, newConfig func(t *testing.T) Config) {
	seed, rounds := number(t, "KILLTEST_SEED", 20261125), number(t, "KILLTEST_ROUNDS", 1)
	for s := seed; s < seed+rounds; s++ {
		t.Run(fmt.Sprint("seed ", s), func(t *testing.T) {
			c := newConfig(t)
			tally := Run(t, c, s)
			t.Log(tally)
			require.Zero(t, tally.Twice, "twice")
			require.Zero(t, tally.Lost, "lost")
			require.Zero(t, tally.Disagree, "disagree")
			require.GreaterOrEqual(t, tally.Kills, c.Kills, "kills")
		})
	}
}

func number(t *testing.T, name string, standard uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return n
}

// run is a kill test under way.
type run struct {
	Config
	t    *testing.T
	ctx  context.Context
	api  *api
	rand *rand.Rand
	jobs []job

	running []*child
	ended   chan *child
	results map[string]map[string]bool // by key: the ids that were reported
	tally   Tally
}

// child is a process.
type child struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
	killed bool  // before it ended by itself
	err    error // of another end
}

// Run runs a kill test. The test binary must have a TestMain that calls [apitest.TestMain] with [Main].
func Run(t *testing.T, c Config, seed uint64) Tally {
	ctx, cancel := context.WithTimeout(t.Context(), c.Timeout)
	defer cancel()
	r := &run{
		Config: c, t: t, ctx: ctx, api: newAPI(seed), rand: rand.New(rand.NewPCG(seed, 4)),
		ended: make(chan *child), results: map[string]map[string]bool{}, jobs: jobs(c.Texts, c.Calls),
	}
	defer r.api.Close()
	began := time.Now()
	for range c.Processes {
		r.start(r.open())
	}
	defer r.killAll()
	r.killUntilDone()
	time.Sleep(longestFlight + longestLag) // what is on its way arrives
	r.start(r.jobs)                        // once more; all have their results
	r.collect(<-r.ended)
	r.count()
	r.tally.Took = time.Since(began)
	return r.tally
}

// jobs returns texts and calls, some of them with equal parameters and other keys.
func jobs(texts, calls int) []job {
	var all []job
	for n := range texts {
		j := job{Key: fmt.Sprint("text-", n), Kind: "text", To: "+14155550123", Body: fmt.Sprint("text ", n)}
		if n%5 == 1 {
			j.Body = all[len(all)-1].Body
		}
		all = append(all, j)
	}
	for n := range calls {
		j := job{Key: fmt.Sprint("call-", n), Kind: "call", To: fmt.Sprintf("+1415555%04d", 1000+n)}
		if n%5 == 1 {
			j.To = all[len(all)-1].To
		}
		all = append(all, j)
	}
	return all
}

// open returns the jobs that nobody has reported.
func (r *run) open() []job {
	var open []job
	for _, j := range r.jobs {
		if len(r.results[j.Key]) == 0 {
			open = append(open, j)
		}
	}
	return open
}

func (r *run) start(jobs []job) {
	input, err := json.Marshal(orders{r.api.url, r.api.APIKey(), r.api.AgentID(), r.Store, r.rand.Uint64(), jobs})
	require.NoError(r.t, err)
	p := &child{cmd: apitest.Program(r.t, nil)}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = bytes.NewReader(input), &p.stdout, &p.stderr
	require.NoError(r.t, p.cmd.Start())
	r.running = append(r.running, p)
	go func() {
		if p.err = p.cmd.Wait(); p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
			p.killed, p.err = true, nil
		}
		select {
		case r.ended <- p:
		case <-r.ctx.Done():
		}
	}()
}

// killUntilDone kills a process after a random number of requests to the API, and starts it again, until all jobs are reported.
func (r *run) killUntilDone() {
	gap := func() int { return 1 + r.rand.IntN(2*len(r.jobs)/(r.Kills+10)) }
	next := gap()
	for len(r.running) > 0 {
		select {
		case <-r.ctx.Done():
			r.count()
			r.t.Fatalf("not done after %v: %s", r.Timeout, r.tally)
		case <-r.api.posts:
			if next--; next > 0 {
				continue
			}
			next = gap()
			time.Sleep(time.Duration(r.rand.Int64N(int64(30 * time.Millisecond))))
			victim := r.running[r.rand.IntN(len(r.running))]
			_ = victim.cmd.Process.Kill() // it may have ended
		case p := <-r.ended:
			r.collect(p)
			if open := r.open(); p.killed && len(open) > 0 {
				r.start(open)
			}
		}
	}
}

// collect reads what a process has reported. The last line of one that was killed may be incomplete.
func (r *run) collect(p *child) {
	for i, running := range r.running {
		if running == p {
			r.running = append(r.running[:i:i], r.running[i+1:]...)
		}
	}
	require.NoError(r.t, p.err, "%s", &p.stderr)
	if p.killed {
		r.tally.Kills++
	}
	for lines := bufio.NewReader(&p.stdout); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		var done report
		require.NoError(r.t, json.Unmarshal([]byte(line), &done), "%q", line)
		if r.results[done.Key] == nil {
			r.results[done.Key] = map[string]bool{}
		}
		r.results[done.Key][done.ID] = true
		r.tally.Reports++
		if done.Replayed {
			r.tally.Replayed++
		}
		if done.Reconciled {
			r.tally.Reconciled++
		}
	}
}

func (r *run) killAll() {
	for _, p := range r.running {
		_ = p.cmd.Process.Kill()
	}
}

// count compares what took effect with what was reported.
func (r *run) count() {
	t := &r.tally
	counts, made := r.api.effects()
	t.Texts, t.Calls, t.Effects, t.Faults = r.Texts, r.Calls, len(made), r.api.counted()
	wanted, owners := map[string]int{}, map[string]string{}
	for _, j := range r.jobs {
		wanted[j.parameters()]++
		ids := r.results[j.Key]
		if len(ids) == 0 {
			t.Lost++
			continue
		}
		agree := len(ids) == 1
		for id := range ids {
			agree = agree && made[id] == j.parameters() && owners[id] == ""
			owners[id] = j.Key
		}
		if !agree {
			t.Disagree++
		}
	}
	for what, n := range wanted {
		t.Twice += max(counts[what]-n, 0)
		t.Lost += max(n-counts[what], 0)
	}
	for what := range counts {
		require.True(r.t, wanted[what] > 0, "nobody wanted %s", strings.TrimSpace(what))
	}
}
