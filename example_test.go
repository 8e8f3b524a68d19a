package agentphone_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// The examples use the API in memory. With an account, create the client with
// agentphone.NewClientFromEnv() instead.

func Example() {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	os.Setenv("AGENTPHONE_API_KEY", srv.APIKey())
	os.Setenv("AGENTPHONE_BASE_URL", srv.Start())
	defer os.Unsetenv("AGENTPHONE_API_KEY")
	defer os.Unsetenv("AGENTPHONE_BASE_URL")
	srv.NextCall(agentphonetest.CallScript{Duration: 10 * time.Millisecond, Turns: []agentphonetest.Utterance{
		{Role: agentphone.RoleAgent, Content: "Hello, do you have a table for two at seven?"},
		{Role: agentphone.RoleUser, Content: "We do. What is the name?"},
	}})
	agentID := srv.AgentID()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	client, err := agentphone.NewClientFromEnv() // AGENTPHONE_API_KEY
	if err != nil {
		log.Fatal(err)
	}
	call, err := client.Calls.CreateAndWait(ctx, agentphone.CreateCallParams{
		AgentID:      agentID,
		ToNumber:     "+14155550123",
		SystemPrompt: "Book a table for two at seven, for Ada.",
	}, agentphone.WaitParams{TranscriptGrace: 10 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	for _, said := range call.Dialogue() {
		fmt.Printf("%s: %s\n", said.Role, said.Content)
	}
	// Output:
	// agent: Hello, do you have a table for two at seven?
	// user: We do. What is the name?
}

func ExampleSignupService() {
	ctx := context.Background()
	srv := agentphonetest.NewServer()
	defer srv.Close()
	defer func(network http.RoundTripper) { http.DefaultTransport = network }(http.DefaultTransport)
	http.DefaultTransport = srv.Transport()
	codeFromEmail := srv.OTP

	client, err := agentphone.NewClient("") // signing up needs no key
	if err != nil {
		log.Fatal(err)
	}
	signup, err := client.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "you@example.com"})
	if errors.Is(err, agentphone.ErrAccountExists) {
		log.Fatal("you have an account: create a key in the dashboard")
	} else if err != nil {
		log.Fatal(err)
	}
	code := codeFromEmail(signup.VerificationID) // six digits, which the human reads to you
	account, err := client.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: signup.VerificationID, OTPCode: code})
	if err != nil {
		log.Fatal(err)
	}
	store(account.APIKey) // it is given this once
	fmt.Println(len(account.APIKey) > 0, account.AgentID != "", account.NumberID != "", account.PhoneNumber != "")
	// Output: true true true true
}

// store stands for wherever you keep secrets.
func store(string) {}

func ExampleMessagesService_Send() {
	srv := agentphonetest.NewServer()
	defer srv.Close()

	sendText(context.Background(), srv.Client(), srv.AgentID(), srv.NumberID())
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true}) // the response is lost
	sendText(context.Background(), srv.Client(), srv.AgentID(), srv.NumberID())
	fmt.Println("sent:", len(srv.Messages()))
	// Output:
	// sms to +14155550123
	// it may have been sent; the number's last messages:
	// outbound +14155550123 Your table is booked.
	// outbound +14155550123 Your table is booked.
	// sent: 2
}

func sendText(ctx context.Context, client *agentphone.Client, agentID, numberID string) {
	message, err := client.Messages.Send(ctx, agentphone.SendMessageParams{
		AgentID:  agentID,
		NumberID: numberID, // which of the agent's numbers sends it
		ToNumber: "+14155550123",
		Body:     "Your table is booked.",
	})
	switch {
	case errors.Is(err, agentphone.ErrOutcomeUnknown): // check before you send it again
		fmt.Println("it may have been sent; the number's last messages:")
		last, err := client.Numbers.ListMessages(ctx, numberID, agentphone.ListMessagesParams{Limit: 10})
		if err != nil {
			log.Fatal(err)
		}
		for _, m := range last.Data {
			fmt.Println(m.Direction, m.To, m.Body)
		}
	case err != nil:
		log.Fatal(err) // it was not sent
	default:
		fmt.Println(message.Channel, "to", message.ToNumber)
	}
}

func ExampleAPIError() {
	ctx := context.Background()
	srv := agentphonetest.NewServer()
	defer srv.Close()
	client := srv.Client()

	_, err := client.Agents.Get(ctx, "agt_gone")
	var apiErr *agentphone.APIError
	switch {
	case errors.Is(err, agentphone.ErrNotFound):
		fmt.Println("there is no such agent")
	case errors.Is(err, agentphone.ErrRateLimited) && errors.As(err, &apiErr):
		fmt.Println("nothing happened; try again in", apiErr.RetryAfter)
	case err != nil:
		log.Fatal(err)
	}
	// Output: there is no such agent
}

