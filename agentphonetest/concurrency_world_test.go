package agentphonetest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// world is a server that has something of everything, and the ids of it.
type world struct {
	srv          *agentphonetest.Server
	verification string // of a sign-up
	code         string // the id of a verification of a phone
	call         string // in progress
	ringing      string // a call that rings, in newControlWorld
	pastCall     string
	group        string // on iMessage
	conversation string // of the group
	message      string // to the group
	contact      string
	subAccount   string
}

func newWorld(t *testing.T) *world {
	srv := newServer(t, agentphonetest.WithDeliveryPauses(0), agentphonetest.WithEchoes(), agentphonetest.WithRateLimits())
	c, ctx := srv.Client(), t.Context()
	w := &world{srv: srv}
	srv.SetReceiver(takeEverySecond())
	hook := agentphone.SetWebhookParams{URL: "https://receiver.example.com/"}
	must(c.Webhooks.Set(ctx, hook))
	must(c.Webhooks.SetForAgent(ctx, srv.AgentID(), hook))
	sent := must(c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), Recipients: []string{person, people(1)}, Body: "Hello."}))
	w.group, w.conversation, w.message = sent.ToNumber, sent.ConversationID, sent.ID
	srv.NextCall(agentphonetest.CallScript{Duration: 1})
	w.pastCall = must(c.Calls.Create(ctx, agentphone.CreateCallParams{AgentID: srv.AgentID(), ToNumber: person})).ID
	w.call = srv.ReceiveCall(person, srv.PhoneNumber())
	must(srv.CallerSays(w.call, "Hello."))
	w.contact = must(c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: people(2), Name: "Ada"})).ID
	must(c.ContactCards.Set(ctx, srv.NumberID(), agentphone.SetContactCardParams{FirstName: "Ada"}))
	w.subAccount = must(c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "Ada"})).ID
	w.verification = must(c.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "ada@example.com"})).VerificationID
	w.code = textCode(ctx, c, person)
	return w
}

// textCode has a code texted to a phone and returns the id of the verification.
func textCode(ctx context.Context, c *agentphone.Client, phone string) string {
	var sent struct {
		ID string `json:"verification_id"`
	}
	must(0, c.Do(ctx, http.MethodPost, "/v1/verify/send", fields{"phone_number": phone}, &sent))
	return sent.ID
}

// takeEverySecond answers voice turns in two steps, and takes every second other event, so that some are retried.
func takeEverySecond() http.HandlerFunc {
	var received atomic.Int64
	return func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !bytes.Contains(body, []byte(`"channel":"voice"`)) && received.Add(1)%2 == 1 {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		rw.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(rw, `{"text":"One moment.","interim":true}`+"\n")
		_ = http.NewResponseController(rw).Flush()
		_, _ = io.WriteString(rw, `{"text":"Yes."}`)
	}
}

var pathParameter = regexp.MustCompile(`{[a-z_]+}`)

