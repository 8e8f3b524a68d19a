package main

import (
	"net/http"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

const human, other = "+14155550123", "+14155550124"

func TestMain(m *testing.M) { apitest.TestMain(m, main) }

// newServer returns an API in memory that delivers its texts to the bot, and those that the bot sends.
func newServer(t *testing.T) *agentphonetest.Server {
	t.Helper()
	srv := agentphonetest.NewServer(agentphonetest.WithEchoes())
	t.Cleanup(srv.Close)
	store := agentphone.NewMemoryStore()
	bot, err := newBot(srv.Client(agentphone.WithMaxRetries(0), agentphone.WithStore(store)), store, setWebhook(t, srv))
	require.NoError(t, err)
	srv.SetReceiver(bot)
	return srv
}

// setWebhook sets a webhook and returns its secret.
func setWebhook(t *testing.T, srv *agentphonetest.Server) string {
	t.Helper()
	webhook, err := srv.Client().Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "https://smsbot.example.com/webhook"})
	require.NoError(t, err)
	return webhook.Secret
}

// text sends a text to the bot and returns all its replies to the sender so far.
func text(srv *agentphonetest.Server, from, body string) (replies []string) {
	srv.ReceiveMessage(from, srv.PhoneNumber(), body)
	srv.WaitDeliveries()
	for _, m := range srv.Messages() {
		if m.Direction == agentphone.DirectionOutbound && m.ToNumber == from {
			replies = append(replies, m.Body)
		}
	}
	return replies
}

func TestSMSBot_RemembersEachConversation(t *testing.T) {
	srv := newServer(t)
	assert.Equal(t, []string{"Hi! For how many people?"}, text(srv, human, "Can I book a table?"))
	assert.Len(t, text(srv, human, "4"), 2)
	assert.Equal(t, []string{"Hi! For how many people?"}, text(srv, other, "4"), "a conversation with somebody else")
	assert.Equal(t, []string{"Hi! For how many people?", "And at what time?", "A table for 4 at half past seven. See you!"}, text(srv, human, "half past seven"))
	assert.Equal(t, "Hi! For how many people?", text(srv, human, "And one more!")[3], "the next booking")
}

func TestSMSBot_PrintsTheScriptedConversation(t *testing.T) {
	out, err := apitest.Program(t, nil).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, `No -addr: a scripted human, in memory. Nothing is real.
human: Can I book a table?
bot:   Hi! For how many people?
human: 4
bot:   And at what time?
human: half past seven
bot:   A table for 4 at half past seven. See you!
`, string(out))
}

func TestSMSBot_RepliesOnceToARedeliveredText(t *testing.T) {
	srv := newServer(t)
	text(srv, human, "Can I book a table?")
	deliveries := srv.Deliveries()
	require.Len(t, deliveries, 2, "the text and the reply")
	for _, d := range deliveries {
		status, _, err := srv.Redeliver(d.ID, agentphonetest.Redelivery{Times: 3})
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
	}
	assert.Len(t, srv.Messages(), 2)
}

// The connection is reset after the reply was sent: a retry would send it twice.
func TestSMSBot_DoesNotResendAReplyOfUnknownOutcome(t *testing.T) {
	srv := newServer(t)
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true})
	assert.Equal(t, []string{"Hi! For how many people?"}, text(srv, human, "Can I book a table?"))
	assert.Equal(t, []string{"Hi! For how many people?", "And at what time?"}, text(srv, human, "4"), "the state of the conversation was saved")
	for _, d := range srv.Deliveries() {
		assert.Equal(t, 1, d.AttemptCount)
	}
}

func TestSMSBot_SendsAnUnsentReplyOnRedelivery(t *testing.T) {
	srv := newServer(t)
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: http.StatusTooManyRequests, Times: 2})
	assert.Equal(t, []string{"Hi! For how many people?"}, text(srv, human, "Can I book a table?"))
	assert.Equal(t, 3, srv.Deliveries()[0].AttemptCount)
}

