package agentphone_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// textsOf are the texts of an answer. Each of its lines must be JSON, and all but the last interim.
func textsOf(t *testing.T, answer string) (texts []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(answer, "\n"), "\n")
	for i, line := range lines {
		var said struct {
			Text    string
			Interim bool
		}
		require.NoError(t, json.Unmarshal([]byte(line), &said), line)
		require.Equal(t, i < len(lines)-1, said.Interim, answer)
		texts = append(texts, said.Text)
	}
	return texts
}

// spoken is what a stream of tokens makes the agent say, line by line.
func spoken(t *testing.T, words ...string) []string {
	t.Helper()
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(tokens(words...)) }), apitest.SignedRequest(apitest.TurnEvent, ""))
	require.Equal(t, 200, w.Code)
	return textsOf(t, w.Body.String())
}

func TestASentenceIsSaidWholeAndAtOnce(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 60)) // 299 bytes
	for name, tc := range map[string]struct{ text, want string }{
		"a line feed ends one":                     {"Milk\nEggs\n\n\nHam", "Milk|Eggs|Ham"},
		"so does one with a return":                {"Milk\r\nEggs", "Milk|Eggs"},
		"marks that white space follows":           {"Yes. No! Well? Hm… Then", "Yes.|No!|Well?|Hm…|Then"},
		"marks that nothing follows":               {"At 3.50, a.b.c or example.com!x", "At 3.50, a.b.c or example.com!x"},
		"wide marks":                               {"はい。いいえ！本当？はい", "はい。|いいえ！|本当？|はい"},
		"many marks":                               {"Really?! No... Oh", "Really?!|No...|Oh"},
		"many wide marks":                          {"本当？！はい。。。ええ", "本当？！|はい。。。|ええ"},
		"a bracket that it closes":                 {"(Sure.) Now", "(Sure.)|Now"},
		"quotes that it closes":                    {`"Sure." 'No.' “Well.” ‘Oh.’ Now`, `"Sure."|'No.'|“Well.”|‘Oh.’|Now`},
		"several":                                  {`("Sure.") Now`, `("Sure.")|Now`},
		"wide quotes":                              {"「はい。」と言った。そう", "「はい。」|と言った。|そう"},
		"a bracket that opens belongs to the next": {"はい。「いいえ」", "はい。|「いいえ」"},
		"300 bytes wait for their end":             {long[5:] + " end. Then", long[5:] + " end.|Then"},
	} {
		t.Run(name, func(t *testing.T) {
			want := strings.Split(tc.want, "|")
			assert.Equal(t, want, spoken(t, tc.text), "in one token")
			assert.Equal(t, want, spoken(t, strings.Split(tc.text, "")...), "in many")
		})
	}
}

// Up to 300 bytes are held back: longer, a caller would wait in silence; shorter, sentences would be cut.
func TestATextWithoutAnEndIsHeldBackUpTo300Bytes(t *testing.T) {
	for size, lines := range map[int]int{299: 1, 300: 1, 301: 2, 3000: 10} {
		got := spoken(t, strings.Split(strings.Repeat("x", size), "")...)
		assert.Len(t, got, lines, size)
		assert.Equal(t, strings.Repeat("x", size), strings.Join(got, ""), size)
	}
	words := strings.TrimSpace(strings.Repeat("word ", 60)) // 299 bytes
	assert.Equal(t, []string{words, "and on"}, spoken(t, strings.Split(words+" and on", "")...), "words are not cut")
}

// However the tokens come, each character is said once, in order, and none is torn.
func TestNoTokenizationLosesText(t *testing.T) {
	pieces := []string{"word", " ", "  ", ".", "!", "?", "…", "。", "！", "？", "\n", "\r\n", "\t", `"`, "'", "”", "」", ")", "（", "好", "é", "😀", "3.50", strings.Repeat("z", 170)}
	silent := func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var text strings.Builder
		for range random.IntN(60) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		var words []string
		for rest := text.String(); rest != ""; { // cut anywhere, also within a character
			n := 1 + random.IntN(min(len(rest), 40))
			words = append(words, rest[:n])
			rest = rest[n:]
		}
		got := spoken(t, words...)
		require.Equal(t, strings.Map(silent, text.String()), strings.Map(silent, strings.Join(got, "")), "%q", words)
		for _, line := range got {
			require.LessOrEqual(t, len(line), 300+40, "%q", words)
			require.Equal(t, strings.TrimSpace(line), line)
		}
	}
}
