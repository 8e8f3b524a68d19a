package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/devphone/scenario"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

func TestReadme_ScenariosCanBeRead(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.Len(t, blocks, 3)
	for _, block := range blocks {
		_, err := scenario.Parse("README.md", []byte(block[1]))
		assert.NoError(t, err)
	}
}

// The errors of unknown keys name all keys that there are.
func TestReadme_DescribesEveryKey(t *testing.T) {
	text, count := readme(t), 0
	_, err := scenario.Parse("x", []byte("zzzzzz: 1\nname: n\nsteps:\n  - text: t\n    zzzzzz: 1\n    expect: {zzzzzz: 1}\n    fault: {zzzzzz: 1}"))
	require.Error(t, err)
	for _, known := range regexp.MustCompile(`(?m)known: (.*)$`).FindAllStringSubmatch(err.Error(), -1) {
		for key := range strings.SplitSeq(known[1], ", ") {
			count++
			assert.Regexp(t, "`"+key+"(: true)?`", text)
		}
	}
	assert.Equal(t, 26, count)
}

func TestReadme_MistakeIsThatOfTheParser(t *testing.T) {
	_, err := scenario.Parse("booking.yaml", []byte("# booking.yaml\nname: Books a table\nsteps:\n  - text: 4\n    expect:\n      max: 1\n      word: what time"))
	assert.Contains(t, readme(t), "`"+err.Error()+"`")
}

// What CI runs is what the page says.
func TestReadme_CommandIsThatOfCI(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	assert.Contains(t, string(makefile), "bin/devphone test -target http://127.0.0.1:0/webhook $$s/*.yaml -- bin/examples/$$e -addr {addr}")
	assert.Contains(t, readme(t), "bin/devphone test -target http://127.0.0.1:0/webhook examples/smsbot/scenarios/*.yaml -- bin/smsbot -addr {addr}")
}

func TestReadme_DescribesEveryFlag(t *testing.T) {
	text := readme(t)
	_, _, help := devphone(t, "-h")
	flags := regexp.MustCompile(`(?m)^  (-[a-z-]+)`).FindAllStringSubmatch(help, -1)
	assert.Len(t, flags, 6)
	for _, flag := range flags {
		assert.Contains(t, text, "\n| `"+flag[1])
	}
}