func ExampleCallsService_All() {
	ctx := context.Background()
	srv := agentphonetest.NewServer()
	defer srv.Close()
	client := srv.Client()
	for _, to := range []string{"+14155550123", "+14155550124"} {
		if _, err := client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: to, SystemPrompt: "Say hi."}); err != nil {
			log.Fatal(err)
		}
	}

	for call, err := range client.Calls.All(ctx, agentphone.ListCallsParams{Direction: agentphone.DirectionOutbound}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(call.ToNumber, call.Status)
	}
	// Output:
	// +14155550124 in-progress
	// +14155550123 in-progress
}

func ExampleCallsService_StreamTranscript() {
	ctx := context.Background()
	srv := agentphonetest.NewServer()
	defer srv.Close()
	client := srv.Client()
	srv.NextCall(agentphonetest.CallScript{Duration: 10 * time.Millisecond, Turns: []agentphonetest.Utterance{
		{Role: agentphone.RoleAgent, Content: "Hello, is this Ada?"},
		{Role: agentphone.RoleUser, Content: "It is."},
	}})
	call, err := client.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "Say hi."})
	if err != nil {
		log.Fatal(err)
	}

	for event, err := range client.Calls.StreamTranscript(ctx, call.ID) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Type == agentphone.TranscriptEventTurn {
			fmt.Printf("%s: %s\n", event.Turn.Role, event.Turn.Content)
		}
	}
	// Output:
	// agent: Hello, is this Ada?
	// user: It is.
}

func ExampleOptional() {
	ctx := context.Background()
	srv := agentphonetest.NewServer()
	defer srv.Close()
	client, agentID := srv.Client(), srv.AgentID()

	agent, err := client.Agents.Update(ctx, agentID, agentphone.UpdateAgentParams{
		SystemPrompt: agentphone.Value("Be brief."), // set
		BeginMessage: agentphone.Null[string](),     // clear
	}) // all else is left alone
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q %q\n", agent.SystemPrompt, agent.BeginMessage)
	// Output: "Be brief." ""
}

