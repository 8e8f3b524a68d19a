package agentphone_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

var callBegan = time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)

func turnOf(content string, at time.Duration) agentphone.TranscriptEntry {
	return agentphone.TranscriptEntry{Role: agentphone.RoleUser, Content: content, CreatedAt: agentphone.NewTimestamp(callBegan.Add(at))}
}

// turnsOf makes turns of words, all of the same time.
func turnsOf(words string) (turns []agentphone.TranscriptEntry) {
	for _, word := range strings.Fields(words) {
		turns = append(turns, turnOf(word, 0))
	}
	return turns
}

// sseEvents encodes turns as events.
func sseEvents(turns []agentphone.TranscriptEntry) string {
	var b strings.Builder
	b.WriteString(sseConnected)
	for _, turn := range turns {
		data, _ := json.Marshal(turn)
		b.WriteString("event: turn\ndata: " + string(data) + "\n\n")
	}
	return b.String()
}

// collectTurns streams a transcript from connections, each of which breaks but the last.
func collectTurns(t *testing.T, connections ...[]agentphone.TranscriptEntry) (words string) {
	t.Helper()
	c, s := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		events := sseEvents(connections[n-1])
		if n == len(connections) {
			events += sseEnded
		}
		return eventStream(strings.NewReader(events)), nil
	}, agentphone.WithRetryWait(0, 0))
	turns, others, err := collectTranscript(t.Context(), t, c)
	require.NoError(t, err)
	assert.Equal(t, []string{"connected", "ended"}, others)
	assert.Len(t, s.Requests(), len(connections))
	return strings.Join(turns, " ")
}

func TestCallsStreamTranscript_TakesForRepeatedOnlyWhatFits(t *testing.T) {
	for name, tc := range map[string]struct {
		connections []string // the words that each brings
		want        string
	}{
		"replays":                              {[]string{"a b", "a b c", "a b c d"}, "a b c d"},
		"replays, cut within the replay":       {[]string{"a b c", "a", "a b", "a b c d"}, "a b c d"},
		"resumes":                              {[]string{"a b", "c", "d e"}, "a b c d e"},
		"resumes, then replays":                {[]string{"a b", "c", "a b c d"}, "a b c d"},
		"resumes after the first turn":         {[]string{"a", "b", "c"}, "a b c"},
		"resumes with nothing":                 {[]string{"a b", "", "c"}, "a b c"},
		"replays equal turns":                  {[]string{"a b b", "a b b b c"}, "a b b b c"},
		"replays, cut between equal turns":     {[]string{"a b", "a b b c"}, "a b b c"},
		"replays nothing but equal turns":      {[]string{"a a", "a a a a"}, "a a a a"},
		"resumes between equal turns":          {[]string{"a b", "b c"}, "a b b c"},
		"resumes with the first turn's words":  {[]string{"a b", "a c"}, "a b a c"},
		"resumes with the first, ends there":   {[]string{"a b", "a"}, "a b a"},
		"resumes with the first, breaks there": {[]string{"a b c", "a", "d"}, "a b c a d"},
		"replays the last turn":                {[]string{"a b c", "c d"}, "a b c c d"},
		"replays the last turns":               {[]string{"a b c", "b c d", "c d e"}, "a b c b c d c d e"},
		"replays fewer turns, and goes on":     {[]string{"a b c", "a b d"}, "a b c a b d"},
		"replays in another order":             {[]string{"a b c", "b a c d"}, "a b c b a c d"},
		"replays other turns, from then on":    {[]string{"a b c", "a x c d", "a x c d e"}, "a b c a x c d e"},
		"replays without the first":            {[]string{"a b c", "b c d"}, "a b c b c d"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var connections [][]agentphone.TranscriptEntry
				for _, words := range tc.connections {
					connections = append(connections, turnsOf(words))
				}
				assert.Equal(t, tc.want, collectTurns(t, connections...))
			})
		})
	}
}

