package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program returns the path of a program, or skips the test.
func program(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is missing: apt-get install %s", name, debian)
	default:
		t.Skipf("%s is missing, so the TypeScript SDK is not tested: apt-get install %s", name, debian)
	}
	return path
}

// installSDK returns a folder that has the script, and the SDK that its package-lock.json pins.
func installSDK(t *testing.T, npm string) string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS("testdata/typescript")))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = folder
	out, err := install.CombinedOutput()
	require.NoError(t, err, string(out))
	return folder
}

// follow returns what reads the events of devphone until there is one with a name and a text in its data.
func follow(t *testing.T, first accountLine) (until func(name, text string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // so that it ends if there is none
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, first.URL+"/_control/events", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines, event := bufio.NewReader(resp.Body), ""
	return func(name, text string) {
		t.Helper()
		for {
			line, err := lines.ReadString('\n')
			require.NoError(t, err, "there is no %s with %s", name, text)
			if is, ok := strings.CutPrefix(line, "event: "); ok {
				event = strings.TrimSpace(is)
			}
			if event == name && strings.HasPrefix(line, "data: ") && strings.Contains(line, text) {
				return
			}
		}
	}
}

// The official SDK for TypeScript, in the version that docs/typescript.md compares, works with devphone, and what it does
// shows: the page draws what the events say.
func TestDevphone_ServesTheTypeScriptSDK(t *testing.T) {
	node, npm := program(t, "node", "nodejs"), program(t, "npm", "npm")
	folder := installSDK(t, npm)
	_, first, _ := start(t, "-webhook", "http://127.0.0.1:9/webhook")
	until := follow(t, first)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	script := exec.CommandContext(ctx, node, "sdk.mjs", person)
	script.Dir = folder
	script.Env = append(os.Environ(), "AGENTPHONE_BASE_URL="+first.URL, "AGENTPHONE_API_KEY="+first.APIKey)
	var problems strings.Builder
	script.Stderr = &problems
	out, err := script.Output()
	require.NoError(t, err, problems.String())

	type object struct{ ID, Name, PhoneNumber, Status string }
	type message struct{ Body, Direction, To string }
	var got struct {
		Agents, Numbers                   struct{ Data []object }
		Agent, Number, Sent, Found, Ended object
		Messages                          struct{ Data []message }
		Conversations                     struct {
			Data []struct{ Participant string }
		}
		Call    object
		Refused struct {
			IsError    bool
			StatusCode int
		}
	}
	require.NoError(t, json.Unmarshal(out, &got), string(out))
	require.Len(t, got.Agents.Data, 1)
	assert.Equal(t, first.AgentID, got.Agents.Data[0].ID)
	require.Len(t, got.Numbers.Data, 1)
	assert.Equal(t, first.NumberID, got.Numbers.Data[0].ID)
	const body = "Your table is booked. ✓"
	assert.Equal(t, []message{{body, "outbound", person}}, got.Messages.Data)
	require.Len(t, got.Conversations.Data, 1)
	assert.Equal(t, person, got.Conversations.Data[0].Participant)
	assert.Equal(t, "ringing", got.Call.Status)
	assert.Equal(t, got.Call.ID, got.Found.ID)
	assert.Equal(t, "canceled", got.Ended.Status)
	assert.True(t, got.Refused.IsError)
	assert.Equal(t, http.StatusNotFound, got.Refused.StatusCode)

	until("account", `"name":"Ada's agent"`)
	until("account", got.Number.PhoneNumber)
	until("message", body)
	until("call", `"status":"ringing"`)
	until("call", `"status":"canceled"`)
	until("request", "call_none")
	agent, err := newClient(t, first).Agents.Get(t.Context(), got.Agent.ID)
	require.NoError(t, err)
	require.Len(t, agent.Numbers, 1)
	assert.Equal(t, got.Number.PhoneNumber, agent.Numbers[0].PhoneNumber)
}

// The version is the one that docs/typescript.md names.
func TestTypeScript_VersionIsThatOfItsPage(t *testing.T) {
	text, err := os.ReadFile("testdata/typescript/package.json")
	require.NoError(t, err)
	var manifest struct{ Dependencies map[string]string }
	require.NoError(t, json.Unmarshal(text, &manifest))
	page, err := os.ReadFile("../docs/typescript.md")
	require.NoError(t, err)
	assert.Contains(t, string(page), "([agentphone](https://www.npmjs.com/package/agentphone) "+manifest.Dependencies["agentphone"]+")")
}