func ExampleWithResponse() {
	ctx := context.Background()
	srv := agentphonetest.NewServer()
	defer srv.Close()
	client := srv.Client()
	srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/usage", Status: 429})

	var response agentphone.Response
	_, err := client.Usage.Get(ctx, agentphone.WithResponse(&response), agentphone.WithRequestTimeout(5*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Status, response.Attempts)
	// Output: 200 2
}

// Declare an interface with the methods you call where you call them: your tests can then replace the client.
func ExampleCallsService_Create_interface() {
	type caller interface {
		Create(context.Context, agentphone.CreateCallParams, ...agentphone.RequestOption) (*agentphone.Call, error)
	}
	greet := func(ctx context.Context, c caller, agentID, to string) error {
		_, err := c.Create(ctx, agentphone.CreateCallParams{AgentID: agentID, ToNumber: to, SystemPrompt: "Say hi."})
		return err
	}

	srv := agentphonetest.NewServer()
	defer srv.Close()
	fmt.Println(greet(context.Background(), srv.Client().Calls, srv.AgentID(), "+14155550123"), len(srv.Calls()))
	// Output: <nil> 1
}

func ExampleVerifyWebhook() {
	secret := "whsec_..." // Webhook.Secret
	body := []byte(`{"event":"agent.message"}`)
	header := agentphone.SignWebhook(body, secret, time.Now()) // in a server: r.Header

	fmt.Println(agentphone.VerifyWebhook(body, header, secret))
	fmt.Println(agentphone.VerifyWebhook([]byte(`{"event":"forged"}`), header, secret))
	// Output:
	// <nil>
	// agentphone: the webhook request's signature is wrong
}

// A bot that replies to texts.
func ExampleNewWebhookHandler() {
	ctx := context.Background()
	srv := agentphonetest.NewServer(agentphonetest.WithEchoes()) // as the API: what the agent sends is an event too
	defer srv.Close()
	client := srv.Client()
	mux := http.NewServeMux()
	srv.SetReceiver(mux)

	webhook, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://you.example.com/webhook"})
	if err != nil {
		log.Fatal(err)
	}
	secret := webhook.Secret
	handler, err := agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{
		OnMessage: func(ctx context.Context, event *agentphone.Event, message *agentphone.MessageData) error {
			_, err := client.Messages.Send(ctx, agentphone.SendMessageParams{
				AgentID: event.AgentID, NumberID: message.NumberID, ToNumber: message.From, Body: "You said: " + message.Message,
			}, agentphone.WithIdempotencyKey(event.DeliveryID))
			return err // after an error the event is delivered again, and the reply sent once all the same
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux.Handle("/webhook", handler)

	srv.ReceiveMessage("+14155550123", srv.PhoneNumber(), "Hello?")
	srv.WaitDeliveries()
	for _, message := range srv.Messages() {
		fmt.Printf("%s: %s\n", message.Direction, message.Body)
	}
	// Output:
	// inbound: Hello?
	// outbound: You said: Hello?
}

func think(ctx context.Context, message string) (string, error) { // a language model that takes longer than AgentPhone waits
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return "I thought about " + message, nil
	}
}

// written are replies by what they reply to. A program of yours has a table.
type written map[string]string

// once returns what was written before, or writes it: a model chooses other words each time, and a redelivery has to send the same.
func (w written) once(id string, write func() (string, error)) (string, error) {
	if text, ok := w[id]; ok {
		return text, nil
	}
	text, err := write()
	if err == nil {
		w[id] = text
	}
	return text, err
}

// A bot whose model is slow: its reply is sent once, although AgentPhone gives up waiting and delivers the text again.
func ExampleWebhookHandler() {
	ctx := context.Background()
	srv := agentphonetest.NewServer(agentphonetest.WithEchoes(), agentphonetest.WithDeliveryTimeout(20*time.Millisecond))
	defer srv.Close()
	client := srv.Client()
	webhook, err := client.Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://you.example.com/webhook"})
	if err != nil {
		log.Fatal(err)
	}

	replies := written{}
	reply := func(ctx context.Context, event *agentphone.Event, message *agentphone.MessageData) error {
		text, err := replies.once(event.DeliveryID, func() (string, error) {
			return think(ctx, message.Message) // ctx does not end when AgentPhone stops waiting
		})
		if err != nil {
			return err
		}
		_, err = client.Messages.Send(ctx, agentphone.SendMessageParams{
			AgentID: event.AgentID, NumberID: message.NumberID, ToNumber: message.From, Body: text,
		}, agentphone.WithIdempotencyKey(event.DeliveryID))
		return err
	}
	handler, err := agentphone.NewWebhookHandler([]string{webhook.Secret}, agentphone.WebhookHandlerConfig{OnMessage: reply})
	if err != nil {
		log.Fatal(err)
	}
	srv.SetReceiver(handler)
	srv.ReceiveMessage("+14155550123", srv.PhoneNumber(), "life")
	srv.WaitDeliveries()
	if err := handler.Shutdown(ctx); err != nil { // waits for replies
		log.Fatal(err)
	}
	for _, message := range srv.Messages() {
		fmt.Printf("%s: %s\n", message.Direction, message.Body)
	}
	// Output:
	// inbound: life
	// outbound: I thought about life
}

// A server that finishes what it has begun before it stops.
func ExampleWebhookHandler_Shutdown() {
	handler, err := agentphone.NewWebhookHandler([]string{"whsec_..."}, agentphone.WebhookHandlerConfig{OnVoiceTurn: answerTurn})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:0", Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.ListenAndServe() }()

	// Later, on a signal:
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err = errors.Join(handler.Shutdown(ctx), server.Shutdown(ctx))
	fmt.Println(err)
	// Output: <nil>
}

// Many tenants, each with a webhook and secrets of its own.
func ExampleWebhookHandlerConfig() {
	secretsOf := map[string][]string{"ada": {"whsec_new", "whsec_old"}} // a database, say
	handler, err := agentphone.NewWebhookHandler(nil, agentphone.WebhookHandlerConfig{
		OnVoiceTurn: answerTurn,
		SecretsFunc: func(r *http.Request) ([]string, error) {
			return secretsOf[r.PathValue("tenant")], nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /webhook/{tenant}", handler)

	body := `{"event":"agent.message","channel":"voice","data":{"callId":"call_1","transcript":"Bye."}}`
	for _, secret := range []string{"whsec_old", "whsec_of_somebody_else"} {
		r := httptest.NewRequest("POST", "/webhook/ada", strings.NewReader(body))
		r.Header = agentphone.SignWebhook([]byte(body), secret, time.Now())
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 401
}

func lookUp(context.Context, string) string { return "Your table is booked for seven." }

func answerTurn(ctx context.Context, _ *agentphone.Event, turn *agentphone.VoiceTurnData, voice *agentphone.VoiceResponse) error {
	if strings.Contains(turn.Transcript, "bye") {
		return errors.Join(voice.Say("Goodbye!"), voice.Hangup())
	}
	if err := voice.Interim("One moment, I'll look that up."); err != nil { // spoken at once
		return err
	}
	return voice.Say(lookUp(ctx, turn.Transcript))
}

// A voice agent: what a caller says comes in as a request, and what the callback says is spoken.
func ExampleVoiceResponse() {
	secret := "whsec_..." // Webhook.Secret
	handler, err := agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{OnVoiceTurn: answerTurn})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/webhook", handler)

	for i, said := range []string{"When is my table booked?", "Thanks, bye."} {
		body := fmt.Sprintf(`{"event":"agent.message","channel":"voice","data":{"callId":"call_1","transcript":%q}}`, said)
		r := httptest.NewRequest("POST", "/webhook", strings.NewReader(body))
		r.Header = agentphone.SignWebhook([]byte(body), secret, time.Now())
		r.Header.Set(agentphone.WebhookIDHeader, fmt.Sprint("delivery_", i))
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Print(w.Body)
	}
	// Output:
	// {"text":"One moment, I'll look that up.","interim":true}
	// {"text":"Your table is booked for seven."}
	// {"text":"Goodbye!","hangup":true}
}

// reply stands for a language model that streams its answer and calls a tool in the middle of it.
func reply(ctx context.Context, question string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, token := range []string{"Let", " me", " look", " that", " up."} {
			if !yield(token, nil) {
				return // the caller is gone
			}
		}
		status, err := orderStatus(ctx, question) // what came before is spoken meanwhile
		if err != nil {
			yield("I cannot find it just now. Please try again later.", nil)
			return
		}
		yield(status, nil)
	}
}

func converse(ctx context.Context, _ *agentphone.Event, turn *agentphone.VoiceTurnData, voice *agentphone.VoiceResponse) error {
	return voice.Stream(reply(ctx, turn.Transcript))
}

// orderStatus stands for a slow database.
func orderStatus(ctx context.Context, _ string) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(300 * time.Millisecond):
		return "Your order left St. Louis at 5 p.m. today. Anything else?", nil
	}
}

// A voice agent with a language model and a tool: no sentence waits for what comes after it.
func ExampleVoiceResponse_Stream() {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	webhook, err := srv.Client().Webhooks.Set(context.Background(), agentphone.SetWebhookParams{URL: "https://agent.example.com/webhook"})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := agentphone.NewWebhookHandler([]string{webhook.Secret}, agentphone.WebhookHandlerConfig{OnVoiceTurn: converse})
	if err != nil {
		log.Fatal(err)
	}
	srv.SetReceiver(handler)

	callID := srv.ReceiveCall("+14155550123", srv.PhoneNumber())
	answer, err := srv.CallerSays(callID, "Where is my order?")
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range answer.Lines {
		fmt.Println(line.Text)
	}
	// Output:
	// Let me look that up.
	// Your order left St. Louis at 5 p.m. today.
	// Anything else?
}

// A test of code that texts: the response is lost, and still only one text was sent.
func Example_testing() {
	remind := func(client *agentphone.Client, agentID string) error {
		_, err := client.Messages.Send(context.Background(), agentphone.SendMessageParams{
			AgentID: agentID, ToNumber: "+14155550123", Body: "See you at seven.",
		})
		return err
	}

	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true}) // it is sent, the response is lost
	err := remind(srv.Client(), srv.AgentID())                                         // your code
	fmt.Println(errors.Is(err, agentphone.ErrOutcomeUnknown), len(srv.Messages()))
	// Output: true 1
}

