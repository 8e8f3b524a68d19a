package scenario_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/devphone/scenario"
)

func TestWrite_WritesWhatParseReads(t *testing.T) {
	want, err := scenario.Parse("x.yaml", []byte(everything))
	require.NoError(t, err)
	hostile := scenario.Scenario{Name: "yes", People: []scenario.Person{{Name: "null"}, {Name: "~ #: {"}}, Steps: []scenario.Step{
		{Action: scenario.ActionText, Words: "null", From: "~ #: {"},
		{Action: scenario.ActionText, Words: "- a: b\n\n  # c\r\n\u202e\U0001f600\u2028 \x1b \ufeff "},
		{Action: scenario.ActionSay, Words: `'"` + strings.Repeat("long ", 1000)},
		{Action: scenario.ActionText, Words: "0123", Expect: scenario.Expectation{Words: []scenario.Pattern{"true", "/^a: b/", "*"}}},
	}}
	want = append(want, hostile)

	var out bytes.Buffer
	require.NoError(t, scenario.Write(&out, want...))
	got, err := scenario.Parse("y.yaml", out.Bytes())
	require.NoError(t, err, out.String())
	assert.Equal(t, withoutPositions(want), withoutPositions(got))
}

func TestWrite_IsReadable(t *testing.T) {
	read, err := scenario.Parse("x.yaml", []byte(everything))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, scenario.Write(&out, read[0]))
	assert.Contains(t, out.String(), "people:\n  ada: \"+14155550123\"\n  bob:\n  cy: cy@example.com\nsteps:\n  - text: Can I book a table?\n    channel: imessage\n")
	assert.Contains(t, out.String(), "  - say: Hello?\n    fault:\n      stale: 10m\n    expect:\n      max: 0\n      status: 4xx\n  - say: Bye.\n")
}

func TestWrite_RefusesWhatCouldNotBeRead(t *testing.T) {
	var out bytes.Buffer
	err := scenario.Write(&out, scenario.Scenario{Name: "n", Steps: []scenario.Step{{Action: scenario.ActionSay, Words: "Hi", From: "ada"}}})
	assert.EqualError(t, err, `scenario:4:11: "people" has no "ada"; known: caller`)
	assert.Error(t, scenario.Write(&out, scenario.Scenario{Name: "n", Steps: []scenario.Step{{Action: scenario.ActionSay, Words: "\xff"}}}))
	assert.Empty(t, out.String())
}
