//go:build !js && !wasip1

package agentphonetest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func controlPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/control.md")
	require.NoError(t, err)
	return string(page)
}

// The commands of docs/control.md run as they stand, one after the other, and each does something.
func TestControlDocs_CommandsRun(t *testing.T) {
	help, err := exec.CommandContext(t.Context(), "curl", "--help", "all").Output()
	if err != nil || !strings.Contains(string(help), "--json") {
		if os.Getenv("CI") != "" {
			t.Fatal("this takes curl 7.82 or later")
		}
		t.Skip("there is no curl that knows --json")
	}
	srv := newServer(t)
	mux := http.NewServeMux()
	mux.Handle("/control/", http.StripPrefix("/control", srv.ControlHandler()))
	mux.Handle("/", srv)
	port := httptest.NewServer(mux)
	defer port.Close()
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text":"At seven."}`)
	}))
	defer hook.Close()

	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(controlPage(t), -1) {
		if strings.Contains(block[1], "curl -sSN") { // which does not end by itself
			block[1] = strings.TrimSpace(strings.Replace(block[1], "curl", "curl --max-time 1", 1)) + " || test $? = 28\n"
		}
		script.WriteString(block[1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-c", script.String())
	sh.Env = append(os.Environ(), "CONTROL="+port.URL+"/control", "API="+port.URL, "WEBHOOK="+hook.URL)
	out, err := sh.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, shown := range []string{
		`"lastEventId":`, ": connected", `"messageId":"msg_`, `"url":"` + hook.URL, `"lines":[{"atMs":`, `"text":"At seven."`,
		`"listDelayMs":1000`, `"status":200`, `"data":[]`,
	} {
		assert.Contains(t, string(out), shown)
	}
	assert.Len(t, srv.Messages(), 2)
	assert.Len(t, srv.Calls(), 2)
	assert.Len(t, srv.Calls()[0].Dialogue(), 2)
	assert.Equal(t, "in-progress", string(srv.Calls()[1].Status))
}

func TestControlDocs_NameEveryRouteAndEventAndStatus(t *testing.T) {
	page, api := controlPage(t), readOpenAPI(t)
	parameter := regexp.MustCompile(`\\\{\w+\\\}`)
	statuses := map[string]bool{"405": true}
	for _, op := range api.operations() {
		_, path, _ := strings.Cut(op.name, " ")
		pattern := parameter.ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`)
		assert.Regexp(t, pattern+"[`\"?]", page, "%s", op.name)
		for status := range api.resolved(op.spec["responses"]) {
			statuses[status] = true
		}
	}
	for name := range api.resolved(api.at(api.root, "paths", "/events", "get", "x-events")) {
		assert.Contains(t, page, "\n| `"+name+"` |")
	}
	for status := range statuses {
		if status != "200" {
			assert.Contains(t, page, "\n| "+status+" |")
		}
	}
	assert.Len(t, regexp.MustCompile(`(?m)^\| \d+ \|`).FindAllString(page, -1), len(statuses)-1)
}
