package agentphonetest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestCallerSays_TimesOutAndIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		answering(t, srv, sayHm)
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		began := time.Now()
		answer, err := srv.CallerSays(id, "Hello?")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, answer.Lines, 1, "what was heard before")
		assert.Equal(t, 5*time.Second, time.Since(began))
		srv.WaitDeliveries()
		require.Len(t, srv.Deliveries(), 1)
		assert.Equal(t, 1, srv.Deliveries()[0].AttemptCount)
		assert.Equal(t, "failed", srv.Deliveries()[0].Status)
	})
}

func TestCallerSays_TransferNeedsANumber(t *testing.T) {
	srv := newServer(t)
	over := answering(t, srv, func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		return v.Transfer()
	})
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	answer, err := srv.CallerSays(id, "A human, please.")
	require.NoError(t, err)
	assert.True(t, answer.Transfer)
	assert.Empty(t, over)
	request(t, srv.Client(), "PATCH", "/v1/agents/"+srv.AgentID(), fields{"transferNumber": "+14155550001"})
	_, err = srv.CallerSays(id, "A human!")
	require.NoError(t, err)
	assert.Equal(t, "call_transfer", (<-over).DisconnectionReason)
}

func TestCallerSays_HearsKeysAndAHangupByAction(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		want              agentphonetest.VoiceAnswer
	}{
		"keys":          {"application/json", `{"digits":"12*#"}`, agentphonetest.VoiceAnswer{Digits: "12*#"}},
		"keys by lines": {"application/x-ndjson", `{"digits":"1","interim":true}` + "\n" + `{"digits":"2"}` + "\n", agentphonetest.VoiceAnswer{Digits: "12"}},
		"hangup":        {"application/json", `{"action":"hangup"}`, agentphonetest.VoiceAnswer{Hangup: true}},
		"no action":     {"application/json", `{"action":"dance"}`, agentphonetest.VoiceAnswer{}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			setWebhook(t, srv, agentphone.SetWebhookParams{})
			srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				_, _ = io.WriteString(w, c.body)
			}))
			answer, err := srv.CallerSays(srv.ReceiveCall(person, srv.PhoneNumber()), "Hello?")
			require.NoError(t, err)
			assert.Equal(t, &c.want, answer)
			assert.Equal(t, c.want.Hangup, srv.Calls()[0].Final())
		})
	}
}

func TestCallerSays_NoObjectIsSilenceAndNo2xxAnError(t *testing.T) {
	srv := newServer(t)
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	_, err := srv.CallerSays(id, "Hello?")
	require.ErrorIs(t, err, agentphonetest.ErrNoWebhook)
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	status := http.StatusOK
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `["Hello."]`)
	}))
	answer, err := srv.CallerSays(id, "Hello?")
	require.NoError(t, err)
	assert.Equal(t, `it is no JSON object: "[\"Hello.\"]"`, answer.Unreadable)
	answer.Unreadable = ""
	assert.Equal(t, &agentphonetest.VoiceAnswer{}, answer)
	status = http.StatusInternalServerError
	_, err = srv.CallerSays(id, "Hello?")
	require.ErrorContains(t, err, "500")
	assert.Len(t, srv.Deliveries(), 2)
	assert.Panics(t, func() { srv.ReceiveCall(person, "+14155550000") })
}

