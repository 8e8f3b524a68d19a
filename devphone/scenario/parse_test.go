package scenario_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// everything has each key of the format at least once.
const everything = `name: Books a table
people:
  ada: "+14155550123"
  bob:
  cy: cy@example.com
steps:
  - text: Can I book a table?
    channel: imessage
    media: [https://example.com/a.png]
    expect:
      words: [how many, '/people\?$/i']
      not: goodbye
      max: 2
      first: 500ms
      within: 3s
      quiet: 1s
      status: 200
  - text: 4
    from: bob
    fault: {duplicate: 2}
  - media: https://example.com/b.png
    fault: {timeout: 300ms}
  - react: love
    from: cy
    fault: {forged: true}
  - say: Hello?
    fault: {stale: 10m}
    expect: {status: 4xx, max: 0}
  - say: Bye.
    expect: {hangup: true, transfer: true, digits: 1#}
  - hangup: true
  - expect: {words: See you}
`

func ptr(n int) *int { return &n }

func TestParse_ReadsEveryKey(t *testing.T) {
	got, err := scenario.Parse("x.yaml", []byte(everything))
	require.NoError(t, err)
	assert.Equal(t, []scenario.Scenario{{
		Name: "Books a table", File: "x.yaml", Line: 1,
		People: []scenario.Person{{Name: "ada", Address: "+14155550123"}, {Name: "bob"}, {Name: "cy", Address: "cy@example.com"}},
		Steps: []scenario.Step{
			{
				Line: 7, Action: scenario.ActionText, Words: "Can I book a table?",
				Channel: agentphone.ChannelIMessage, MediaURLs: []string{"https://example.com/a.png"},
				Expect: scenario.Expectation{
					Words: []scenario.Pattern{"how many", `/people\?$/i`}, Not: []scenario.Pattern{"goodbye"}, Max: ptr(2),
					First: 500 * time.Millisecond, Within: 3 * time.Second, Quiet: time.Second, Status: "200",
				},
			},
			{Line: 18, Action: scenario.ActionText, Words: "4", From: "bob", Fault: scenario.Fault{Duplicate: 2}},
			{Line: 21, Action: scenario.ActionText, MediaURLs: []string{"https://example.com/b.png"}, Fault: scenario.Fault{Timeout: 300 * time.Millisecond}},
			{Line: 23, Action: scenario.ActionReact, Words: "love", From: "cy", Fault: scenario.Fault{Forged: true}},
			{Line: 26, Action: scenario.ActionSay, Words: "Hello?", Fault: scenario.Fault{Stale: 10 * time.Minute}, Expect: scenario.Expectation{Status: "4xx", Max: ptr(0)}},
			{Line: 29, Action: scenario.ActionSay, Words: "Bye.", Expect: scenario.Expectation{Hangup: true, Transfer: true, Digits: "1#"}},
			{Line: 31, Action: scenario.ActionHangup},
			{Line: 32, Expect: scenario.Expectation{Words: []scenario.Pattern{"See you"}}},
		},
	}}, got)
}

func TestParse_EachDocumentIsAScenario(t *testing.T) {
	got, err := scenario.Parse("x.yaml", []byte("name: a\nsteps: [text: Hi]\n---\nname: b\nsteps:\n  - say: Hi\n"))
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, []string{"a", "b"}, []string{got[0].Name, got[1].Name})
	assert.Equal(t, []int{1, 4, 6}, []int{got[0].Line, got[1].Line, got[1].Steps[0].Line})
}