// The API has SIP trunks, but has not published what they look like, so the package has no methods for them.
func ExampleClient_Do() {
	ctx := context.Background()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL)
		fmt.Fprint(w, `{"data":[{"id":"trk_1","name":"office"}]}`)
	}))
	defer srv.Close()
	client, err := agentphone.NewClient("sk_live_example", agentphone.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	var trunks struct {
		Data []map[string]any `json:"data"`
	}
	err = client.Do(ctx, http.MethodGet, "/v1/sip-trunks", nil, &trunks, agentphone.WithRequestQuery("limit", "10"))
	if err != nil {
		log.Fatal(err)
	}
	for _, trunk := range trunks.Data {
		fmt.Println(trunk["id"], trunk["name"])
	}
	// Output:
	// GET /v1/sip-trunks?limit=10
	// trk_1 office
}

func ExampleNormalizeE164() {
	number, err := agentphone.NormalizeE164("(415) 555-0123", "1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(number, number.Redacted())
	// Output: +14155550123 +1415***0123
}

// placeOnce places a call. If the outcome is unknown it finds the call, and does not place it again.
func placeOnce(ctx context.Context, client *agentphone.Client, params agentphone.CreateCallParams) (*agentphone.Call, error) {
	began := time.Now()
	call, err := client.Calls.Create(ctx, params)
	if !errors.Is(err, agentphone.ErrOutcomeUnknown) {
		return call, err
	}
	// The phone may be ringing, or have rung.
	placed, findErr := client.Calls.FindPlaced(ctx, params, began)
	if len(placed) == 0 {
		return nil, errors.Join(err, findErr) // not listed, or after a timeout not yet
	}
	return &placed[0], nil
}

// The response to a placed call is lost: the call is found, not placed again.
func ExampleErrOutcomeUnknown() {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/calls", Reset: true})

	call, err := placeOnce(context.Background(), srv.Client(), agentphone.CreateCallParams{
		AgentID: srv.AgentID(), ToNumber: "+14155550123", SystemPrompt: "Say hello.",
	})
	fmt.Println(call.ToNumber, err, "calls placed:", len(srv.Calls()))
	// Output: +14155550123 <nil> calls placed: 1
}

// However often it runs, the text is sent once.
func ExampleWithIdempotencyKey() {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	client, ctx, agentID := srv.Client(), context.Background(), srv.AgentID()
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true}) // the first response is lost

	for range 3 {
		message, err := client.Messages.Send(ctx, agentphone.SendMessageParams{
			AgentID: agentID, ToNumber: "+14155550123", Body: "Your table is booked.",
		}, agentphone.WithIdempotencyKey("reminder-2026-11-25-ada"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(message.ToNumber)
	}
	fmt.Println("texts sent:", len(srv.Messages()))
	// Output:
	// +14155550123
	// +14155550123
	// +14155550123
	// texts sent: 1
}

func ExampleHooks() {
	hooks := agentphone.Hooks{
		Operation: func(ctx context.Context, op agentphone.OperationInfo) (context.Context, func(agentphone.OperationResult)) {
			return ctx, func(result agentphone.OperationResult) {
				fmt.Println(op, result.Outcome, result.Status, result.Attempts) // or count it
			}
		},
		Delivery: func(ctx context.Context, delivery agentphone.DeliveryInfo) (context.Context, func(agentphone.DeliveryResult)) {
			return ctx, func(result agentphone.DeliveryResult) {
				fmt.Println(delivery.Event, delivery.Channel, result.Outcome, result.Status)
			}
		},
	}

	srv := agentphonetest.NewServer()
	defer srv.Close()
	client := srv.Client(agentphone.WithHooks(hooks), agentphone.WithRetryWait(0, 0))
	webhook, err := srv.Client().Webhooks.Set(context.Background(), agentphone.SetWebhookParams{URL: "https://you.example.com/webhook"})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := agentphone.NewWebhookHandler([]string{webhook.Secret}, agentphone.WebhookHandlerConfig{
		Hooks: hooks,
		OnMessage: func(ctx context.Context, event *agentphone.Event, message *agentphone.MessageData) error {
			_, err := client.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: event.AgentID, ToNumber: message.From, Body: "Hello."})
			return err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	srv.SetReceiver(handler)
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: http.StatusTooManyRequests})
	srv.ReceiveMessage("+14155550123", srv.PhoneNumber(), "Hi!")
	_, _ = client.Calls.Get(context.Background(), "call_gone")
	// Output:
	// POST /v1/messages ok 200 2
	// agent.message sms handled 200
	// GET /v1/calls/{call_id} refused 404 1
}

// roundTripFunc is a RoundTripper that calls itself.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func ExampleWithRoundTripper() {
	record := func(next http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if op, ok := agentphone.OperationFromContext(r.Context()); ok && err == nil {
				fmt.Println(op.Service, op.Method, response.StatusCode)
			}
			return response, err
		})
	}

	srv := agentphonetest.NewServer()
	defer srv.Close()
	client := srv.Client(agentphone.WithRoundTripper(record))
	if _, err := client.Agents.Get(context.Background(), srv.AgentID()); err != nil {
		log.Fatal(err)
	}
	// Output: Agents Get 200
}

func ExampleCall_LogValue() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	call := &agentphone.Call{ID: "call_1", Status: agentphone.CallStatusRinging, ToNumber: "+14155550123", LastTranscriptSnippet: "My name is Ada."}
	logger.Info("placed", "call", call)
	// Output: level=INFO msg=placed call.id=call_1 call.status=ringing call.to=+1415***0123
}
