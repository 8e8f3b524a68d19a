package agentphone_test

import (
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

const reference = "https://pkg.go.dev/github.com/agentphone/agentphone-go"

// pages are the documents for users.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	return append(docs, "README.md", "BENCHMARKS.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// goBlocks returns the Go code of a page: what is fenced as go, or in a Go file's comments what is indented.
func goBlocks(t *testing.T, page string) (blocks []string) {
	t.Helper()
	text := readPage(t, page)
	if strings.HasSuffix(page, ".go") {
		for _, block := range regexp.MustCompile(`(?m)(^//\t.*\n(//\n)?)+`).FindAllString(text, -1) {
			if strings.Contains(block, "agentphone.") { // and not a table
				block = strings.ReplaceAll(strings.ReplaceAll(block, "//\t", ""), "//\n", "\n")
				blocks = append(blocks, strings.TrimSpace(block)+"\n")
			}
		}
		return blocks
	}
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, block[1])
	}
	return blocks
}

func isProgram(block string) bool { return strings.Contains(block, "\npackage main\n") }

// Every line of Go in the documents is a line of a runnable example too, or of a program that the next test runs.
func TestDocs_CodeIsThatOfExamples(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	examples := squeeze(readPage(t, "example_test.go"))
	found := 0
	for _, page := range append(pages(t), "doc.go") {
		for _, block := range goBlocks(t, page) {
			found++
			if !isProgram(block) && !strings.Contains(examples, squeeze(block)) {
				t.Errorf("%s: no example has\n%s", page, block)
			}
			formatted, err := format.Source([]byte(block))
			if assert.NoError(t, err, "%s\n%s", page, block) {
				assert.Equal(t, string(formatted), block, "%s: gofmt", page)
			}
		}
	}
	assert.GreaterOrEqual(t, found, 8)
}

// The first program in README.md compiles as it stands and does what is said of it.
func TestDocs_FirstProgramRuns(t *testing.T) {
	blocks := goBlocks(t, "README.md")
	i := slices.IndexFunc(blocks, isProgram)
	require.GreaterOrEqual(t, i, 0)
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program.exe")
	require.NoError(t, os.WriteFile(source, []byte(blocks[i]), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, source).CombinedOutput()
	require.NoError(t, err, "%s", out)

	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.NextCall(agentphonetest.CallScript{Duration: 10 * time.Millisecond, Turns: []agentphonetest.Utterance{
		{Role: agentphone.RoleAgent, Content: "Hello, do you have a table for two at seven?"},
		{Role: agentphone.RoleUser, Content: "We do."},
	}})
	cmd := exec.CommandContext(t.Context(), program, srv.AgentID(), "+14155550123")
	cmd.Env = append(os.Environ(), "AGENTPHONE_API_KEY="+srv.APIKey(), "AGENTPHONE_BASE_URL="+srv.Start())
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "agent: Hello, do you have a table for two at seven?\nuser: We do.\n", string(out))
	assert.Len(t, srv.Calls(), 1)
}

// The two commands in README.md are those that CI runs.
func TestDocs_CommandsAreThoseOfCI(t *testing.T) {
	readme, gate, makefile := readPage(t, "README.md"), readPage(t, ".ci/run"), readPage(t, "Makefile")
	assert.Contains(t, readme, "\n```sh\ngo run ./examples/quickstart\n```\n")
	assert.Contains(t, makefile, "examples/*", "CI runs every example, quickstart too")
	assert.Contains(t, readme, "\n```sh\ngo test ./...\n```\n")
	assert.Contains(t, gate, "\ngo test ./...\n")
}

// methodsOf lists a service's methods: those of a pointer to it.
func methodsOf(service reflect.Type) (names []string) {
	for i := range service.NumMethod() {
		names = append(names, service.Method(i).Name)
	}
	return names
}

// services are the fields of a client that are services.
func services() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[agentphone.Client]()) {
		if field.IsExported() {
			out[field.Name] = field.Type
		}
	}
	return out
}

// README.md lists every service and every method.
func TestDocs_ReadmeListsAllMethods(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| \\[`(\\w+)`\\]\\((\\S+)\\) \\| [^|]+ \\| ([^|]+) \\|$").FindAllStringSubmatch(readPage(t, "README.md"), -1)
	listed := map[string][]string{}
	for _, row := range rows {
		name, link, methods := row[1], row[2], row[3]
		assert.Equal(t, reference+"#"+name+"Service", link)
		listed[name] = strings.Split(strings.ReplaceAll(methods, "`", ""), ", ")
	}
	for name, service := range services() {
		assert.ElementsMatch(t, methodsOf(service), listed[name], "%s", name)
	}
	assert.Len(t, listed, len(services()))
}