func TestParse_ErrorsSayWhereAndWhatIsExpected(t *testing.T) {
	step := "name: n\nsteps:\n  - "
	for name, test := range map[string]struct{ in, want string }{
		"unknown key":        {step + "text: Hi\n    expct: {}", `x.yaml:4:5: a step has no key "expct"; did you mean "expect"?`},
		"unknown key, far":   {"name: n\nsteps: [text: Hi]\nzebra: 1", `x.yaml:3:1: a scenario has no key "zebra"; known: name, people, steps`},
		"upper case":         {step + "Say: Hi", `x.yaml:3:5: a step has no key "Say"; did you mean "say"?`},
		"twice":              {step + "text: Hi\n    text: Ho", `x.yaml:4:5: "text" is there twice; the other is in line 3`},
		"missing":            {"steps: [text: Hi]", `x.yaml:1:1: a scenario needs "name"`},
		"no steps":           {"name: n\nsteps: []", `x.yaml:2:8: "steps" has to be a list of steps; found a list`},
		"steps are a text":   {"name: n\nsteps: Hi", `x.yaml:2:8: "steps" has to be a list of steps; found "Hi"`},
		"step is a text":     {step + "Hi", `x.yaml:3:5: a step has to be a mapping; found "Hi"`},
		"two actions":        {step + "text: Hi\n    say: Ho", `x.yaml:4:5: a step has one of text, react, say, hangup; found "text" and "say"`},
		"no action":          {step + "from: caller", `x.yaml:3:5: a step needs one of text, react, say, hangup, or else "expect"`},
		"nothing":            {step + "text:", `x.yaml:3:10: "text" has to be a text; found nothing`},
		"white space":        {step + `text: " "`, `x.yaml:3:11: "text" has to be a text; found only white space`},
		"list as text":       {step + "say: [a]", `x.yaml:3:10: "say" has to be a text; found a list`},
		"hangup":             {step + "hangup: caller", `x.yaml:3:13: "hangup" can only be true; found "caller". Leave it out otherwise`},
		"person":             {"name: n\npeople: {ada: }\nsteps: [{text: Hi, from: adda}]", `x.yaml:3:26: "people" has no "adda"; did you mean "ada"?`},
		"people":             {"name: n\npeople: [ada]\nsteps: [text: Hi]", `x.yaml:2:9: "people" has to be a mapping of names to phone numbers; found a list`},
		"phone number":       {"name: n\npeople: {ada: 415 555}\nsteps: [text: Hi]", `x.yaml:2:15: the phone number of "ada" has to be in E.164 form, such as +14155550123, or an email address; found "415 555"`},
		"same address":       {"name: n\npeople: {a: \"+14155550123\", b: \"+14155550123\"}\nsteps: [text: Hi]", `x.yaml:2:32: "a" and "b" have the same address`},
		"same name":          {"name: n\npeople: {a: , a: }\nsteps: [text: Hi]", `x.yaml:2:15: "a" is there twice`},
		"channel":            {step + "text: Hi\n    channel: fax", `x.yaml:4:14: "channel" has to be one of sms, mms, imessage, whatsapp; found "fax"`},
		"channel of a call":  {step + "say: Hi\n    channel: sms", `x.yaml:4:5: "channel" goes with "text" only`},
		"reaction":           {step + "react: lov", `x.yaml:3:12: "react" has to be an emoji or one of love, like, dislike, laugh, emphasize, question; found "lov"`},
		"call by email":      {"name: n\npeople: {a: a@example.com}\nsteps: [say: Hi]", `x.yaml:3:9: "a" has an email address, from which nobody can call`},
		"duration":           {step + "text: Hi\n    expect: {within: 5}", `x.yaml:4:22: "within" has to be a duration such as 300ms, 5s or 10m; found "5"`},
		"negative duration":  {step + "text: Hi\n    expect: {within: -5s}", `x.yaml:4:22: "within" has to be a duration such as 300ms, 5s or 10m; found "-5s"`},
		"count":              {step + "text: Hi\n    expect: {max: few}", `x.yaml:4:19: "max" has to be a number from 0 to 1000; found "few"`},
		"status":             {step + "text: Hi\n    expect: {status: 20}", `x.yaml:4:22: "status" has to be an HTTP status such as 200, or a class of them such as 4xx; found "20"`},
		"status class":       {step + "text: Hi\n    expect: {status: 9xx}", `x.yaml:4:22: "status" has to be an HTTP status such as 200, or a class of them such as 4xx; found "9xx"`},
		"digits":             {step + "say: Hi\n    expect: {digits: ABC}", `x.yaml:4:22: "digits" has to be keys of a phone, 0 to 9, * and #; found "ABC"`},
		"regular expression": {step + "text: Hi\n    expect: {words: /(/}", "x.yaml:4:21: \"words\" has a regular expression that cannot be read: error parsing regexp: missing closing ): `(`"},
		"empty expectation":  {step + "text: Hi\n    expect: {}", `x.yaml:4:13: "expect" is empty`},
		"hangup of a text":   {step + "text: Hi\n    expect: {hangup: true}", `x.yaml:4:5: "hangup", "transfer" and "digits" are expected of "say" only`},
		"words and max 0":    {step + "text: Hi\n    expect: {words: a, max: 0}", `x.yaml:4:5: "max" is 0, so there can be no "words" and no "first"`},
		"quiet call":         {step + "say: Hi\n    expect: {quiet: 1s}", `x.yaml:4:5: "quiet" is about texts: it does not go with "say"`},
		"status of nothing":  {step + "expect: {status: 200}", `x.yaml:3:5: "status" is that of a response: it needs one of text, react, say, hangup`},
		"two faults":         {step + "text: Hi\n    fault: {forged: true, duplicate: 1}", `x.yaml:4:12: "fault" has one of forged, stale, duplicate, timeout; found 2`},
		"fault of nothing":   {step + "expect: {max: 0}\n    fault: {forged: true}", `x.yaml:4:5: "fault" goes with something that is delivered: text, react, say, hangup`},
		"timeout of a turn":  {step + "say: Hi\n    fault: {timeout: 1s}", `x.yaml:4:5: "timeout" does not go with "say": what is said is delivered once`},
		"no duplicates":      {step + "text: Hi\n    fault: {duplicate: 0}", `x.yaml:4:24: "duplicate" has to be a number from 1 to 1000; found "0"`},
		"empty file":         {"", `x.yaml:1: there is no scenario in the file`},
		"comment":            {"# nothing\n", `x.yaml:1: there is no scenario in the file`},
		"empty document":     {"---\n", `x.yaml:2:1: a scenario has to be a mapping; found nothing`},
		"not YAML":           {"name: n\nsteps: [", "x.yaml:2: not YAML: did not find expected node content"},
		"tab":                {"name: n\nsteps:\n\t- text: Hi", "x.yaml:3: not YAML: found character that cannot start any token"},
		"binary":             {step + "text: !!binary aGk=", `x.yaml:3:11: "text" has to be a text; found "aGk="`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.Parse("x.yaml", []byte(test.in))
			require.Error(t, err)
			assert.Equal(t, test.want, strings.Split(err.Error(), "\n")[0])
		})
	}
}

