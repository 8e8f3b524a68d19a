package agentphone_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every line of Go in README.md and in docs stands in a runnable example too.
func TestTheCodeInTheDocsIsThatOfExamples(t *testing.T) {
	var docs []byte
	for _, name := range []string{"README.md", "docs/retries.md"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		docs = append(docs, text...)
	}
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	all := squeeze(string(examples))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(docs), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		assert.Contains(t, all, squeeze(block[1]))
	}
}

// SECURITY.md names the tests that hold its promises: each is there.
func TestTheTestsThatSecurityNamesExist(t *testing.T) {
	promises, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)
	var code []byte
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "internal/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			code = append(code, text...)
		}
	}
	names := regexp.MustCompile("`((Test|Fuzz)[A-Z][A-Za-z0-9]+)`").FindAllStringSubmatch(string(promises), -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		assert.Contains(t, string(code), "func "+name[1]+"(")
	}
}
