package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/devphone/page"
	"github.com/agentphone/agentphone-go/devphone/scenario"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

const person = "+14155550123"

// phone is devphone in a process of its own, with an agent behind it.
type phone struct {
	*testing.T
	first  accountLine
	number string
}

func startPhone(t *testing.T, webhook string) *phone {
	t.Helper()
	_, first, _ := start(t, "-webhook", webhook, "-secret", "whsec_1")
	number, err := newClient(t, first).Numbers.Get(t.Context(), first.NumberID)
	require.NoError(t, err)
	return &phone{t, first, number.PhoneNumber}
}

// does has a person do something by the control API, and returns the response.
func (p *phone) does(path string, what map[string]string) string {
	p.Helper()
	status, text := fetch(p.T, http.MethodPost, p.first.URL+"/_control"+path, apitest.JSON(p, what))
	require.Equal(p, 200, status, text)
	return text
}

func (p *phone) texts(text string) {
	p.Helper()
	p.does("/messages", map[string]string{"from": person, "to": p.number, "body": text})
}

// saved returns the file that the page saves of everything.
func (p *phone) saved() string {
	p.Helper()
	status, text := fetch(p.T, http.MethodGet, p.first.URL+"/_scenario", "")
	require.Equal(p, 200, status, text)
	return text
}

// What was done by hand holds with the same agent, and fails with one that answers otherwise.
func TestDevphone_SavesAScenarioForDevphoneTest(t *testing.T) {
	var handler http.Handler
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer agent.Close()
	p := startPhone(t, agent.URL)
	var err error
	handler, err = newReplier(newClient(t, p.first), "whsec_1")
	require.NoError(t, err)
	hostile := "- a: b # \u202e\n---\nname: evil\x1b"
	call := callID.FindString(p.does("/calls", map[string]string{"from": person, "to": p.number}))
	p.does("/calls/"+call+"/turns", map[string]string{"text": "Hello?"})
	p.texts("Hi")
	p.texts(hostile)

	saved := p.saved()
	read, err := scenario.Parse("saved.yaml", []byte(saved))
	require.NoError(t, err)
	require.Len(t, read, 1)
	require.Len(t, read[0].Steps, 3)
	assert.Equal(t, hostile, read[0].Steps[2].Words)
	code, stdout, stderr := devphone(t, "test", "-target", "http://127.0.0.1:0/webhook", file(t, saved), "--", os.Args[0], "agent", "{addr}")
	assert.Equal(t, 0, code, "%s%s", stdout, stderr)
	assert.Contains(t, stdout, "1 passed, 0 failed")

	for answer, step := range map[string]string{
		`{"text": "Hello."}`: `say "Hello?"`, // it does not hang up
		`{"hangup": true}`:   `text "Hi"`,    // there is no reply
	} {
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(answer))
		})
		soon := strings.ReplaceAll(saved, "max: 1\n", "max: 1\n      within: 300ms\n")
		code, stdout, stderr = devphone(t, "test", "-target", agent.URL, "-secret", "whsec_1", file(t, soon))
		assert.Equal(t, 1, code, "%s%s", stdout, stderr)
		assert.Contains(t, stdout, step)
		assert.Contains(t, stdout, "0 passed, 1 failed")
	}
}

var callID = regexp.MustCompile(`call_\w+`)

// The file that README.md shows is the one of its conversation with examples/smsbot, and holds with it.
func TestReadme_SavedScenarioIsThatOfTheConversation(t *testing.T) {
	bot, addr := filepath.Join(t.TempDir(), "smsbot"), apitest.FreeAddress(t)
	out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "..", "-o", bot, "./examples/smsbot").CombinedOutput()
	require.NoError(t, err, string(out))
	p := startPhone(t, "http://"+addr+"/webhook")
	cmd := exec.CommandContext(t.Context(), bot, "-addr", addr)
	cmd.Env = []string{"AGENTPHONE_API_KEY=" + p.first.APIKey, "AGENTPHONE_BASE_URL=" + p.first.URL, "AGENTPHONE_WEBHOOK_SECRET=whsec_1"}
	apitest.StartServer(t, cmd, addr)
	p.texts("Can I book a table?")
	p.texts("4")

	saved := p.saved()
	shown := regexp.MustCompile("(?s)```yaml\n# can-i-book-a-table.yaml\n(.*?)```").FindStringSubmatch(readme(t))
	require.NotNil(t, shown)
	assert.Equal(t, saved, shown[1])
	assert.Contains(t, readme(t), "curl -OJ http://127.0.0.1:8787"+page.ScenarioPath+"\n")
	code, stdout, stderr := devphone(t, "test", "-target", "http://127.0.0.1:0/webhook", file(t, saved), "--", bot, "-addr", "{addr}")
	assert.Equal(t, 0, code, "%s%s", stdout, stderr)
}
