package agentphonetest_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestControlEvents_TheBufferIsBounded(t *testing.T) {
	srv := newServer(t)
	old := lastEvent(t, srv)
	for range 10_000 {
		srv.SetLineType(person, "voip")
	}
	assert.Equal(t, "setup", follow(t, srv, old).next().name, "10,000 events are kept")
	srv.SetLineType(person, "voip")
	assert.Equal(t, "lost", follow(t, srv, old).next().name)

	old = lastEvent(t, srv)
	for range 5 { // each 4 MB, twice
		srv.NextCall(agentphonetest.CallScript{Turns: []agentphonetest.Utterance{{Content: strings.Repeat("a", 4<<20)}}})
	}
	assert.Equal(t, "lost", follow(t, srv, old).next().name)
}

// A page that begins with a state and applies the events comes to the later state, whatever happens.
func TestControlEvents_LeadFromOneStateToTheNext(t *testing.T) {
	w := newControlWorld(t)
	replica := newReplica(controlled(t, w.srv, "GET /state?limit=10000", nil))
	f := follow(t, w.srv, replica.last)

	names := slices.DeleteFunc(append(agentphonetest.OperationNames(), methodNames()...), func(name string) bool {
		return waits[name] || slices.Contains([]string{"Close", "Start"}, name) || strings.HasPrefix(name, "DELETE ")
	})
	var deletes []string
	for _, name := range agentphonetest.OperationNames() {
		if strings.HasPrefix(name, "DELETE ") {
			deletes = append(deletes, name)
		}
	}
	controls := controlRequests(w)
	must(w.srv.CallerSays(w.call, "Hello?")) // before another action ends the call
	var all sync.WaitGroup
	for i := range uint64(4) {
		random := rand.New(rand.NewPCG(i, 1))
		all.Go(func() {
			for _, j := range random.Perm(len(names)) {
				w.act(t, t.Context(), names[j])
			}
			for name, body := range controls {
				control(t, w.srv, name, body)
			}
		})
	}
	all.Wait()
	for _, name := range deletes {
		w.act(t, t.Context(), name)
	}
	w.srv.WaitDeliveries()
	state := controlled(t, w.srv, "GET /state?limit=10000", nil)
	for replica.last != state["lastEventId"] {
		replica.apply(t, f.next())
	}
	want := newReplica(state)
	assert.Equal(t, want.setup, replica.setup)
	for kind, items := range want.items {
		for id, item := range items {
			assert.Equal(t, item, replica.items[kind][id], "%s %s", kind, id)
		}
		assert.Len(t, replica.items[kind], len(items), kind)
	}
	for _, kind := range []string{"request", "message", "conversation", "call", "line", "delivery", "attempt", "account", "verification"} {
		assert.NotEmpty(t, replica.items[kind], kind)
	}
	for _, name := range []string{"typing", "turn", "redelivery", "accountDeleted", "agentDeleted"} {
		assert.True(t, replica.seen[name], name)
	}
}

// replica is a state that follows the events.
type replica struct {
	last  string
	setup fields
	items map[string]map[string]fields // by the event that shows them, and what identifies them
	seen  map[string]bool
}

func newReplica(state fields) *replica {
	r := &replica{last: state["lastEventId"].(string), setup: state["setup"].(fields), items: map[string]map[string]fields{}, seen: map[string]bool{}}
	for list, kind := range map[string]string{
		"conversations": "conversation", "messages": "message", "calls": "call", "requests": "request",
		"deliveries": "delivery", "verifications": "verification",
	} {
		for _, item := range state[list].(fields)["data"].([]any) {
			r.put(kind, item.(fields))
		}
	}
	for _, item := range state["accounts"].([]any) {
		r.put("account", item.(fields))
	}
	return r
}

// put replaces an item. Lines and attempts are items of their own.
func (r *replica) put(kind string, item fields) {
	parts := map[string]string{"call": "lines", "delivery": "attempts"}[kind]
	if list, ok := item[parts].([]any); ok {
		delete(item, parts)
		for _, part := range list {
			if kind == "delivery" {
				part.(fields)["deliveryId"] = item["id"]
			}
			r.put(map[string]string{"call": "line", "delivery": "attempt"}[kind], part.(fields))
		}
	}
	id := fmt.Sprint(cmp.Or(item["id"], item["callId"], item["deliveryId"]), item["index"], item["number"])
	if r.items[kind] == nil {
		r.items[kind] = map[string]fields{}
	}
	r.items[kind][id] = item
}

func (r *replica) apply(t testing.TB, e happened) {
	t.Helper()
	r.last = e.id
	r.seen[e.name] = true
	switch e.name {
	case "setup":
		r.setup = e.data
	case "accountDeleted":
		delete(r.items["account"], fmt.Sprint(e.data["id"], nil, nil))
	case "attempt":
		attempt := e.data["attempt"].(fields)
		attempt["deliveryId"] = e.data["deliveryId"]
		r.put("attempt", attempt)
		delivery := r.items["delivery"][fmt.Sprint(e.data["deliveryId"], nil, nil)]
		delivery["status"], delivery["nextAttemptAt"] = e.data["status"], e.data["nextAttemptAt"]
	case "agentDeleted":
		for _, kind := range []string{"conversation", "call", "message"} {
			for _, item := range r.items[kind] {
				if item["agentId"] == e.data["id"] {
					item["agentId"] = nil
				}
			}
		}
	case "typing", "turn", "redelivery":
	case "lost":
		t.Fatal("events were lost")
	default:
		r.put(e.name, e.data)
	}
}
