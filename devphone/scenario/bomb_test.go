package scenario_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// numbered is a text with each number below n in it.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// A file from somebody else, such as of a pull request, is refused in little time and memory, whatever is in it.
func TestParse_NoFileTakesMuchTimeOrMemory(t *testing.T) {
	words := "[" + strings.Repeat("ab,", 20_000) + "ab]"
	people := numbered("  p%d:\n", 50_000)
	for name, file := range map[string]string{
		"a step again and again":         "name: x\nsteps:\n- &s {text: a, expect: {words: " + words + "}}\n" + strings.Repeat("- *s\n", 20_000),
		"an expectation again":           "name: x\nsteps:\n- {text: a, expect: &e {words: " + words + "}}\n" + strings.Repeat("- {text: a, expect: *e}\n", 20_000),
		"words again":                    "name: x\nsteps:\n- {text: a, expect: {words: &w " + words + "}}\n" + strings.Repeat("- {text: a, expect: {not: *w}}\n", 20_000),
		"people again":                   "name: x\npeople: &p\n" + numbered("  p%d:\n", 1000) + "steps: &s [text: a]\n" + strings.Repeat("---\nname: x\npeople: *p\nsteps: *s\n", 20_000),
		"media again":                    "name: x\nsteps:\n- {text: a, media: &m " + words + "}\n" + strings.Repeat("- {text: a, media: *m}\n", 20_000),
		"steps again":                    "name: x\nsteps: &s\n" + strings.Repeat("- text: a\n", 20_000) + "steps: *s\n",
		"mistakes again":                 "name: x\nsteps:\n- &s {" + numbered("k%d: 1,", 20_000) + "}\n" + strings.Repeat("- *s\n", 20_000),
		"many people":                    "name: x\npeople:\n" + people + "steps: [text: a]\n",
		"many people with one address":   "name: x\npeople:\n" + strings.ReplaceAll(people, ":\n", ": \"+14155550123\"\n") + "steps: [text: a]\n",
		"steps of nobody of many":        "name: x\npeople:\n" + numbered("  "+strings.Repeat("p", 1000)+"%d:\n", 900) + "steps:\n" + strings.Repeat("- {text: a, from: y}\n", 50_000),
		"a long name in many mistakes":   "name: x\npeople: {? &n " + strings.Repeat("n", 1<<20) + " : 1}\nsteps:\n" + strings.Repeat("- {text: a, from: [*n]}\n", 50_000),
		"a long key in many mistakes":    "name: x\nsteps:\n- {? &n " + strings.Repeat("n", 1<<20) + " : 1}\n" + strings.Repeat("- {? *n : 1}\n", 50_000),
		"many scenarios":                 strings.Repeat("name: x\nsteps: [text: a]\n---\n", 120_000),
		"many empty documents":           strings.Repeat("---\n", 1<<20),
		"many steps":                     "name: x\nsteps:\n" + strings.Repeat("- {text: a}\n", 60_000),
		"many values of no key":          "name: x\nsteps: [text: a]\nother: [" + strings.Repeat("a,", 300_000) + "]\n",
		"many keys":                      "name: x\n" + numbered("k%d: 1\n", 100_000),
		"many comments":                  "name: x\n" + strings.Repeat("#\n", 500_000) + "steps: [text: a]\n",
		"many anchors":                   "name: x\nsteps: [" + numbered("&a%d b,", 100_000) + "]\n",
		"deep":                           "name: x\nsteps: " + strings.Repeat("[", 1<<20),
		"a step that is its own":         "name: x\nsteps: &s\n- *s\n",
		"an expectation that is its own": "name: x\nsteps:\n- &s {text: a, expect: *s}\n",
	} {
		t.Run(name, func(t *testing.T) {
			require.LessOrEqual(t, len(file), 4<<20)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := scenario.Parse("x.yaml", []byte(file))
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			require.True(t, err != nil || name == "many comments")
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%v, %d MiB allocated: %.200s", took, allocated, fmt.Sprint(err))
			assert.Less(t, took, time.Minute)
			assert.Less(t, allocated, uint64(1000), "MiB")
			if err != nil {
				assert.Less(t, len(err.Error()), 200_000)
			}
		})
	}
}

func TestParse_AliasesOfAFileThatSomebodyWroteAreRead(t *testing.T) {
	scenarios, err := scenario.Parse("x", []byte("name: &n x\nsteps:\n- &s {text: *n, expect: {words: &w [a, b]}}\n"+strings.Repeat("- *s\n- {say: a, expect: {not: *w}}\n", 5000)))
	require.NoError(t, err)
	assert.Len(t, scenarios[0].Steps, 10_001)
	_, err = scenario.Parse("x", []byte("name: x\nsteps:\n- &s {text: a}\n"+strings.Repeat("- *s\n", 200_000)))
	require.EqualError(t, err, "x:1: it has more than 100000 values, counting each time what an alias stands for")
}
