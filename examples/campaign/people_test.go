package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadTexts(t *testing.T) {
	c := config{name: "n", text: "Hi {{.name}}!", agentID: "agt_1", country: "1"}
	texts, problems, err := readTexts(c, strings.NewReader("\ufeffName, Number \n\"Ada, Countess\",(415) 555-0101\nBen,\nCleo, +44 20 7946 0018\nAda again,1-415-555-0101\n"))
	require.NoError(t, err)
	assert.Equal(t, []text{
		{Campaign: "n", To: "+14155550101", AgentID: "agt_1", Body: "Hi Ada, Countess!"},
		{Campaign: "n", To: "+442079460018", AgentID: "agt_1", Body: "Hi Cleo!"},
	}, texts)
	require.Len(t, problems, 2)
	assert.Contains(t, problems[0], "line 3: ")
	assert.Equal(t, "line 5: the number is that of line 2", problems[1])

	for name, bad := range map[string][2]string{
		"nothing":             {"Hi!", ""},
		"a column is missing": {"Hi {{.name}}, {{.day}}!", "name,number\nAda,4155550101\n"},
		"no number column":    {"Hi!", "name\nAda\n"},
		"no template":         {"Hi {{", "number\n4155550101\n"},
		"too many fields":     {"Hi!", "number\n4155550101,Ada\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readTexts(config{text: bad[0], country: "1"}, strings.NewReader(bad[1]))
			assert.Error(t, err)
		})
	}
}
