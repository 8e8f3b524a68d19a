package agentphonetest_test

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// loads are what a large test does to a server: each makes n of something and then does all that can be done with one of
// them to each of them.
var loads = []struct {
	name string
	run  func(b testing.TB, srv *agentphonetest.Server, n int)
}{
	{"calls", loadCalls},
	{"calls of agents", loadCallsOfAgents},
	{"calls in progress", loadCallsInProgress},
	{"requests that wait", loadWaits},
	{"transcript stream", loadTranscriptStream},
	{"voice turns", loadVoiceTurns},
	{"lines of an answer", loadLinesOfAnswer},
	{"messages", loadMessages},
	{"conversations", loadConversations},
	{"groups", loadGroups},
	{"contacts", loadContacts},
	{"deliveries", loadDeliveries},
	{"deliveries to agents", loadDeliveriesToAgents},
	{"attempts", loadAttempts},
	{"records", loadRecords},
	{"usage", loadUsage},
	{"numbers", loadNumbers},
	{"accounts", loadAccounts},
	{"verifications", loadVerifications},
	{"faults", loadFaults},
}

func BenchmarkServer(b *testing.B) {
	for _, l := range loads {
		for _, n := range []int{1000, 4000} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(l.name, " ", "-"), n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					srv := agentphonetest.NewServer(agentphonetest.WithNumberLimit(n + 1))
					l.run(b, srv, n)
					srv.Close()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/item")
			})
		}
	}
}

// must returns v, which was got without an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// drain reads a list to its end and returns how many items it has.
func drain[T any](seq iter.Seq2[T, error]) (n int) {
	for _, err := range seq {
		must(0, err)
		n++
	}
	return n
}

// people returns the phone number of one of many people. Those with odd numbers have iMessage.
func people(i int) string { return fmt.Sprintf("+1415%07d", 5_000_000+i) }

// listen has all events of the starter account delivered to a handler that takes them.
func listen(b testing.TB, srv *agentphonetest.Server) {
	must(srv.Client().Webhooks.Set(b.Context(), agentphone.SetWebhookParams{URL: "https://receiver.example.com/"}))
	srv.SetReceiver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

func loadCalls(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	for i := range n {
		srv.NextCall(agentphonetest.CallScript{Duration: 1, Turns: []agentphonetest.Utterance{{Role: agentphone.RoleAgent, Content: "Hello."}}})
		call := must(c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: people(i)}))
		must(c.Calls.Get(ctx, call.ID, agentphone.GetCallOptions{Wait: true}))
		must(c.Calls.Transcript(ctx, call.ID))
		must(c.Calls.DownloadRecording(ctx, call.ID, io.Discard))
		require.ErrorIs(b, srv.EndCall(call.ID), agentphonetest.ErrCallOver)
	}
	require.Equal(b, n, drain(c.Calls.All(ctx, agentphone.ListCallsParams{})))
	require.Equal(b, n, drain(c.Numbers.AllCalls(ctx, srv.NumberID(), agentphone.ListCallsParams{})))
	srv.WaitDeliveries()
}

func loadCallsOfAgents(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	for range n {
		a := must(c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "Ada"}))
		must(c.Agents.AttachNumber(ctx, a.ID, agentphone.AttachNumberParams{NumberID: srv.NumberID()}))
		must(c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: a.ID, ToNumber: person}))
		must(c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: a.ID, ToNumber: person, Body: "Hello."}))
		require.Equal(b, 1, drain(c.Agents.AllCalls(ctx, a.ID, agentphone.ListCallsParams{})))
		require.Equal(b, 1, drain(c.Agents.AllConversations(ctx, a.ID, agentphone.ListConversationsParams{})))
		must(c.Agents.Delete(ctx, a.ID))
	}
}

func loadCallsInProgress(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	ids := make([]string, n)
	for i := range ids {
		ids[i] = srv.ReceiveCall(people(i), srv.PhoneNumber())
		must(c.Calls.Get(ctx, ids[i]))
	}
	for i, id := range ids {
		must(srv.CallerSays(id, "Hello."))
		if i%2 == 0 {
			must(c.Calls.End(ctx, id))
		} else {
			must(0, srv.EndCall(id))
		}
	}
	srv.WaitDeliveries()
	require.Len(b, srv.Deliveries(), 2*n)
}

// Each call has one request that waits for it while something happens in all calls.
func loadWaits(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	ids, over := make([]string, n), make(chan error, n)
	connected := make(chan bool, n)
	for i := range ids {
		ids[i] = srv.ReceiveCall(people(i), srv.PhoneNumber())
		go func() {
			var failed error
			for e, err := range c.Calls.StreamTranscript(ctx, ids[i]) {
				if failed = err; e.Type == agentphone.TranscriptEventConnected {
					connected <- true
				}
			}
			over <- failed
		}()
	}
	for range n {
		<-connected
	}
	for _, id := range ids {
		must(srv.CallerSays(id, "Hello."))
	}
	for _, id := range ids {
		must(0, srv.EndCall(id))
	}
	for range n {
		require.NoError(b, <-over)
	}
}