// Silence that the agent did not mean is told from silence that it did.
func TestCallerSays_SaysWhatOfTheAnswerCannotBeRead(t *testing.T) {
	const ndjson = "application/x-ndjson"
	for name, c := range map[string]struct {
		contentType, body string
		want              string // "" if everything can be read
		lines             int
	}{
		"nothing":                {"application/json", "", "", 0},
		"space":                  {"text/plain", " \n", "", 0},
		"an empty object":        {"", "{}", "", 0},
		"what is not known":      {"", `{"action":"dance","new":[1]}`, "", 0},
		"nulls":                  {"", `{"text":null,"digits":null}`, "", 0},
		"words":                  {"text/html", `{"text":"Hi"}`, "", 1},
		"lines":                  {ndjson, "{\"text\":\"a\"}\n\n{\"text\":\"b\"}", "", 2},
		"HTML":                   {"text/html", "<h1>Error</h1>", `it is no JSON object: invalid character '<' looking for beginning of value: "<h1>Error</h1>"`, 0},
		"null":                   {"", "null", `it is no JSON object: "null"`, 0},
		"a list":                 {"", `["Hi"]`, `it is no JSON object: "[\"Hi\"]"`, 0},
		"a string":               {"", `"Hi"`, `it is no JSON object: "\"Hi\""`, 0},
		"cut off":                {"", `{"text":"Hi`, `it is no JSON object: unexpected end of JSON input: "{\"text\":\"Hi"`, 0},
		"another type":           {"", `{"text":5}`, `it is not as the API has it: text: is number, but must be a string: "{\"text\":5}"`, 0},
		"several objects":        {"application/json", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n", `it is a JSON object with something after it; several take the Content-Type application/x-ndjson: "{\"text\":\"a\"}\n{\"text\":\"b\"}"`, 0},
		"an object and more":     {"", "{\"text\":\"a\"}\nTraceback", `it is a JSON object with something after it; several take the Content-Type application/x-ndjson: "{\"text\":\"a\"}\nTraceback"`, 0},
		"the last line":          {ndjson, "{\"text\":\"a\"}\nTraceback\n", `line 2 is no JSON object: invalid character 'T' looking for beginning of value: "Traceback"`, 1},
		"two lines":              {ndjson, "\n{\"text\":5}\n{\"text\":\"a\"}\nnull", `line 2 is not as the API has it: text: is number, but must be a string: "{\"text\":5}"`, 1},
		"names in capitals":      {"", `{"Text":"Hi","text":"Hi","Hangup":true}`, `it has "Hangup", which the API calls "hangup": "{\"Text\":\"Hi\",\"text\":\"Hi\",\"Hangup\":true}"`, 0},
		"a line with capitals":   {ndjson, "{\"text\":\"a\"}\n{\"tExt\":\"b\"}", `line 2 has "tExt", which the API calls "text": "{\"tExt\":\"b\"}"`, 1},
		"terminal codes":         {"", "\x1b[2J\u202e", `it is no JSON object: invalid character '\x1b' looking for beginning of value: "\x1b[2J\u202e"`, 0},
		"very long":              {"", strings.Repeat("x", 1000), `it is no JSON object: invalid character 'x' looking for beginning of value: "` + strings.Repeat("x", 100) + `"...`, 0},
		"without end":            {ndjson, strings.Repeat(`{"a":"`+strings.Repeat("x", 8000)+"\"}\n", 2200), "it is longer than 16 MiB", 0},
		"without end, no NDJSON": {"", `{"text":"a"}` + strings.Repeat(" ", 17<<20), "it is longer than 16 MiB", 1},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			setWebhook(t, srv, agentphone.SetWebhookParams{})
			srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				_, _ = io.WriteString(w, c.body)
			}))
			id := srv.ReceiveCall(person, srv.PhoneNumber())
			answer, err := srv.CallerSays(id, "Hello?")
			require.NoError(t, err)
			assert.Equal(t, c.want, answer.Unreadable)
			assert.Len(t, answer.Lines, c.lines)
			shown := controlled(t, srv, "POST /calls/"+id+"/turns", fields{"text": "Hello?"})
			assert.Equal(t, c.want, shown["unreadable"])
		})
	}
}

func TestCallerSays_HearsLinesAsTheyComeOverAPort(t *testing.T) {
	srv := newServer(t)
	release := make(chan struct{})
	var h http.Handler
	port := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	defer port.Close()
	set, err := srv.Client().Webhooks.SetForAgent(t.Context(), srv.AgentID(), agentphone.SetWebhookParams{URL: port.URL})
	require.NoError(t, err)
	h, _ = handler(t, set.Secret, func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
		err := v.Interim("One moment.")
		<-release
		_ = v.Say("At seven.")
		return err
	})
	id := srv.ReceiveCall(person, srv.PhoneNumber())
	go func() {
		defer close(release)
		assert.Eventually(t, func() bool { return len(srv.Calls()[0].Dialogue()) == 2 }, 10*time.Second, time.Millisecond)
	}()
	answer, err := srv.CallerSays(id, "A table, please.")
	require.NoError(t, err)
	require.Len(t, answer.Lines, 2)
	assert.True(t, answer.Lines[0].Interim)
	assert.Greater(t, answer.Lines[1].At, answer.Lines[0].At)
}

