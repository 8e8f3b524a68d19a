package run_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/devphone/run"
)

// sample is a run with a scenario that holds, and two that do not, in two files.
func sample() *run.Report {
	var report run.Report
	report.Add(&run.Result{Name: "Holds", File: "a.yaml", Line: 1, Passed: true, Seconds: 0.25, Steps: []run.StepResult{
		{Line: 3, Step: `say "Hi"`, From: "ada", Heard: []run.Heard{{Text: "Hello", Seconds: 0.01}}, HeardAll: 1},
	}})
	report.Add(&run.Result{Name: "Books <a> \"table\"", File: "a.yaml", Line: 7, Seconds: 10.25, Steps: []run.StepResult{
		{
			Line: 9, Step: `text "4"`, From: "ada", Seconds: 10.25,
			Failures: []run.Failure{{Rule: "words", Message: `"on which day" did not come within 10s`}, {Rule: "max", Message: "2 texts, at most 1 expected"}},
			Heard:    []run.Heard{{Text: "And at\nwhat time?", Seconds: 0.012}, {Text: "\x1b[2J]]>\x00\u202e", Seconds: 1.5}}, HeardAll: 52,
			Attempts: []run.Attempt{{Error: "the sender gave up", Seconds: 1}, {Status: 200, Seconds: 0.002}},
		},
		{Line: 12, Step: "hang up", From: "ada", Skipped: true},
	}})
	report.Add(&run.Result{Name: "Silent", File: "b.yaml", Line: 1, Seconds: 0.5, Steps: []run.StepResult{
		{Line: 3, Step: `say "Hi"`, From: "bob", Failures: []run.Failure{{Rule: "status", Message: "500, expected 2xx"}}, Attempts: []run.Attempt{{Status: 500}}},
	}})
	return &report
}

func TestResult_TextSaysWhatIsExpectedAndWhatCame(t *testing.T) {
	var out bytes.Buffer
	for _, r := range sample().Scenarios {
		require.NoError(t, r.WriteText(&out))
	}
	assert.Equal(t, strings.TrimPrefix(`
ok    a.yaml:1: Holds (250ms)
FAIL  a.yaml:7: Books <a> "table" (10.2s)
      a.yaml:9: text "4", from ada
        words: "on which day" did not come within 10s
        max: 2 texts, at most 1 expected
            12ms | And at
                 | what time?
            1.5s | �[2J]]>��
                 | ... and 50 more
        delivery, attempt 1: the sender gave up (1s)
        delivery, attempt 2: 200 (2ms)
FAIL  b.yaml:1: Silent (500ms)
      b.yaml:3: say "Hi", from bob
        status: 500, expected 2xx
        the agent said nothing
        delivery, attempt 1: 500 (0ms)
`, "\n"), out.String())
}

func TestResult_TextShowsABodyThatIsNoAnswer(t *testing.T) {
	result := play(t, answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<h1>It works!</h1>\n"+strings.Repeat("x", 100_000))
	}), "  - {say: Hi, expect: {words: hello}}")
	var out bytes.Buffer
	require.NoError(t, result.WriteText(&out))
	assert.Contains(t, out.String(), `text/html: "<h1>It works!</h1>\nxxxx`)
	assert.Less(t, out.Len(), 1000)
}

// The structure is that of the JUnit schema of Jenkins and GitLab.
func TestReport_JUnitHasASuiteForEachFile(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sample().WriteJUnit(&out))
	type element struct {
		XMLName  xml.Name
		Attrs    []xml.Attr `xml:",any,attr"`
		Text     string     `xml:",chardata"`
		Elements []element  `xml:",any"`
	}
	var root element
	require.NoError(t, xml.Unmarshal(out.Bytes(), &root), out.String())
	describe := func(e element) string {
		text := e.XMLName.Local
		for _, a := range e.Attrs {
			text += fmt.Sprintf(" %s=%q", a.Name.Local, a.Value)
		}
		return text
	}
	var got []string
	var walk func(e element)
	walk = func(e element) {
		got = append(got, describe(e))
		for _, inner := range e.Elements {
			walk(inner)
		}
	}
	walk(root)
	assert.Equal(t, []string{
		`testsuites tests="3" failures="2" time="11.000"`,
		`testsuite name="a.yaml" tests="2" failures="1" time="10.500"`,
		`testcase name="Holds" classname="a.yaml" time="0.250"`,
		`testcase name="Books <a> \"table\"" classname="a.yaml" time="10.250"`,
		`failure message="text \"4\": words: \"on which day\" did not come within 10s" type="expectation"`,
		`testsuite name="b.yaml" tests="1" failures="1" time="0.500"`,
		`testcase name="Silent" classname="b.yaml" time="0.500"`,
		`failure message="say \"Hi\": status: 500, expected 2xx" type="expectation"`,
	}, got)
	explanation := root.Elements[0].Elements[1].Elements[0].Text
	assert.Contains(t, explanation, "a.yaml:9: text \"4\", from ada\n  words: ")
	assert.Contains(t, explanation, "And at\n")
}

func TestReport_JSONHasEverything(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sample().WriteJSON(&out))
	var got run.Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.Equal(t, sample(), &got)
	assert.Contains(t, out.String(), "\"passed\": 1,\n  \"failed\": 2,\n  \"seconds\": 11,\n")
}