func TestCallsStreamTranscript_TurnsDifferByRoleContentAndTime(t *testing.T) {
	first, hour := turnOf("yes", 0), time.Hour
	for name, resumed := range map[string]agentphone.TranscriptEntry{
		"role":             {Role: agentphone.RoleAgent, Content: "yes", CreatedAt: first.CreatedAt},
		"content":          turnOf("Yes", 0),
		"time":             turnOf("yes", time.Microsecond),
		"no time":          {Role: agentphone.RoleUser, Content: "yes"},
		"role and content": {Role: "useryes", CreatedAt: first.CreatedAt},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				turns := collectTurns(t, []agentphone.TranscriptEntry{first}, []agentphone.TranscriptEntry{resumed})
				assert.Equal(t, "yes "+resumed.Content, turns)
			})
		})
	}
	t.Run("turns of long ago are not given again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			given := []agentphone.TranscriptEntry{turnOf("a", 0), turnOf("b", hour), turnOf("c", 2*hour), turnOf("d", 2*hour)}
			shorter := []agentphone.TranscriptEntry{given[0], given[1], given[2], turnOf("e", 3*hour)}
			assert.Equal(t, "a b c d c e", collectTurns(t, given, shorter), "c could be new")
		})
	})
}

// replayer is a server that begins each connection in a way of its own and cuts it anywhere.
type replayer struct {
	random *rand.Rand
	turns  []agentphone.TranscriptEntry
	begin  []string // the ways, of which each connection has one
	sent   int      // turns that the client has
	cuts   int      // to come
}

func (s *replayer) sequence() (order []int) {
	from, to := 0, len(s.turns)
	old := func(n int) {
		for i := range n {
			order = append(order, i)
		}
	}
	switch s.begin[s.random.IntN(len(s.begin))] {
	case "whole":
	case "resumed":
		from = s.sent
	case "partial":
		from = s.random.IntN(s.sent + 1)
	case "shorter":
		old(s.random.IntN(s.sent + 1))
		from = s.sent
	case "reordered":
		old(s.sent)
		s.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		from = s.sent
	}
	for i := from; i < to; i++ {
		order = append(order, i)
	}
	return order
}

func (s *replayer) respond(int, apitest.Request) (*http.Response, error) {
	order := s.sequence()
	cut := s.cuts > 0
	if s.cuts--; cut {
		order = order[:s.random.IntN(len(order)+1)]
	}
	var turns []agentphone.TranscriptEntry
	for _, i := range order {
		turns = append(turns, s.turns[i])
		s.sent = max(s.sent, i+1)
	}
	events := sseEvents(turns)
	if !cut {
		return eventStream(strings.NewReader(events + sseEnded)), nil
	}
	events += "event: turn\ndata: {\"role\":\"user\",\"content\":\"broken off\"}\n\n"[:s.random.IntN(50)]
	if s.random.IntN(2) == 0 {
		return eventStream(strings.NewReader(events)), nil
	}
	return eventStream(io.MultiReader(strings.NewReader(events), brokenReader{})), nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestCallsStreamTranscript_LosesNoTurnHoweverAServerBeginsAgain(t *testing.T) {
	all := []string{"whole", "resumed", "partial", "shorter", "reordered"}
	for name, tc := range map[string]struct {
		begin []string
		once  bool // each turn is given once
		twins bool // of the turns two can be equal
	}{
		"whole":            {all[:1], true, true},
		"resumed":          {all[1:2], true, true},
		"whole or resumed": {all[:2], false, true},
		"partial":          {all[2:3], false, true},
		"any of these":     {all[:3], false, true},
		"shorter":          {all[3:4], false, false},
		"reordered":        {all[4:], false, false},
		"all":              {all, false, false},
	} {
		for pace, between := range map[string]time.Duration{"at once": 0, "a second apart": time.Second, "minutes apart": 5 * time.Minute, "without times": -1} {
			t.Run(name+", "+pace, func(t *testing.T) {
				for seed := range uint64(40) {
					synctest.Test(t, func(t *testing.T) {
						random := rand.New(rand.NewPCG(seed, 3))
						s := &replayer{random: random, begin: tc.begin, cuts: random.IntN(12)}
						for i := range 1 + random.IntN(30) {
							turn := turnOf(fmt.Sprint("turn", i), time.Duration(i)*between)
							if between < 0 {
								turn.CreatedAt = agentphone.Timestamp{}
							}
							if s.turns = append(s.turns, turn); tc.twins && i > 0 && random.IntN(3) == 0 {
								s.turns = append(s.turns, turn)
							}
						}
						c, _ := apitest.NewClient(t, s.respond, agentphone.WithRetryWait(0, 0))
						var given []agentphone.TranscriptEntry
						for event, err := range c.Calls.StreamTranscript(t.Context(), "call_1") {
							require.NoError(t, err)
							if event.Type == agentphone.TranscriptEventTurn {
								given = append(given, *event.Turn)
							}
						}
						if tc.once {
							require.Equal(t, s.turns, given, "seed %d", seed)
						}
						count := map[agentphone.TranscriptEntry]int{}
						for _, turn := range given {
							count[turn]++
						}
						for _, turn := range s.turns {
							count[turn]--
							require.GreaterOrEqual(t, count[turn], 0, "seed %d: %v is lost", seed, turn)
						}
					})
				}
			})
		}
	}
}

// longCall streams a call of many turns that is cut after some, and returns how often each turn was given.
func longCall(t *testing.T, before int, after []int, at func(i int) time.Duration) map[int]int {
	t.Helper()
	order := make([]int, before)
	for i := range order {
		order[i] = i
	}
	c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
		if n == 1 {
			return eventStream(&turnSequenceSource{order: order, at: at}), nil
		}
		return eventStream(io.MultiReader(&turnSequenceSource{order: after, at: at}, strings.NewReader(sseEnded))), nil
	}, apitest.NoWait)
	given := map[int]int{}
	turns, _, err := collectTranscript(t.Context(), t, c)
	require.NoError(t, err)
	for _, turn := range turns {
		i := 0
		_, _ = fmt.Sscan(turn, &i)
		given[i]++
	}
	return given
}

