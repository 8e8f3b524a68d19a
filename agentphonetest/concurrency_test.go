package agentphonetest_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// The race detector sees what these tests do: every operation of the API beside every method of Server, every method
// beside every other, and the operations that run without the server's lock beside all operations. Each pair is on a
// server of its own that has something of everything. CONCURRENCY_SEED sets the order of the pairs and who yields when.
func TestServer_EveryMethodMayRunBesideEveryOperation(t *testing.T) {
	runPairs(t, methodNames(), agentphonetest.OperationNames())
}

func TestServer_EveryMethodMayRunBesideEveryMethod(t *testing.T) {
	runPairs(t, methodNames(), methodNames())
}

func TestServer_OperationsThatWaitMayRunBesideEveryOperation(t *testing.T) {
	runPairs(t, append(agentphonetest.WaitingOperationNames(), streamOperation), agentphonetest.OperationNames())
}

// A pair with an operation that no longer succeeds would prove nothing.
func TestServer_OperationsOfThePairsSucceed(t *testing.T) {
	for _, name := range agentphonetest.OperationNames() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if waits[name] {
				go func() { _ = w.srv.EndCall(w.call) }()
			}
			assert.Equal(t, 2, w.operate(t.Context(), name)/100)
		})
	}
}

// methodNames returns the methods of Server, of which each must be in methods.
func methodNames() (names []string) {
	server := reflect.TypeFor[*agentphonetest.Server]()
	for i := range server.NumMethod() {
		names = append(names, server.Method(i).Name)
	}
	return names
}

func TestServer_MethodsOfThePairsAreAll(t *testing.T) {
	for _, name := range methodNames() {
		assert.NotNil(t, methods[name], "%s is not run beside the other methods", name)
	}
	assert.Len(t, methods, len(methodNames()))
}

// methods call each method of Server on what a world has, and change what is returned, lest it is shared.
var methods = map[string]func(w *world, ctx context.Context){
	"APIKey":           func(w *world, _ context.Context) { w.srv.APIKey() },
	"HasAPIKey":        func(w *world, _ context.Context) { w.srv.HasAPIKey(w.srv.APIKey()) },
	"AgentID":          func(w *world, _ context.Context) { w.srv.AgentID() },
	"NumberID":         func(w *world, _ context.Context) { w.srv.NumberID() },
	"PhoneNumber":      func(w *world, _ context.Context) { w.srv.PhoneNumber() },
	"OTP":              func(w *world, _ context.Context) { w.srv.OTP(w.verification) },
	"VerificationCode": func(w *world, _ context.Context) { w.srv.VerificationCode(w.code) },
	"Client":           func(w *world, ctx context.Context) { _, _ = w.srv.Client().Usage.Get(ctx) },
	"Transport":        func(w *world, ctx context.Context) { w.operate(ctx, "POST /v1/messages") },
	"Start": func(w *world, ctx context.Context) {
		req := must(http.NewRequestWithContext(ctx, http.MethodGet, w.srv.Start()+"/v1/calls", nil))
		req.Header.Set("Authorization", "Bearer "+w.srv.APIKey())
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	},
	"ServeHTTP": func(w *world, ctx context.Context) {
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/calls/"+w.call+"/transcript/stream", nil)
		req.Header.Set("Authorization", "Bearer "+w.srv.APIKey())
		w.srv.ServeHTTP(httptest.NewRecorder(), req)
	},
	"Close":       func(w *world, _ context.Context) { w.srv.Close() },
	"SetLocation": func(w *world, _ context.Context) { w.srv.SetLocation(person, 37.8, -122.4) },
	"SetLineType": func(w *world, _ context.Context) { w.srv.SetLineType(person, "landline") },
	"SetReceiver": func(w *world, _ context.Context) { w.srv.SetReceiver(takeEverySecond()) },
	"NextCall": func(w *world, _ context.Context) {
		script := agentphonetest.CallScript{Turns: []agentphonetest.Utterance{{Role: agentphone.RoleAgent, Content: "Hello."}}, Duration: 1}
		w.srv.NextCall(script)
		script.Turns[0].Content = "Bye."
	},
	"ReceiveCall":    func(w *world, _ context.Context) { w.srv.ReceiveCall(person, w.srv.PhoneNumber()) },
	"AnswerCall":     func(w *world, _ context.Context) { _ = w.srv.AnswerCall(w.call) },
	"CallerSays":     func(w *world, _ context.Context) { _, _ = w.srv.CallerSays(w.call, "Hello?") },
	"EndCall":        func(w *world, _ context.Context) { _ = w.srv.EndCall(w.call) },
	"ReceiveMessage": func(w *world, _ context.Context) { w.srv.ReceiveMessage(person, w.group, "Hello?") },
	"Receive": func(w *world, _ context.Context) {
		media := []string{"https://example.com/m.png"}
		w.srv.Receive(agentphonetest.IncomingMessage{From: person, To: w.group, MediaURLs: media, ReplyTo: w.message})
		media[0] = ""
	},
	"ShareContact": func(w *world, _ context.Context) {
		card := map[string]any{"name": "Ada"}
		w.srv.ShareContact(person, w.srv.PhoneNumber(), card)
		card["name"] = "Grace"
	},
	"ReceiveReaction": func(w *world, _ context.Context) { w.srv.ReceiveReaction(person, w.message, agentphone.ReactionLike) },
	"InjectFault": func(w *world, _ context.Context) {
		header := http.Header{"X-Fault": {"1"}}
		w.srv.InjectFault(agentphonetest.Fault{Header: header, Delay: 1})
		w.srv.InjectFault(agentphonetest.Fault{Status: http.StatusBadGateway, AfterEffect: true})
		header["X-Fault"][0] = "2"
	},
	"Requests": func(w *world, _ context.Context) {
		for _, r := range w.srv.Requests() {
			r.Header.Set("X-Seen", "1")
			r.Query.Set("seen", "1")
			for i := range r.Body {
				r.Body[i] = 0
			}
		}
	},
	"Calls": func(w *world, _ context.Context) {
		for _, c := range w.srv.Calls() {
			clear(c.Transcripts)
		}
	},
	"Messages": func(w *world, _ context.Context) {
		for _, m := range w.srv.Messages() {
			clear(m.MediaURLs)
			clear(m.Reactions)
		}
	},
	"Deliveries":     func(w *world, _ context.Context) { clear(w.srv.Deliveries()) },
	"Verifications":  func(w *world, _ context.Context) { clear(w.srv.Verifications()) },
	"ControlHandler": func(w *world, _ context.Context) { w.srv.ControlHandler() },
	"ClearFaults":    func(w *world, _ context.Context) { w.srv.ClearFaults() },
	"Charges":        func(w *world, _ context.Context) { clear(w.srv.Charges()) },
	"WaitDeliveries": func(w *world, _ context.Context) { w.srv.WaitDeliveries() },
	"Redeliver": func(w *world, _ context.Context) {
		_, _, _ = w.srv.Redeliver("", agentphonetest.Redelivery{Body: []byte("{}")})
	},
}

