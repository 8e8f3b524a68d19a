package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/devphone/scenario"
)

func TestPattern_FindsWordsAndRegularExpressions(t *testing.T) {
	for _, test := range []struct {
		pattern scenario.Pattern
		text    string
		want    bool
	}{
		{"how many", "For HOW\n many people?", true},
		{"how many", "For howmany people?", false},
		{"$3.50 (each)", "It is $3.50 (each).", true},
		{"3.50", "3x50", false},
		{"/^for \\d+ people$/", "for 4 people", true},
		{"/^for \\d+ people$/", "For 4 people", false},
		{"/^for \\d+ people$/i", "For 4 people", true},
		{"https://example.com/i", "see https://example.com/i", true},
		{"/", "a/b", true},
		{"//", "a//b", true},
		{"/usr/bin", "in /usr/bin", true},
		{"ÄPFEL", "äpfel", true},
		{"at 7 p.m.", "at\u00a07\u202fp.m.", true},
		{"at\u00a07", "at 7", true},
	} {
		t.Run(string(test.pattern), func(t *testing.T) {
			re, err := test.pattern.Regexp()
			require.NoError(t, err)
			assert.Equal(t, test.want, re.MatchString(test.text), test.text)
		})
	}
}

func TestStatus_MatchesACodeOrAClass(t *testing.T) {
	assert.True(t, scenario.Status("200").Matches(200))
	assert.False(t, scenario.Status("200").Matches(204))
	assert.True(t, scenario.Status("4xx").Matches(401))
	assert.False(t, scenario.Status("4xx").Matches(500))
	assert.False(t, scenario.Status("4xx").Matches(0))
}