func TestParse_NamesAllMistakesOfAFile(t *testing.T) {
	_, err := scenario.Parse("x.yaml", []byte("name: n\nstps: 1\nsteps:\n  - txt: Hi\n  - say: Hi\n    expect: {max: -1}\n---\nsteps: 1"))
	assert.EqualError(t, err, strings.Join([]string{
		`x.yaml:2:1: a scenario has no key "stps"; did you mean "steps"?`,
		`x.yaml:4:5: a step has no key "txt"; did you mean "text"?`,
		`x.yaml:4:5: a step needs one of text, react, say, hangup, or else "expect"`,
		`x.yaml:6:19: "max" has to be a number from 0 to 1000; found "-1"`,
		`x.yaml:8:1: a scenario needs "name"`,
		`x.yaml:8:8: "steps" has to be a list of steps; found "1"`,
	}, "\n"))
	var first *scenario.Error
	require.ErrorAs(t, err, &first)
	assert.Equal(t, scenario.Error{File: "x.yaml", Line: 2, Column: 1, Message: `a scenario has no key "stps"; did you mean "steps"?`}, *first)
}

func TestReadFile_TakesWhatParseTakes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.yaml")
	require.NoError(t, os.WriteFile(name, []byte(everything), 0o600))
	got, err := scenario.ReadFile(name)
	require.NoError(t, err)
	want, err := scenario.Parse(name, []byte(everything))
	require.NoError(t, err)
	assert.Equal(t, want, got)

	require.NoError(t, os.WriteFile(name, bytes.Repeat([]byte("#\n"), 3<<20), 0o600))
	_, err = scenario.ReadFile(name)
	assert.EqualError(t, err, name+":1: the file is larger than 4 MiB")
	_, err = scenario.ReadFile(name + "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// withoutPositions returns scenarios as they would be had they not been read from a file.
func withoutPositions(scenarios []scenario.Scenario) []scenario.Scenario {
	for i := range scenarios {
		scenarios[i].File, scenarios[i].Line = "", 0
		for j := range scenarios[i].Steps {
			scenarios[i].Steps[j].Line = 0
		}
	}
	return scenarios
}

// What can be read can be written, and is the same when it is read again. Mistakes have a position in the file.
func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("name: &a x\nsteps: [&b {text: *a}, *b]\n---\nname: \"\\u2028\"\nsteps: [{say: \"a\\tb\\n\"}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := scenario.Parse("f", data)
		if err != nil {
			var problem *scenario.Error
			if !errors.As(err, &problem) || problem.Line < 1 || problem.Line > bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\r"))+2 {
				t.Fatalf("%v", err)
			}
			return
		}
		var out bytes.Buffer
		require.NoError(t, scenario.Write(&out, read...))
		again, err := scenario.Parse("f", out.Bytes())
		require.NoError(t, err, "%s", out.Bytes())
		require.Equal(t, withoutPositions(read), withoutPositions(again), "%s", out.Bytes())
	})
}