// runPairs runs each of some methods or operations beside each of others.
func runPairs(t *testing.T, names, others []string) {
	const rounds = 3
	seed, err := strconv.ParseUint(os.Getenv("CONCURRENCY_SEED"), 10, 64)
	if err != nil {
		seed = 20261125
	}
	t.Logf("CONCURRENCY_SEED=%d", seed)
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for _, j := range random.Perm(len(others)) {
				if twin := slices.Index(names, others[j]); twin >= 0 && twin < i {
					continue // the pair was run the other way round
				}
				w := newWorld(t)
				w.beside(t, rounds, random, name, others[j])
				w.srv.Close()
			}
		})
	}
}

// waits are the actions that do not end before the call does or their context.
var waits = map[string]bool{"ServeHTTP": true, "GET /v1/calls/{call_id}": true, streamOperation: true}

const streamOperation = "GET /v1/calls/{call_id}/transcript/stream"

// beside runs two actions at the same time, some rounds. One that waits ends when the other is through.
func (w *world) beside(t *testing.T, rounds int, random *rand.Rand, names ...string) {
	t.Helper()
	start := make(chan struct{})
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, name := range names {
		pauses := make([]int, rounds)
		for i := range pauses {
			pauses[i] = random.IntN(4)
		}
		all.Go(func() {
			defer cancel()
			<-start
			for _, pause := range pauses {
				for range pause {
					runtime.Gosched()
				}
				w.act(t, ctx, name)
			}
		})
	}
	close(start)
	if waits[names[0]] && waits[names[1]] {
		_ = w.srv.EndCall(w.call)
	}
	all.Wait()
	if t.Failed() {
		t.Fatalf("with %v", names)
	}
}

// act calls a method or an operation. Its errors do not matter: the other action may have removed what it needs.
func (w *world) act(t *testing.T, ctx context.Context, name string) {
	defer func() {
		if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
			assert.Regexp(t, "^agentphonetest: (Receive|ShareContact|Start: the server is closed)", p)
		}
	}()
	if method, ok := methods[name]; ok {
		method(w, ctx)
		return
	}
	w.operate(ctx, name)
}
