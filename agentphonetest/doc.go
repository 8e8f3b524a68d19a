// Package agentphonetest is the AgentPhone API in memory, for tests of programs that use it. It keeps state, validates
// input as the API does, and responds with the API's own shapes.
//
//	srv := agentphonetest.NewServer()
//	defer srv.Close()
//	client := srv.Client()
//
//	srv.NextCall(agentphonetest.CallScript{Turns: []agentphonetest.Utterance{
//		{Role: agentphone.RoleAgent, Content: "Hello, a table for two?"},
//		{Role: agentphone.RoleUser, Content: "At seven, yes."},
//	}})
//	call, err := client.Calls.CreateAndWait(ctx, params, agentphone.WaitParams{})
//
// A new server has one account, as a sign-up leaves it. [Server.APIKey], [Server.AgentID] and [Server.PhoneNumber]
// return its key, its agent and the agent's number. [Server.Client] returns a client of the account that uses no
// network. [Server.Start] opens a port on the loopback interface for everything else, such as programs in other
// languages.
//
// # What people do
//
// [Server.NextCall] sets the script that the next call follows. [Server.ReceiveMessage], [Server.Receive],
// [Server.ReceiveReaction], [Server.ShareContact] and [Server.ReceiveCall] have a person text or call one of the
// server's numbers. [Server.CallerSays] has the person say something in a call and returns what the agent answered,
// [Server.EndCall] has the person hang up. With [WithRinging] a call rings until [Server.AnswerCall]. [Server.VerificationCode] reads the code that was texted to a phone.
//
// # What goes wrong
//
// [Server.InjectFault] makes a request fail as networks and servers do: an error status, a delay, a connection that
// breaks before the response although the request took effect, an error with a code that waiting does not clear.
// [Server.ClearFaults] ends that. [WithRateLimits] holds the client to the published rates, [WithoutPaymentMethod]
// refuses what costs something. What is placed or sent appears in lists later with [WithListDelay], and a transcript
// after the call with [CallScript].TranscriptDelay.
//
// # What took effect
//
// [Server.Requests] returns the requests that the server received. [Server.Calls] and [Server.Messages] return the
// calls that took place and the messages that went out, whatever response the client got, [Server.Verifications] the
// codes. So a test can check that nothing was done twice. [Server.Charges] returns what was billed.
//
// # Webhooks
//
// Once a webhook is set with the client, events are delivered to it as the API delivers them: signed, and attempted
// again with pauses ([WithDeliveryPauses]) after a 5xx, a broken connection or a timeout ([WithDeliveryTimeout]). A 4xx
// is final: the event is gone. With [WithEchoes] there are events of what the account itself sends, too, which a bot must
// not reply to; the API always sends them. [Server.SetReceiver] delivers to a handler in memory instead.
// [Server.Deliveries] returns the record of each event, [Server.WaitDeliveries] waits for attempts that are made in the
// background, and [Server.Redeliver] sends duplicates and forged, stale or altered events. Without a webhook no event is
// recorded.
//
// # From outside
//
// [Server.ControlHandler] does all of this over HTTP and JSON, for tests in other languages and for a page in a browser,
// and reports what happens as server-sent events.
//
// # What is made up
//
// Where the API depends on the world, the server has a rule:
//
//   - A phone number that ends in an even digit has iMessage, and so does an email address. A message to such a person,
//     or from one, goes that way by itself, any other by SMS or MMS. WhatsApp reaches everybody.
//   - A phone number is mobile, one of the server's voip, unless [Server.SetLineType] says otherwise. Those that begin
//     with +1 are of the United States, but for the server's Canadian ones.
//   - All numbers of the server can send texts, without a registration.
//   - The result of a verification comes with status 200, whatever it is. A code is good for three checks and ten minutes.
//   - A sign-up is over after five wrong codes.
//   - A phone shares its location once [Server.SetLocation] has set it.
//   - A call has a recording, a tenth of a second of silence, if its status is completed and it was not disabled.
//   - The end of a call takes no time, unless [WithEndDelay] says otherwise.
//   - A registration stays pending.
//   - The voices are a few of the API's hundreds.
//   - Ids, keys and codes look like the API's but are the same in each run (WithIDSeed).
//
// # Time
//
// The server works in a bubble of testing/synctest, where calls of minutes end at once: how far a call is follows from
// the time since it was placed. The only timers are those between attempts to deliver an event, and of what waits in a
// request. Use [Server.Client] or [Server.Transport], and [Server.SetReceiver], in the bubble: a goroutine that is
// blocked on a real connection stops the bubble's clock.
package agentphonetest

// For maintainers: where things are.
//
// What a test uses is in ten files:
//
//	doc.go       this overview
//	server.go    Server, its options, its account and ids, Client, OTP, VerificationCode, SetLineType, SetLocation,
//	             HasAPIKey, Close
//	http.go      Start, ServeHTTP, Transport
//	calls.go     CallScript, NextCall, WithEndDelay, WithListDelay, WithRinging, ReceiveCall, AnswerCall, CallerSays,
//	             EndCall
//	messages.go  ReceiveMessage, Receive, ReceiveReaction, ShareContact
//	webhooks.go  WithDeliveryPauses, WithDeliveryTimeout, WithEchoes, SetReceiver, Deliveries, WaitDeliveries, Redeliver
//	faults.go    Fault, InjectFault, ClearFaults
//	records.go   Request, Requests, WithRecentRequests, Calls, Messages, Verifications, Charges
//	control.go   ControlHandler
//	teststore.go TestStore
//
// Everything else is found by its prefix:
//
//	api*.go   the REST API. api.go has the table of operations and the router, api_request.go carries a request out
//	          (serve), api_response.go has responses and errors, api_lists.go stores and pages, api_billing.go prices
//	          and rates. Each other file is a resource, named as in package agentphone; an operation is with the
//	          resource that it returns.
//	sim_*.go  how calls go: sim_call.go has a call and its state at a moment, sim_turn.go a voice turn, sim_answer.go
//	          what is heard of its answer, sim_clock.go how the server waits, sim_ends.go how it notices that calls are over.
//	hook_*.go webhooks: hook_events.go has the payloads of events, hook_delivery.go a delivery from its first attempt to
//	          its last, hook_send.go one attempt.
//	control_* the control handler: control_routes.go has its routes, control_input.go the bodies of requests,
//	          control_views.go what it shows, control_feed.go the events that are kept, control_stream.go a connection
//	          that sends them.
//
// internal/schema describes and checks fields; internal/inmemory calls a handler without a network.
//
// A request costs no more the more there is: what it returns is found by key, by binary search or in a list of its own.
// Filters of calls, searches, usage by agent and the statistics of deliveries look at everything once. load_test.go holds
// a large test of each resource, which growth_test.go measures.
//
// One mutex, Server.mu, guards all state. Functions whose comment says "The caller holds s.mu" do not lock it; it is
// never held while waiting for time, a client or a receiver. concurrency_test.go runs every operation beside every method
// of Server for the race detector: add a new one to its tables.
