package agentphonetest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestAgents_CreateKeepsWhatIsGiven(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	tools := []agentphone.CustomTool{{
		Name: "book", Description: "Books a table.", URL: "https://example.com/book", Method: "POST",
		Headers: map[string]string{"X": "y"}, Parameters: map[string]any{"type": "object"}, TimeoutMs: 1500,
	}}
	made, err := client.Agents.Create(ctx, agentphone.CreateAgentParams{
		Name: "Caller", VoiceMode: agentphone.VoiceModeHosted, SystemPrompt: "Call.", TransferNumber: person,
		CustomTools: tools, EnableMessaging: agentphone.Ptr(false), Language: agentphone.LanguageDeDE, VoiceSpeed: 1.25,
	})
	require.NoError(t, err)
	assert.Equal(t, tools, made.CustomTools)
	assert.False(t, made.EnableMessaging)
	assert.Equal(t, agentphone.LanguageDeDE, made.Language)
	assert.Equal(t, agentphone.ModelTierBalanced, made.ModelTier)
	assert.Equal(t, agentphone.DefaultVoice, made.Voice)
	assert.Empty(t, made.Numbers)
	got, err := client.Agents.Get(ctx, made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, got)
}

func TestAgents_VoiceModeDefaultsToWebhook(t *testing.T) {
	made, err := newServer(t).Client().Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "a"})
	require.NoError(t, err)
	assert.Equal(t, agentphone.VoiceModeWebhook, made.VoiceMode)
	assert.Empty(t, made.SystemPrompt)
}

func TestAgents_UpdateChangesWhatIsSetAndNullClears(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	before, err := client.Agents.Update(ctx, srv.AgentID(), agentphone.UpdateAgentParams{
		Voice: agentphone.Value("11labs-Marissa"), TransferNumber: agentphone.Value(person), BeginMessage: agentphone.Value("Hi."),
	})
	require.NoError(t, err)
	assert.Equal(t, "11labs-Marissa", before.Voice)
	after, err := client.Agents.Update(ctx, srv.AgentID(), agentphone.UpdateAgentParams{
		Voice: agentphone.Null[string](), TransferNumber: agentphone.Null[string](), Name: agentphone.Null[string](), EnableMessaging: agentphone.Null[bool](),
	})
	require.NoError(t, err)
	assert.Equal(t, agentphone.DefaultVoice, after.Voice)
	assert.Empty(t, after.TransferNumber)
	assert.Equal(t, "Hi.", after.BeginMessage)
	assert.Equal(t, before.Name, after.Name)
	assert.True(t, after.EnableMessaging)
	_, err = client.Agents.Update(ctx, "agt_none", agentphone.UpdateAgentParams{})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}

func TestAgents_EmptyTextRemovesTheTransferNumberAndTheVoicemailMessage(t *testing.T) {
	srv := newServer(t)
	client, path := srv.Client(), "/v1/agents/"+srv.AgentID()
	for name, value := range map[string]string{"transferNumber": person, "voicemailMessage": strings.Repeat("v", 1000)} {
		assert.Equal(t, value, request(t, client, "PATCH", path, fields{name: value})[name])
		assert.Equal(t, value, request(t, client, "PATCH", path, fields{})[name])
		assert.Nil(t, request(t, client, "PATCH", path, fields{name: ""})[name])
		assert.Nil(t, request(t, client, "POST", "/v1/agents", fields{"name": "a", name: ""})[name])
	}
	assert.Equal(t, "", request(t, client, "PATCH", path, fields{"beginMessage": ""})["beginMessage"], "nothing is known of the others")
}