// README.md names every option.
func TestDocs_ReadmeNamesAllOptions(t *testing.T) {
	readme := readPage(t, "README.md")
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, file := range files {
		for _, option := range regexp.MustCompile(`(?m)^func (With\w+)\(.*\) (Option|RequestOption) \{$`).FindAllStringSubmatch(readPage(t, file), -1) {
			found++
			assert.Contains(t, readme, "`"+option[1]+"`")
		}
	}
	assert.Greater(t, found, 10)
}

// docs/typescript.md has all methods of the official SDK for TypeScript, and each of this SDK once or more.
func TestDocs_TypeScriptMethods(t *testing.T) {
	page := readPage(t, "docs/typescript.md")
	rows := regexp.MustCompile("(?m)^\\| `(\\w+\\.\\w+)` \\| (\\[[^|]+) \\|$").FindAllStringSubmatch(page, -1)
	require.Len(t, rows, 67)
	methods := regexp.MustCompile("\\[`(\\w+)\\.(\\w+)`\\]\\((\\S+)\\)")
	table, named := map[string]string{}, map[string]bool{}
	for _, row := range rows {
		assert.NotContains(t, table, row[1], "twice")
		table[row[1]] = row[2]
	}
	for _, method := range methods.FindAllStringSubmatch(page, -1) {
		service, name, link := method[1], method[2], method[3]
		named[service+"."+name] = true
		assert.Equal(t, reference+"#"+service+"Service."+name, link)
	}
	var all []string
	for service, typ := range services() {
		for _, method := range methodsOf(typ) {
			all = append(all, service+"."+method)
		}
	}
	for name := range named {
		assert.Contains(t, all, name)
	}
	assert.Len(t, named, len(all))

	// README.md has the ten that are used most, and they are the same there.
	short := regexp.MustCompile("(?m)^\\| `(\\w+\\.\\w+)` \\| `(\\w+\\.\\w+)`[^|]* \\|$").FindAllStringSubmatch(readPage(t, "README.md"), -1)
	require.Len(t, short, 10)
	for _, row := range short {
		assert.Contains(t, table[row[1]], "[`"+row[2]+"`]", "%s", row[1])
	}
}

// Links to files lead to files.
func TestDocs_LinksLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		prose := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`").ReplaceAllString(readPage(t, page), "")
		for _, link := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(prose, -1) {
			if !strings.Contains(link[1], "://") {
				_, err := os.Stat(filepath.Join(filepath.Dir(page), link[1]))
				assert.NoError(t, err, "%s", page)
			}
		}
	}
}

// Each file and folder that CONTRIBUTING.md names exists, and its table has each folder of code. In a row of the table
// names may be relative to the folder in the first column. Those of the example, things, do not exist.
func TestDocs_FilesNamedInContributingExist(t *testing.T) {
	exists := func(pattern string) bool {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		return len(found) > 0
	}
	page := readPage(t, "CONTRIBUTING.md")
	_, table, found := strings.Cut(page, "\n| where | what |\n|---|---|\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	code := regexp.MustCompile("`([^`]+)`")
	isFile := regexp.MustCompile(`^[\w./*-]+\.(go|md|json|mod)$|^\w[\w-]*(/[\w-]+)+$|^\.ci/`)
	isExample := regexp.MustCompile(`things|^testing/synctest$`)
	var folders []string
	checked := 0
	for line := range strings.Lines(page) {
		folder := "."
		if strings.HasPrefix(line, "| `") && strings.Contains(table, strings.TrimSpace(line)) {
			first := strings.Split(line, "|")[1]
			for _, name := range code.FindAllStringSubmatch(first, -1) {
				folders = append(folders, name[1])
				assert.True(t, exists(name[1]), "CONTRIBUTING.md: there is no %s", name[1])
			}
			folder = strings.Trim(first, " `")
		}
		for _, name := range code.FindAllStringSubmatch(line, -1) {
			if isFile.MatchString(name[1]) && !isExample.MatchString(name[1]) {
				checked++
				assert.True(t, exists(name[1]) || exists(filepath.Join(folder, name[1])), "CONTRIBUTING.md: there is no %s", name[1])
			}
		}
	}
	assert.Greater(t, checked, 60)
	for _, pattern := range []string{"*/*.go", "internal/*/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			assert.Contains(t, folders, filepath.ToSlash(filepath.Dir(file)), "CONTRIBUTING.md: a folder of code is missing in the table")
		}
	}
}

// SECURITY.md names the tests that hold its promises, CONTRIBUTING.md one as an example: each exists.
func TestDocs_NamedTestsExist(t *testing.T) {
	var code strings.Builder
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, "_test.go") {
			code.WriteString(readPage(t, path))
		}
		return err
	}))
	for _, page := range []string{"SECURITY.md", "CONTRIBUTING.md"} {
		names := regexp.MustCompile("`((?:Test|Fuzz)[A-Z][^`]*)`").FindAllStringSubmatch(readPage(t, page), -1)
		require.NotEmpty(t, names)
		for _, name := range names {
			assert.True(t, strings.Contains(code.String(), "func "+name[1]+"("), "%s: there is no %s", page, name[1])
		}
	}
}
