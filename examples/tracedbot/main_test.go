package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMain(m *testing.M) { apitest.TestMain(m, main) }

func TestTracedBot_PrintsATraceFromTheWebhookToTheReply(t *testing.T) {
	out, err := apitest.Program(t, nil).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, `No -addr: two replicas, people and a model in memory. Nothing is real.

The trace of the first text:
  webhook agent.message (replica 1, consumer)
    HTTP POST (replica 1, client)
      POST (model, server)
    POST /v1/messages (replica 1, client)
      POST /v1/messages (replica 1, client)
    POST /v1/messages/{message_id}/reactions (replica 1, client)
      POST /v1/messages/{message_id}/reactions (replica 1, client)

/metrics of replica 1:
  agentphone_delivery_duration_seconds_count{agentphone_channel="imessage",agentphone_event="agent.message",agentphone_outcome="handled",http_response_status_code="200"} 2
  agentphone_operation_duration_seconds_count{agentphone_operation="POST /v1/messages",agentphone_outcome="ok"} 2
  agentphone_operation_duration_seconds_count{agentphone_operation="POST /v1/messages/{message_id}/reactions",agentphone_outcome="ok"} 2

/metrics of replica 2:
  agentphone_delivery_duration_seconds_count{agentphone_channel="imessage",agentphone_event="agent.message",agentphone_outcome="handled",http_response_status_code="200"} 1
  agentphone_delivery_duration_seconds_count{agentphone_channel="voice",agentphone_event="agent.message",agentphone_outcome="handled",http_response_status_code="200"} 1
  agentphone_operation_duration_seconds_count{agentphone_operation="POST /v1/messages",agentphone_outcome="ok"} 1
  agentphone_operation_duration_seconds_count{agentphone_operation="POST /v1/messages/{message_id}/reactions",agentphone_outcome="ok"} 1
  agentphone_voice_first_words_seconds_count{} 1
`, string(out))
}

func TestTracedBot_PrintsTheTraceOfTheREADME(t *testing.T) {
	out, err := apitest.Program(t, nil).Output()
	require.NoError(t, err)
	page, err := os.ReadFile("../../otelagentphone/README.md")
	require.NoError(t, err)
	_, printed, _ := strings.Cut(string(out), "The trace of the first text:\n  ")
	printed, _, _ = strings.Cut(printed, "\n\n")
	printed = strings.ReplaceAll(regexp.MustCompile(` \(.*\)`).ReplaceAllString(printed, ""), "\n  ", "\n")
	assert.Contains(t, string(page), "```\n"+printed+"\n```")
}

func TestTracedBot_NeedsAModelAndASecret(t *testing.T) {
	for want, args := range map[string][]string{
		"-model is not set":                    {"-addr", "127.0.0.1:0"},
		"AGENTPHONE_WEBHOOK_SECRET is not set": {"-addr", "127.0.0.1:0", "-model", "http://127.0.0.1:1"},
	} {
		cmd := apitest.Program(t, nil, args...)
		out, _ := cmd.CombinedOutput()
		assert.Equal(t, 1, cmd.ProcessState.ExitCode())
		assert.Contains(t, string(out), want)
	}
}