// operate sends a valid request for an operation, with what the world has. It reads the response to its end and returns
// its status, or 0 if there is none.
func (w *world) operate(ctx context.Context, name string) int {
	method, template, _ := strings.Cut(name, " ")
	call := w.call
	if strings.HasSuffix(template, "/recording") {
		call = w.pastCall
	}
	path := pathParameter.ReplaceAllStringFunc(template, func(parameter string) string {
		return map[string]string{
			"{agent_id}": w.srv.AgentID(), "{number_id}": w.srv.NumberID(), "{call_id}": call,
			"{conversation_id}": w.conversation, "{message_id}": w.message, "{contact_id}": w.contact,
			"{sub_account_id}": w.subAccount, "{phone_number}": person,
		}[parameter]
	})
	if query := queries[name]; query != "" {
		path += "?" + query
	}
	var body io.Reader
	if fill := bodies[name]; fill != nil {
		body = strings.NewReader(fill(w))
	}
	req := must(http.NewRequestWithContext(ctx, method, agentphone.DefaultBaseURL+path, body))
	req.Header.Set("Authorization", "Bearer "+w.srv.APIKey())
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.srv.Transport().RoundTrip(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	resp.Header.Set("X-Seen", "1")
	return resp.StatusCode
}

// queries are those of operations that need one, or that wait with it.
var queries = map[string]string{
	"GET /v1/calls/{call_id}":       "wait=true&timeout=10",
	"GET /v1/calls":                 "search=hello",
	"GET /v1/contacts":              "search=ada",
	"GET /v1/contacts/capabilities": "phone_number=%2B14155559999",
	"GET /v1/numbers/lookup":        "phoneNumbers=%2B14155559999,%2B14155550100",
	"GET /v1/usage/by-agent":        "period=year",
}

// bodies are those of operations that need one.
var bodies = map[string]func(w *world) string{
	"POST /v0/agent/sign-up": func(*world) string { return `{"human_email":"grace@example.com"}` },
	"POST /v0/agent/verify": func(w *world) string {
		return fmt.Sprintf(`{"verification_id":%q,"otp_code":%q}`, w.verification, w.srv.OTP(w.verification))
	},
	"POST /v1/verify/send": func(*world) string { return `{"phone_number":"+14155550188"}` },
	"POST /v1/verify/check": func(w *world) string {
		return fmt.Sprintf(`{"verification_id":%q,"code":%q}`, w.code, w.srv.VerificationCode(w.code))
	},
	"POST /v1/agents":             func(*world) string { return `{"name":"Grace","customTools":null}` },
	"PATCH /v1/agents/{agent_id}": func(*world) string { return `{"name":"Grace","transferNumber":"+14155550199"}` },
	"POST /v1/agents/{agent_id}/numbers": func(w *world) string {
		return fmt.Sprintf(`{"numberId":%q}`, w.srv.NumberID())
	},
	"POST /v1/agents/{agent_id}/webhook": func(*world) string { return `{"url":"https://receiver.example.com/agent"}` },
	"POST /v1/webhooks":                  func(*world) string { return `{"url":"https://receiver.example.com/account"}` },
	"POST /v1/calls": func(w *world) string {
		return fmt.Sprintf(`{"agentId":%q,"toNumber":%q}`, w.srv.AgentID(), person)
	},
	"POST /v1/calls/web": func(w *world) string { return fmt.Sprintf(`{"agentId":%q}`, w.srv.AgentID()) },
	"POST /v1/messages": func(w *world) string {
		return fmt.Sprintf(`{"to_number":%q,"body":"Hello.","reply_to_message_id":%q}`, w.group, w.message)
	},
	"POST /v1/messages/{message_id}/reactions": func(*world) string { return `{"reaction":"love"}` },
	"PATCH /v1/conversations/{conversation_id}": func(*world) string {
		return `{"metadata":{"order":{"id":1}},"group_name":"Friends"}`
	},
	"POST /v1/conversations/{conversation_id}/background": func(*world) string {
		return `{"image_url":"https://example.com/b.png"}`
	},
	"POST /v1/contacts":               func(*world) string { return `{"phoneNumber":"+14155550177","name":"Grace"}` },
	"PATCH /v1/contacts/{contact_id}": func(*world) string { return `{"phoneNumber":"+14155559999","notes":"Tea."}` },
	"POST /v1/numbers": func(w *world) string {
		return fmt.Sprintf(`{"country":"US","agentId":%q}`, w.srv.AgentID())
	},
	"PUT /v1/numbers/{number_id}/contact-card": func(*world) string { return `{"firstName":"Grace"}` },
	"POST /v1/sub-accounts":                    func(*world) string { return `{"name":"Grace"}` },
	"PATCH /v1/sub-accounts/{sub_account_id}":  func(*world) string { return `{"name":"Grace"}` },
	"POST /v1/register": func(*world) string {
		return `{"registration_type":"sole_proprietor","first_name":"Ada","last_name":"L","email":"ada@example.com",
			"phone_number":"+14155550199","street_address":"1 Main St","city":"Oakland","state":"CA","zip_code":"94601",
			"description":"Reminders of tables that people have booked with us by phone.","use_cases":["customer_care"],
			"message_samples":["Your table is ready, Ada.","Your table is booked for seven."],
			"consent_flow":"People tick a box on our site and then confirm by text.","opt_in_image_url":"https://example.com/o.png"}`
	},
}
