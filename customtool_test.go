package agentphone_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestCustomTool_KeepsUnknownFields(t *testing.T) {
	in := `{"name":"n","description":"d","url":"https://x","method":"POST","retries":3,"auth":{"kind":"none"}}`
	var tool agentphone.CustomTool
	require.NoError(t, json.Unmarshal([]byte(in), &tool))
	assert.Equal(t, "POST", tool.Method)
	assert.Len(t, tool.Extra, 2)
	assert.JSONEq(t, in, apitest.JSON(t, tool))
	tool.Extra = map[string]any{"name": "not this one"}
	assert.Contains(t, apitest.JSON(t, tool), `"name":"n"`)
}

// The API's responses leave tools untyped.
func TestCustomTool_OddFieldsLoseNothing(t *testing.T) {
	for _, odd := range []string{
		`{"name":7,"description":null,"url":["x"]}`, `{"name":"n","description":"d","url":"u","headers":{"A":1}}`,
		`{"name":"n","description":"d","url":"u","headers":{"A":null,"B":"b"}}`, `{"name":"n","description":"d","url":"u","headers":[]}`,
		`{"name":"n","description":"d","url":"u","parameters":"{}","timeoutMs":1500.5,"speakDuringExecution":"yes"}`,
	} {
		t.Run(odd, func(t *testing.T) {
			c, _ := apitest.NewClient(t, apitest.Always(200, `{"data":[{"id":"agt_1","customTools":[`+odd+`]},{"id":"agt_2"}],"total":2}`))
			page, err := c.Agents.List(t.Context(), agentphone.ListAgentsParams{})
			require.NoError(t, err)
			require.Len(t, page.Data, 2)
			var want map[string]any
			require.NoError(t, json.Unmarshal([]byte(odd), &want))
			if want["description"] == nil {
				want["description"] = "" // always sent
			}
			assert.JSONEq(t, apitest.JSON(t, want), apitest.JSON(t, page.Data[0].CustomTools[0]), "a tool that was read can be written")
		})
	}
}

func TestCustomTool_KeepsEmptyHeaders(t *testing.T) {
	var plain agentphone.CustomTool
	require.NoError(t, json.Unmarshal([]byte(`{"headers":{"A":"","B":"null"}}`), &plain))
	assert.Equal(t, map[string]string{"A": "", "B": "null"}, plain.Headers, "both are strings")
}

func TestCustomTool_ToolsThatAreNoObjectsHideNoAgent(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"agt_1","customTools":["odd",null,7]}`))
	agent, err := c.Agents.Get(t.Context(), "agt_1")
	require.NoError(t, err)
	assert.Len(t, agent.CustomTools, 3)
}