func TestAgents_FieldsHaveLimits(t *testing.T) {
	srv := newServer(t)
	tool := func(with fields) []fields {
		made := fields{"name": "book", "description": "Books.", "url": "https://example.com/book"}
		maps.Copy(made, with)
		return []fields{made}
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct{ most, over any }{
		"voicemailMessage":              {long(1000), long(1001)},
		"maxSilenceMs":                  {3_600_000, 3_600_001},
		"maxSilenceMs, least":           {10_000, 9_999},
		"voiceSpeed":                    {2, 2.1},
		"voiceSpeed, least":             {0.5, 0.4},
		"interruptionSensitivity":       {1, 1.1},
		"interruptionSensitivity,least": {0, -0.1},
		"customTools":                   {slices.Repeat(tool(nil), 20), slices.Repeat(tool(nil), 21)},
		"customTools, description":      {tool(fields{"description": long(1024)}), tool(fields{"description": long(1025)})},
		"customTools, url":              {tool(fields{"url": "https://example.com/" + long(2028)}), tool(fields{"url": "https://example.com/" + long(2029)})},
		"customTools, https":            {tool(nil), tool(fields{"url": "http://example.com"})},
		"customTools, timeoutMs":        {tool(fields{"timeoutMs": 120_000}), tool(fields{"timeoutMs": 120_001})},
		"customTools, timeoutMs, least": {tool(fields{"timeoutMs": 1000}), tool(fields{"timeoutMs": 999})},
		"customTools, executionMessage": {tool(fields{"executionMessage": long(500)}), tool(fields{"executionMessage": long(501)})},
	} {
		t.Run(name, func(t *testing.T) {
			field, _, _ := strings.Cut(name, ",")
			client, path := srv.Client(), "/v1/agents/"+srv.AgentID()
			request(t, client, "PATCH", path, fields{field: c.most})
			request(t, client, "POST", "/v1/agents", fields{"name": "a", field: c.most})
			require.ErrorIs(t, refused(t, client, "PATCH", path, fields{field: c.over}), agentphone.ErrValidation)
			require.ErrorIs(t, refused(t, client, "POST", "/v1/agents", fields{"name": "a", field: c.over}), agentphone.ErrValidation)
		})
	}
}

func TestAgents_DeleteFreesTheNumbers(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(), t.Context()
	sendText(t, srv, person, "hi")
	deleted, err := client.Agents.Delete(ctx, srv.AgentID())
	require.NoError(t, err)
	assert.Equal(t, srv.NumberID(), mustNumbers(t, srv)[0].ID)
	assert.True(t, deleted.Success)
	assert.NotEmpty(t, deleted.Name)
	assert.Empty(t, mustNumbers(t, srv)[0].AgentID)
	conversations, err := client.Conversations.List(ctx, agentphone.ListConversationsParams{})
	require.NoError(t, err)
	assert.Empty(t, conversations.Data[0].AgentID)
	_, err = client.Agents.Delete(ctx, deleted.ID)
	require.ErrorIs(t, err, agentphone.ErrNotFound)
}

func TestAgents_NumbersAreAttachedAndDetached(t *testing.T) {
	srv := newServer(t)
	client, ctx := srv.Client(agentphone.WithMaxRetries(0)), t.Context()
	other, err := client.Agents.Create(ctx, agentphone.CreateAgentParams{Name: "other"})
	require.NoError(t, err)
	for range 2 {
		attached, err := client.Agents.AttachNumber(ctx, other.ID, agentphone.AttachNumberParams{NumberID: srv.NumberID()})
		require.NoError(t, err)
		assert.Equal(t, srv.PhoneNumber(), attached.Number.PhoneNumber)
		assert.Equal(t, other.ID, attached.AgentID)
	}
	starter, err := client.Agents.Get(ctx, srv.AgentID())
	require.NoError(t, err)
	assert.Empty(t, starter.Numbers, "a number has one agent")
	err = client.Agents.DetachNumber(ctx, srv.AgentID(), srv.NumberID())
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	err = client.Agents.DetachNumber(ctx, other.ID, srv.NumberID())
	require.NoError(t, err)
	assert.Empty(t, mustNumbers(t, srv)[0].AgentID)
}

func TestVoices_HaveNulls(t *testing.T) {
	voices, err := newServer(t).Client().Voices.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, agentphone.DefaultVoice, voices.Data[0].VoiceID)
	assert.Empty(t, voices.Data[len(voices.Data)-1].Gender)
}