func TestCallerSays_OneTurnAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		answering(t, srv, bookTable)
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		another := srv.ReceiveCall("+14155550002", srv.PhoneNumber())
		first := make(chan error, 1)
		go func() {
			_, err := srv.CallerSays(id, "A table, please.")
			first <- err
		}()
		time.Sleep(500 * time.Millisecond)
		_, err := srv.CallerSays(id, "Hello?")
		require.ErrorIs(t, err, agentphonetest.ErrTurnUnderWay)
		_, err = srv.CallerSays(another, "Hello?")
		require.NoError(t, err, "another call's turns are its own")
		require.NoError(t, <-first)
		_, err = srv.CallerSays(id, "Hello?")
		require.NoError(t, err)
		assert.Len(t, srv.Calls()[0].Dialogue(), 6, "what was refused was not said")
		assert.Len(t, srv.Deliveries(), 3)
	})
}

func TestCallerSays_ReportsPressedKeysAndHangupsOfBothForms(t *testing.T) {
	for answer, want := range map[string]agentphonetest.VoiceAnswer{
		`{"digits":"12*#"}`:                     {Digits: "12*#"},
		`{"hangup":true}`:                       {Hangup: true},
		`{"action":"hangup"}`:                   {Hangup: true},
		`{"action":"hangup","digits":"0"}`:      {Digits: "0", Hangup: true},
		`{"action":"transfer","hangup":false}`:  {Transfer: true},
		`{"action":"something new","text":" "}`: {},
	} {
		t.Run(answer, func(t *testing.T) {
			srv := newServer(t)
			setWebhook(t, srv, agentphone.SetWebhookParams{})
			srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
			id := srv.ReceiveCall(person, srv.PhoneNumber())
			got, err := srv.CallerSays(id, "Hello?")
			require.NoError(t, err)
			got.Lines = nil
			assert.Equal(t, want, *got)
			_, err = srv.CallerSays(id, "Still there?")
			if want.Hangup {
				require.ErrorIs(t, err, agentphonetest.ErrCallOver)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// Half of a sentence may mean its opposite.
func TestCallerSays_LineThatBreaksOffIsNotHeard(t *testing.T) {
	const whole = `{"text":"One moment.","interim":true}` + "\n"
	for name, cut := range map[string]string{
		"within its text": `{"text":"I can`, "before its line feed": `{"text":"I cancel it."}`, "an object in an object": `{"text":"I cancel it.","more":{}`,
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			setWebhook(t, srv, agentphone.SetWebhookParams{})
			srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-ndjson")
				_, _ = io.WriteString(w, whole+cut)
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}))
			id := srv.ReceiveCall(person, srv.PhoneNumber())
			answer, err := srv.CallerSays(id, "Cancel it?")
			require.Error(t, err)
			require.Len(t, answer.Lines, 1)
			assert.Equal(t, "One moment.", answer.Lines[0].Text)
			assert.Len(t, srv.Calls()[0].Dialogue(), 2)
		})
	}
	srv := newServer(t)
	setWebhook(t, srv, agentphone.SetWebhookParams{})
	srv.SetReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
		_, _ = io.WriteString(w, whole+"\n[]\nnull\nno JSON\n"+`{"text":"It is done.","hangup":true}`)
	}))
	answer, err := srv.CallerSays(srv.ReceiveCall(person, srv.PhoneNumber()), "Cancel it?")
	require.NoError(t, err)
	require.Len(t, answer.Lines, 2, "a last line needs no line feed; what is no object is silence")
	assert.True(t, answer.Hangup)
}

func TestCallerSays_EndsWithTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		over := answering(t, srv, func(ctx context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, _ *agentphone.VoiceResponse) error {
			<-ctx.Done()
			return ctx.Err()
		})
		id := srv.ReceiveCall(person, srv.PhoneNumber())
		time.Sleep(time.Hour - 2*time.Second)
		began := time.Now()
		_, err := srv.CallerSays(id, "Hello?") // the receiver would have 5 s
		require.ErrorIs(t, err, agentphonetest.ErrCallOver)
		assert.Equal(t, 2*time.Second, time.Since(began))
		<-over
	})
}
