package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMain(m *testing.M) { apitest.TestMain(m, main) }

// run is a folder with reminders, and a server.
type run struct {
	srv             *agentphonetest.Server
	reminders, keys string
}

func newRun(t *testing.T) run {
	t.Helper()
	srv := agentphonetest.NewServer()
	t.Cleanup(srv.Close)
	r := run{srv, filepath.Join(t.TempDir(), "reminders.csv"), filepath.Join(t.TempDir(), "reminders.keys")}
	require.NoError(t, os.WriteFile(r.reminders, []byte("a 1,+14155550101,Hi!\nb,+14155550102,Hi!\n"), 0o600))
	return r
}

// start runs the program until it ends, or with kill until it waits for a response, and returns what it prints.
func (r run) start(t *testing.T, kill bool) (string, error) {
	t.Helper()
	env := []string{"AGENTPHONE_API_KEY=" + r.srv.APIKey(), "AGENTPHONE_BASE_URL=" + r.srv.Start()}
	cmd := apitest.Program(t, env, "-agent", r.srv.AgentID(), "-reminders", r.reminders, "-keys", r.keys)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	before := len(r.srv.Requests())
	require.NoError(t, cmd.Start())
	if kill {
		require.Eventually(t, func() bool { return len(r.srv.Requests()) > before }, 10*time.Second, time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
	}
	err := cmd.Wait()
	return out.String(), err
}

func TestReminders_RehearseInMemory(t *testing.T) {
	out, err := apitest.Program(t, nil).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, `AGENTPHONE_API_KEY is not set: this runs against the API in memory. Nothing is real.
ada-monday: sent
ben-monday: sent
ada-monday: was sent before
ben-monday: was sent before
texts sent: 2
`, string(out))
}

func TestReminders_KilledAfterATextWasSent(t *testing.T) {
	r := newRun(t)
	r.srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Delay: time.Hour})
	_, err := r.start(t, true)
	require.Error(t, err)
	require.Len(t, r.srv.Messages(), 1)
	out, err := r.start(t, false)
	require.NoError(t, err, out)
	assert.Equal(t, "a 1: was sent before, as the API says\nb: sent\n", out)
	assert.Len(t, r.srv.Messages(), 2)
}

func TestReminders_KilledBeforeATextWasSent(t *testing.T) {
	r := newRun(t)
	r.srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: http.StatusBadGateway, Delay: time.Hour})
	_, err := r.start(t, true)
	require.Error(t, err)
	require.Empty(t, r.srv.Messages())
	out, err := r.start(t, false)
	require.NoError(t, err, out)
	assert.Equal(t, "a 1: may have been sent: run this again in ten minutes\nb: sent\n", out)

	// Eleven minutes later. The crash has cut off a line, which does not count.
	later := fmt.Sprintf("\n\"a 1\" begun %s\n\"a 1\" sent 2026-11-2", time.Now().Add(-11*time.Minute).UTC().Format(time.RFC3339))
	require.NoError(t, os.WriteFile(r.keys, []byte(later), 0o600))
	out, err = r.start(t, false)
	require.NoError(t, err, out)
	assert.Equal(t, "a 1: sent\nb: sent\n", out, "the keys of b were lost with the file")
	out, err = r.start(t, false)
	require.NoError(t, err, out)
	assert.Equal(t, "a 1: was sent before\nb: was sent before\n", out)
}

func TestReminders_OneThatIsRefusedDoesNotStopTheOthers(t *testing.T) {
	r := newRun(t)
	r.srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: http.StatusUnprocessableEntity})
	out, err := r.start(t, false)
	require.Error(t, err)
	assert.Contains(t, out, "b: sent\nreminders: a 1: agentphone: POST /v1/messages: 422")
	out, err = r.start(t, false)
	require.NoError(t, err, out)
	assert.Equal(t, "a 1: sent\nb: was sent before\n", out)
	assert.Len(t, r.srv.Messages(), 2)
}

// A key is one reminder. With a file that has two of it, the second would undo what is known of the first.
func TestReminders_RefusesAFileThatHasAKeyTwice(t *testing.T) {
	r := newRun(t)
	require.NoError(t, os.WriteFile(r.reminders, []byte("k,+14155550101,See you Ada\nother,+14155550103,Hi!\nk,+14155550102,See you Ben\n"), 0o600))
	for range 3 {
		out, err := r.start(t, false)
		require.Error(t, err)
		assert.Contains(t, out, `the key "k" is there twice`)
	}
	assert.Empty(t, r.srv.Messages(), "not even the others: they may be wrong, too")
}

// That a text was sent is final, whatever else the file of the keys says before or after.
func TestReminders_WhatWasSentIsNeverSentAgain(t *testing.T) {
	r := newRun(t)
	at := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	for _, other := range []string{"unsent", "begun", "unknown"} {
		for _, lines := range []string{"\n\"a 1\" sent %[2]s\n\n\"a 1\" %[1]s %[2]s\n", "\n\"a 1\" %[1]s %[2]s\n\n\"a 1\" sent %[2]s\n"} {
			require.NoError(t, os.WriteFile(r.keys, fmt.Appendf(nil, lines+"\n\"b\" sent %[2]s\n", other, at), 0o600))
			out, err := r.start(t, false)
			require.NoError(t, err, out)
			assert.Equal(t, "a 1: was sent before\nb: was sent before\n", out)
		}
	}
	assert.Empty(t, r.srv.Messages())
}
