package agentphone_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// textsOf returns the texts of an answer. Each of its lines must be JSON, and all but the last interim.
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

// spoken returns what the agent says for a stream of tokens, line by line.
func spoken(t *testing.T, words ...string) []string {
	t.Helper()
	w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(tokens(words...)) }), apitest.SignedRequest(apitest.TurnEvent, ""))
	require.Equal(t, 200, w.Code)
	return textsOf(t, w.Body.String())
}

func TestVoiceResponseStream_CutsSentences(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 60)) // 299 bytes
	for name, tc := range map[string]struct{ text, want string }{
		"line feed":                     {"Milk\nEggs\n\n\nHam", "Milk|Eggs|Ham"},
		"carriage return and line feed": {"Milk\r\nEggs", "Milk|Eggs"},
		"end marks before white space":  {"Yes. No! Well? Hm… Then", "Yes.|No!|Well?|Hm…|Then"},
		"marks within words":            {"At 3.50, a.b.c or example.com!x", "At 3.50, a.b.c or example.com!x"},
		"wide marks":                    {"はい。いいえ！本当？はい", "はい。|いいえ！|本当？|はい"},
		"several marks":                 {"Really?! No... Oh", "Really?!|No...|Oh"},
		"several wide marks":            {"本当？！はい。。。ええ", "本当？！|はい。。。|ええ"},
		"closing bracket":               {"(Sure.) Now", "(Sure.)|Now"},
		"closing quotes":                {`"Sure." 'No.' “Well.” ‘Oh.’ Now`, `"Sure."|'No.'|“Well.”|‘Oh.’|Now`},
		"closing quote and bracket":     {`("Sure.") Now`, `("Sure.")|Now`},
		"closing wide quotes":           {"「はい。」と言った。そう", "「はい。」|と言った。|そう"},
		"opening bracket":               {"はい。「いいえ」", "はい。|「いいえ」"},
		"300 bytes before the end":      {long[5:] + " end. Then", long[5:] + " end.|Then"},
	} {
		t.Run(name, func(t *testing.T) {
			want := strings.Split(tc.want, "|")
			assert.Equal(t, want, spoken(t, tc.text), "one token")
			assert.Equal(t, want, spoken(t, strings.Split(tc.text, "")...), "a token per character")
		})
	}
}

// With a higher limit the caller would wait in silence, with a lower one sentences would be cut.
func TestVoiceResponseStream_HoldsBackUpTo300Bytes(t *testing.T) {
	for size, lines := range map[int]int{299: 1, 300: 1, 301: 2, 3000: 10} {
		t.Run(fmt.Sprint(size, " bytes"), func(t *testing.T) {
			got := spoken(t, strings.Split(strings.Repeat("x", size), "")...)
			assert.Len(t, got, lines)
			assert.Equal(t, strings.Repeat("x", size), strings.Join(got, ""))
		})
	}
	words := strings.TrimSpace(strings.Repeat("word ", 60)) // 299 bytes
	assert.Equal(t, []string{words, "and on"}, spoken(t, strings.Split(words+" and on", "")...), "words are not cut")
}

// Each character is said once and in order, wherever the tokens begin and end.
func TestVoiceResponseStream_LosesNoTextHoweverTokenized(t *testing.T) {
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
