// Package agentphonetest is the AgentPhone API in memory, for tests. It keeps state, checks
// its input as the API does, and answers with the API's own shapes.
//
//	srv := agentphonetest.NewServer()
//	defer srv.Close()
//	client := srv.Client()
//
//	srv.NextCall(agentphonetest.CallScript{Turns: []agentphonetest.Turn{
//		{Role: agentphone.RoleAgent, Content: "Hello, a table for two?"},
//		{Role: agentphone.RoleUser, Content: "At seven, yes."},
//	}})
//	call, err := client.Calls.CreateAndWait(ctx, params, agentphone.WaitParams{})
//
// A new server has one account, as after a sign-up: its key is [Server.APIKey], its agent
// [Server.AgentID], its number [Server.PhoneNumber]. [Server.Client] is a client for it that
// uses no network. [Server.Start] opens a port on the loopback interface for all else.
//
// Calls follow a script ([Server.NextCall]). Messages come in by [Server.ReceiveMessage]. What
// goes wrong on a network does so on demand ([Server.InjectFault]). What took effect is in
// [Server.Calls] and [Server.Messages], what was asked for in [Server.Requests].
//
// # Webhooks
//
// Set a webhook with the client, and events are delivered to it: signed, and again with pauses
// ([WithDeliveryPauses]) until they are answered with 2xx. [Server.ReceiveMessage], [Server.ReceiveReaction] and
// [Server.EndCall] cause them. [Server.ReceiveCall] begins a call in which [Server.CallerSays] says something
// and returns what the agent answered. [Server.SetReceiver] puts a handler in memory in the place of the network,
// [Server.Deliveries] tells what came of each event, [Server.WaitDeliveries] waits for attempts in the background,
// and [Server.Redeliver] sends forged, stale and doubled ones. An event without a webhook is not sent.
//
// # What is made up
//
// Where the API asks the world, the server has a rule. A phone whose number ends in an even digit
// has iMessage ([Server.ReceiveMessage] comes by SMS all the same, unless the conversation is on
// iMessage). A phone shares its location once [Server.SetLocation] says where it is. A call has a
// recording if it is completed. A registration stays pending. Voices are a few of hundreds. Ids, keys
// and codes look like the API's but are the same in each run.
//
// # Time
//
// The server runs no timers of its own but for deliveries: how far a call is follows from the time since it
// was placed. So it works in a bubble of testing/synctest, where calls of minutes end at once. Make
// the server inside the bubble and use [Server.Client] or [Server.Transport] there: a real port
// stops the bubble's clock.
package agentphonetest