// turnSequenceSource is a body of turns with the given numbers, made as it is read.
type turnSequenceSource struct {
	order []int
	at    func(i int) time.Duration
	rest  string
}

func (s *turnSequenceSource) Read(p []byte) (int, error) {
	if s.rest == "" {
		if len(s.order) == 0 {
			return 0, io.EOF
		}
		data, _ := json.Marshal(turnOf(fmt.Sprint(s.order[0]), s.at(s.order[0])))
		s.rest = "event: turn\ndata: " + string(data) + "\n\n"
		s.order = s.order[1:]
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func TestCallsStreamTranscript_LosesNoTurnOfCallsOfAnyLength(t *testing.T) {
	upTo := func(n int, more ...int) (order []int) {
		for i := range n {
			order = append(order, i)
		}
		return append(order, more...)
	}
	for pace, at := range map[string]func(i int) time.Duration{
		"a second apart": func(i int) time.Duration { return time.Duration(i) * time.Second },
		"at once":        func(int) time.Duration { return 0 },
	} {
		for _, n := range []int{4096, 8193} {
			if n == 4096 && pace != "at once" {
				continue // slow under the race detector
			}
			t.Run(fmt.Sprintf("%d turns %s", n, pace), func(t *testing.T) {
				for i, times := range longCall(t, n, upTo(n+10), at) {
					require.Equal(t, 1, times, "replayed whole: turn %d", i)
				}
				for i, times := range longCall(t, n, []int{n, n + 1}, at) {
					require.Equal(t, 1, times, "resumed: turn %d", i)
				}
				for name, after := range map[string][]int{
					"partial": {n - 3, n - 2, n - 1, n}, "shorter": upTo(n*2/3+1, n, n+1), "one left out": append(upTo(n-2), n-1, n), "two swapped": append(upTo(n/2), n/2+1, n/2, n),
				} {
					given := longCall(t, n, after, at)
					for _, i := range after {
						require.Positive(t, given[i], "%s: turn %d", name, i)
					}
				}
			})
		}
	}
}

func TestCallsStreamTranscript_MemoryDoesNotGrowWithReplays(t *testing.T) {
	const total = 50_000
	n := 0
	var early, late int
	c, _ := apitest.NewClient(t, func(connection int, _ apitest.Request) (*http.Response, error) {
		source := &turnSource{total: total}
		if connection <= 5 { // each brings 10,000 more
			return eventStream(io.LimitReader(source, int64(connection*10_000*len(sseTurn(10_000))))), nil
		}
		late = apitest.HeapInUse()
		return eventStream(source), nil
	}, apitest.NoWait)
	for event, err := range c.Calls.StreamTranscript(t.Context(), "call_1") {
		require.NoError(t, err)
		if event.Type != agentphone.TranscriptEventTurn {
			continue
		}
		require.Equal(t, fmt.Sprint("turn ", n), event.Turn.Content)
		if n++; n == 1000 {
			early = apitest.HeapInUse()
		}
	}
	assert.Equal(t, total, n)
	assert.Less(t, late, early+1<<20)
}
