package page_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/apitest"
)

// program builds a command of the repository, and returns it with its arguments and its environment.
func program(t *testing.T, folder, name, env string, args ...string) *exec.Cmd {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", "../../"+folder, "-o", binary, name)
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = []string{"HOME=" + t.TempDir(), env}
	return cmd
}

// The two commands of the project's README are a phone and an agent that answers it.
func TestReadme_TwoCommandsAreAPhoneThatIsAnswered(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	phone := regexp.MustCompile(`(?m)^go run -C devphone \. (.*)$`).FindStringSubmatch(string(text))
	agent := regexp.MustCompile(`(?m)^(AGENTPHONE_WEBHOOK_SECRET=\S+) go run (\./examples/voiceagent) (.*)$`).FindStringSubmatch(string(text))
	require.NotNil(t, phone)
	require.NotNil(t, agent)
	own, _, err := readme()
	require.NoError(t, err)
	assert.Contains(t, own, phone[0])

	addr := apitest.FreeAddress(t) // the ports of README.md may be taken
	replaced := strings.NewReplacer("127.0.0.1:8080", addr)
	cmd := program(t, "devphone", ".", "", append(strings.Fields(replaced.Replace(phone[1])), "-listen", "127.0.0.1:0")...)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err)
	var first struct{ PageURL string }
	require.NoError(t, json.Unmarshal(line, &first))
	apitest.StartServer(t, program(t, ".", agent[2], agent[1], strings.Fields(replaced.Replace(agent[3]))...), addr)

	p := browse(t, first.PageURL)
	p.pickUp(person)
	p.clicks("#phone button", "Call the agent")
	p.sees("#phone .via", "in-progress")
	p.types("Where is my order 1 2 3?\r")
	p.sees(".bubble:not(.mine) .text", "arrives tomorrow")
	p.sees("#inspector .row .code", "200")
}

// readme returns the README of devphone, and the pictures that it shows.
func readme() (text string, pictures []string, err error) {
	all, err := os.ReadFile("../README.md")
	for _, match := range regexp.MustCompile(`pictures/\w+\.png`).FindAllString(string(all), -1) {
		pictures = append(pictures, "../"+match)
	}
	return string(all), pictures, err
}

func TestReadme_PicturesAreSmall(t *testing.T) {
	_, pictures, err := readme()
	require.NoError(t, err)
	require.Len(t, pictures, 2)
	for _, name := range pictures {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Less(t, info.Size(), int64(60_000), name)
	}
}
