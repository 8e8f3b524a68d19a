package agentphonetest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func ExampleServer() {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	client := srv.Client()

	srv.NextCall(agentphonetest.CallScript{
		Turns: []agentphonetest.Utterance{
			{Role: agentphone.RoleAgent, Content: "A table for two at seven?"},
			{Role: agentphone.RoleUser, Content: "You are welcome."},
		},
		Duration: 30 * time.Millisecond,
	})
	call, err := client.Calls.CreateAndWait(context.Background(), agentphone.CreateCallParams{
		AgentID:      srv.AgentID(),
		ToNumber:     "+14155559999",
		SystemPrompt: "Book a table for two at seven.",
	}, agentphone.WaitParams{Interval: 10 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call.Status)
	for _, said := range call.Dialogue() {
		fmt.Printf("%s: %s\n", said.Role, said.Content)
	}
	// Output:
	// completed
	// agent: A table for two at seven?
	// user: You are welcome.
}

// A text whose response is lost may have been sent: the server shows that it was.
func ExampleServer_InjectFault() {
	srv := agentphonetest.NewServer()
	defer srv.Close()

	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true})
	_, err := srv.Client().Messages.Send(context.Background(), agentphone.SendMessageParams{
		AgentID: srv.AgentID(), ToNumber: "+14155559999", Body: "On my way.",
	})
	fmt.Println(err != nil, len(srv.Messages()))
	// Output: true 1
}

// A test in another language drives the server over a port.
func ExampleServer_ControlHandler() {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	mux := http.NewServeMux()
	mux.Handle("/control/", http.StripPrefix("/control", srv.ControlHandler()))
	mux.Handle("/", srv) // the API
	port := httptest.NewServer(mux)
	defer port.Close()

	text := fmt.Sprintf(`{"from": "+14155559999", "to": %q, "body": "Are you open?"}`, srv.PhoneNumber())
	resp, err := http.Post(port.URL+"/control/messages", "application/json", strings.NewReader(text))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status, srv.Messages()[0].Body)
	// Output: 200 OK Are you open?
}