func TestSMSBot_SavesTheStateOnRedeliveryWithoutASecondReply(t *testing.T) {
	srv := newServer(t)
	srv.InjectFault(agentphonetest.Fault{Operation: "PATCH /v1/conversations/{conversation_id}", Status: http.StatusInternalServerError})
	assert.Len(t, text(srv, human, "Can I book a table?"), 1)
	assert.Equal(t, 2, srv.Deliveries()[0].AttemptCount)
	assert.Equal(t, "And at what time?", text(srv, human, "4")[1])
}

// An error would bring the text again and again, for a state that cannot be kept.
func TestSMSBot_RepliesWithoutAConversation(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	store := agentphone.NewMemoryStore()
	bot, err := newBot(srv.Client(agentphone.WithStore(store)), store, apitest.Secret)
	require.NoError(t, err)
	event := apitest.JSON(t, map[string]any{"event": "agent.message", "channel": "sms", "agentId": srv.AgentID(), "data": map[string]any{
		"conversationId": nil, "from": human, "to": srv.PhoneNumber(), "message": "Can I book a table?", "direction": "inbound",
	}})
	assert.Equal(t, http.StatusOK, apitest.Serve(bot, apitest.SignedRequest(event, "whd_1")).Code)
	assert.Len(t, srv.Messages(), 1)
}

// start runs the example as a process on a free port, whose webhook has two secrets.
func start(t *testing.T, srv *agentphonetest.Server) (cmd *exec.Cmd, oldSecret, secret string) {
	t.Helper()
	addr := apitest.FreeAddress(t)
	set := func() string {
		webhook, err := srv.Client().Webhooks.Set(t.Context(), agentphone.SetWebhookParams{URL: "http://" + addr + "/webhook"})
		require.NoError(t, err)
		return webhook.Secret
	}
	oldSecret, secret = set(), set()
	cmd = apitest.Program(t, []string{
		"AGENTPHONE_API_KEY=" + srv.APIKey(), "AGENTPHONE_BASE_URL=" + srv.Start(), "AGENTPHONE_WEBHOOK_SECRET=" + secret + "," + oldSecret,
	}, "-addr", addr)
	apitest.StartServer(t, cmd, addr)
	return cmd, oldSecret, secret
}

func TestSMSBot_AcceptsBothSecretsUntilASignal(t *testing.T) {
	srv := agentphonetest.NewServer(agentphonetest.WithEchoes())
	defer srv.Close()
	cmd, old, secret := start(t, srv)

	assert.Len(t, text(srv, human, "Can I book a table?"), 1)
	assert.Equal(t, "And at what time?", text(srv, human, "4")[1])
	for signer, want := range map[string]int{old: 200, secret: 200, "whsec_other": 401} {
		status, _, err := srv.Redeliver("", agentphonetest.Redelivery{Secret: signer})
		require.NoError(t, err)
		assert.Equal(t, want, status)
	}
	assert.Len(t, srv.Messages(), 4)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, cmd.Wait())
}

// The sender has given up, and the process is told to stop: the reply is sent once nevertheless.
func TestSMSBot_FinishesItsReplyAfterCtrlC(t *testing.T) {
	srv := agentphonetest.NewServer(agentphonetest.WithDeliveryTimeout(100*time.Millisecond), agentphonetest.WithDeliveryPauses())
	defer srv.Close()
	cmd, _, _ := start(t, srv)
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: http.StatusTooManyRequests, Delay: time.Second})
	srv.ReceiveMessage(human, srv.PhoneNumber(), "Can I book a table?")
	assert.Equal(t, "failed", srv.Deliveries()[0].Status)
	assert.Len(t, srv.Messages(), 1, "it is not sent yet")
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, cmd.Wait())
	assert.Len(t, srv.Messages(), 2)
}