func loadTranscriptStream(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	script := agentphonetest.CallScript{Turns: make([]agentphonetest.Utterance, n), Duration: 1}
	for i := range script.Turns {
		script.Turns[i] = agentphonetest.Utterance{Role: agentphone.RoleAgent, Content: fmt.Sprint("Line ", i)}
	}
	srv.NextCall(script)
	call := must(c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person}))
	require.Equal(b, n+2, drain(c.Calls.StreamTranscript(ctx, call.ID)))
	require.Len(b, must(c.Calls.Transcript(ctx, call.ID)).Transcript, n)
	require.Len(b, must(c.Calls.Get(ctx, call.ID)).Transcripts, n)
}

func loadVoiceTurns(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"text":"Yes."}`) }))
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	over := make(chan int)
	go func() { over <- drain(c.Calls.StreamTranscript(ctx, id)) }()
	for range n {
		must(srv.CallerSays(id, "Hello."))
	}
	must(0, srv.EndCall(id))
	require.Equal(b, 2*n+2, <-over)
	require.Len(b, must(c.Calls.Transcript(ctx, id)).Transcript, 2*n)
}

func loadLinesOfAnswer(b testing.TB, srv *agentphonetest.Server, n int) {
	listen(b, srv)
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for range n {
			_, _ = io.WriteString(w, `{"text":"Yes.","interim":true}`+"\n")
			_ = http.NewResponseController(w).Flush()
		}
	}))
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	require.Len(b, must(srv.CallerSays(id, "Hello.")).Lines, n)
}

func loadMessages(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	group := must(c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), Recipients: []string{people(1), people(2)}, Body: "Hello."}))
	for range n {
		id := srv.ReceiveMessage(people(1), group.ToNumber, "Hello.")
		srv.ReceiveReaction(people(2), id, agentphone.ReactionLike)
		must(c.Messages.React(ctx, id, agentphone.ReactParams{Reaction: agentphone.ReactionLove}))
		must(c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: group.ToNumber, Body: "Hi.", ReplyToMessageID: id}))
		must(c.Conversations.Get(ctx, group.ConversationID, agentphone.GetConversationOptions{MessageLimit: 1}))
	}
	require.Equal(b, 2*n+1, drain(c.Conversations.AllMessages(ctx, group.ConversationID, agentphone.ListMessagesParams{})))
	require.Equal(b, 2*n+1, drain(c.Numbers.AllMessages(ctx, srv.NumberID(), agentphone.ListMessagesParams{})))
}

func loadConversations(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	for i := range n {
		srv.ReceiveMessage(people(i), srv.PhoneNumber(), "Hello.")
		must(c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: people(i), Body: "Hi."}))
		must(c.Conversations.List(ctx, agentphone.ListConversationsParams{Limit: 1}))
	}
	for i := range n { // each becomes the latest again
		must(c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: people(i), Body: "Bye."}))
	}
	require.Equal(b, n, drain(c.Conversations.All(ctx, agentphone.ListConversationsParams{})))
	require.Equal(b, n, drain(c.Agents.AllConversations(ctx, srv.AgentID(), agentphone.ListConversationsParams{})))
}

func loadGroups(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	for i := range n {
		sent := must(c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), Recipients: []string{people(i), people(i + 1)}, Body: "Hello."}))
		srv.ReceiveMessage(people(i), sent.ToNumber, "Hello.")
		must(c.Messages.Send(ctx, agentphone.SendMessageParams{ToNumber: sent.ToNumber, Body: "Hi."}))
	}
}

func loadContacts(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	for i := range n {
		contact := must(c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: people(i), Name: "Ada"}))
		must(c.Contacts.Update(ctx, contact.ID, agentphone.UpdateContactParams{PhoneNumber: agentphone.Value(people(n + i))}))
		srv.ReceiveMessage(people(n+i), srv.PhoneNumber(), "Hello.")
	}
	require.Equal(b, n, drain(c.Contacts.All(ctx, agentphone.ListContactsParams{})))
	for { // from the first to the last
		page := must(c.Contacts.List(ctx, agentphone.ListContactsParams{Limit: 100}))
		if len(page.Data) == 0 {
			return
		}
		for _, contact := range page.Data {
			must(0, c.Contacts.Delete(ctx, contact.ID))
		}
	}
}

func loadDeliveries(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	for range n {
		srv.ReceiveMessage(person, srv.PhoneNumber(), "Hello.")
		must(c.Webhooks.AllTimeDeliveryStats(ctx))
	}
	for _, d := range srv.Deliveries() {
		_, _, err := srv.Redeliver(d.ID, agentphonetest.Redelivery{})
		require.NoError(b, err)
	}
	require.Equal(b, n, drain(c.Webhooks.AllDeliveries(ctx, agentphone.ListDeliveriesParams{})))
	require.Equal(b, n, drain(c.Webhooks.AllDeliveries(ctx, agentphone.ListDeliveriesParams{Hours: 24})))
}

func loadDeliveriesToAgents(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	must(c.Webhooks.SetForAgent(ctx, srv.AgentID(), agentphone.SetWebhookParams{URL: "https://receiver.example.com/"}))
	for range n {
		srv.ReceiveMessage(person, srv.PhoneNumber(), "Hello.")
		must(c.Webhooks.ListDeliveriesForAgent(ctx, srv.AgentID(), agentphone.ListDeliveriesForAgentParams{Limit: 1, Hours: 1}))
	}
}

// All events are between two attempts at the same time.
func loadAttempts(b testing.TB, srv *agentphonetest.Server, n int) {
	listen(b, srv)
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	for range n {
		srv.ReceiveMessage(person, srv.PhoneNumber(), "Hello.")
	}
	srv.WaitDeliveries()
}

func loadRecords(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	for i := range n {
		must(c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: people(i)}))
		srv.ReceiveMessage(people(i), srv.PhoneNumber(), "Hello.")
	}
	require.Len(b, srv.Requests(), n+1)
	require.Len(b, srv.Calls(), n)
	require.Len(b, srv.Messages(), n)
	require.Len(b, srv.Deliveries(), n)
}

func loadUsage(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	listen(b, srv)
	for range n {
		srv.ReceiveMessage(person, srv.PhoneNumber(), "Hello.")
		srv.ReceiveCall(person, srv.PhoneNumber())
		must(c.Usage.Get(ctx))
		must(c.Usage.ByNumber(ctx))
		must(c.Usage.Daily(ctx, agentphone.DailyUsageParams{Days: 2}))
		must(c.Usage.Monthly(ctx, agentphone.MonthlyUsageParams{Months: 2}))
	}
}

func loadNumbers(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	for range n {
		agent := must(c.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "Ada"}))
		number := must(c.Numbers.Buy(ctx, agentphone.BuyNumberParams{Country: agentphone.CountryUS, AgentID: agent.ID}))
		must(c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: agent.ID, ToNumber: person, FromNumberID: number.ID}))
		must(c.Messages.Send(ctx, agentphone.SendMessageParams{FromNumber: number.PhoneNumber, ToNumber: person, Body: "Hello."}))
		srv.ReceiveMessage(person, number.PhoneNumber, "Hello.")
		srv.ReceiveCall(person, number.PhoneNumber)
		must(0, c.Agents.DetachNumber(ctx, agent.ID, number.ID))
		must(c.Agents.AttachNumber(ctx, agent.ID, agentphone.AttachNumberParams{NumberID: number.ID}))
	}
	require.Equal(b, n+1, drain(c.Numbers.All(ctx, agentphone.ListNumbersParams{})))
	require.Equal(b, n+1, drain(c.Agents.All(ctx, agentphone.ListAgentsParams{})))
	for number := range c.Numbers.All(ctx, agentphone.ListNumbersParams{Limit: 100}) {
		must(c.Numbers.Release(ctx, number.ID))
	}
}

func loadAccounts(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	var id string
	for i := range n {
		signup := must(c.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: fmt.Sprintf("ada%d@example.com", i)}))
		must(c.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: signup.VerificationID, OTPCode: srv.OTP(signup.VerificationID)}))
		sub := must(c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "Ada"}))
		if id != "" {
			must(0, c.SubAccounts.Delete(ctx, id))
		}
		id = sub.ID
		srv.ReceiveMessage(person, srv.PhoneNumber(), "Hello.")
	}
}

func loadVerifications(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	for i := range n {
		id := textCode(ctx, c, people(i))
		must(0, c.Do(ctx, http.MethodPost, "/v1/verify/check", fields{"verification_id": id, "code": srv.VerificationCode(id)}, nil))
		send(b, srv, http.MethodGet, lookupPath(people(i)), "")
	}
	require.Len(b, srv.Verifications(), n)
	require.Len(b, srv.Charges(), 2*n)
}

func loadFaults(b testing.TB, srv *agentphonetest.Server, n int) {
	c, ctx := srv.Client(), b.Context()
	for range n {
		srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/usage", Status: http.StatusTeapot})
	}
	for range n {
		_, err := c.Usage.Get(ctx)
		require.Error(b, err)
	}
}
