package agentphone_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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

// spoken returns what the agent says for a stream of tokens that come without pauses, line by line.
func spoken(t *testing.T, words ...string) (lines []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { // in which a slow machine makes no pauses
		w := apitest.Serve(voiceHandler(t, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(tokens(words...)) }), apitest.SignedRequest(apitest.TurnEvent, ""))
		require.Equal(t, 200, w.Code)
		lines = textsOf(t, w.Body.String())
	})
	return lines
}

// tokenizations returns ways in which a text may arrive.
func tokenizations(text string) map[string][]string {
	ways := map[string][]string{
		"whole":         {text},
		"per character": strings.Split(text, ""),
		"per word":      regexp.MustCompile(`\s*\S+|\s+$`).FindAllString(text, -1), // as models do: with the space before
		"space after":   strings.SplitAfter(text, " "),
	}
	for seed := range uint64(8) {
		random, runes, words := rand.New(rand.NewPCG(seed, 1)), []rune(text), []string{}
		for len(runes) > 0 {
			n := min(1+random.IntN(7), len(runes))
			words, runes = append(words, string(runes[:n])), runes[n:]
		}
		ways[fmt.Sprint("random ", seed)] = words
	}
	return ways
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
			for way, words := range tokenizations(tc.text) {
				assert.Equal(t, want, spoken(t, words...), way)
			}
		})
	}
}

// ends returns how many characters but white space come before each end of a line, but the last.
func ends(lines []string) map[int]bool {
	at, all := 0, map[int]bool{}
	for _, line := range lines[:len(lines)-1] {
		at += len([]rune(withoutSpace(line)))
		all[at] = true
	}
	return all
}

// Sentences as agents say them, one a line, are told apart. A wrong end makes an agent stop within a sentence; one that is
// missed makes it speak a sentence later.
func TestVoiceResponseStream_PrecisionAndRecall(t *testing.T) {
	file, err := os.ReadFile("testdata/sentences.txt")
	require.NoError(t, err)
	sentences := strings.Split(strings.TrimSpace(string(file)), "\n")
	require.Len(t, sentences, 200)
	want := ends(sentences)
	for way, words := range tokenizations(strings.Join(sentences, " ")) {
		t.Run(way, func(t *testing.T) {
			lines := spoken(t, words...)
			got, right := ends(lines), 0
			for end := range got {
				if want[end] {
					right++
				}
			}
			precision, recall := float64(right)/float64(len(got)), float64(right)/float64(len(want))
			t.Logf("%d lines, precision %.4f, recall %.4f", len(lines), precision, recall)
			for _, line := range lines {
				if !slices.Contains(sentences, line) {
					t.Log(line)
				}
			}
			assert.GreaterOrEqual(t, precision, 0.99)
			assert.GreaterOrEqual(t, recall, 0.97)
		})
	}
}

// Models write other spaces than that of ASCII, as within the numbers of French. They are of several bytes.
func TestVoiceResponseStream_AnySpaceIsASpace(t *testing.T) {
	file, err := os.ReadFile("testdata/sentences.txt")
	require.NoError(t, err)
	texts := []string{"Cela coûte 12 500 euros.", "Here: 1. Milk 2. Eggs 3. Ham", "Take ( 1. Milk 2. Eggs )", "Bonjour Ada", "Ask for Dr. Who. No. 3 left."}
	for sentences := range slices.Chunk(strings.Split(strings.TrimSpace(string(file)), "\n"), 5) {
		texts = append(texts, strings.Join(sentences, " "))
	}
	plain := func(lines []string) (out []string) {
		for _, line := range lines {
			out = append(out, strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) {
					return ' '
				}
				return r
			}, line))
		}
		return out
	}
	ways := map[string]func(text string) []string{
		"at once": func(text string) []string { return spoken(t, text) },
		"a pause after each": func(text string) []string {
			var steps []any
			for word := range strings.SplitAfterSeq(text, ".") {
				for _, part := range regexp.MustCompile(`.{1,13}`).FindAllString(word, -1) {
					steps = append(steps, part, 1100*time.Millisecond)
				}
			}
			return heard(t, func(_ context.Context, v *agentphone.VoiceResponse) error { return v.Stream(script(steps...)) })
		},
	}
	for way, say := range ways {
		for _, text := range texts {
			want := say(text)
			for _, space := range []string{"\t", "\u0085", "\u00a0", "\u2003", "\u2028", "\u202f", "\u205f", "\u3000"} {
				require.Equal(t, want, plain(say(strings.ReplaceAll(text, " ", space))), "%s, %q, %q", way, space, text)
			}
		}
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
	pieces := []string{"word", " ", "  ", ".", "!", "?", "…", "。", "！", "？", "\n", "\r\n", "\t", "\u00a0", "\u202f", "\u3000", `"`, "'", "”", "」", ")", "（", "好", "é", "😀", "3.50", strings.Repeat("z", 170)}
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
