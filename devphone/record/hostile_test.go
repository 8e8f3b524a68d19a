package record_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/devphone/record"
	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// hostileTexts are those that YAML, a terminal, an editor or a regular expression could take for something else.
var hostileTexts = []string{
	"null", "- a: b", "# c", "a: b # c", "---", "...\n---\nname: evil", "&a *a", "!!binary AAAA", "{a: [1", `"'\`, "| folded", "yes", "0x1F",
	"\nsteps:\n  - text: evil\n", "  a\n b\n\n", "\ta\tb", "\t\n0", "a\r\nb\r", "\x00\x01\x1b[31mred\x7f", "a\u0085b\u00a0c\u2028d\u2029", "\ufeffa\ufffe\uffff",
	"\u202egnp.exe\u202c\u2066x", "\u0645\u0631\u062d\u0628\u0627 hello", "\U0001f469\u200d\U0001f469 e" + strings.Repeat("\u0301", 60),
	"/a/", "/(/i", "//", "(?i)[a", "a\xffb\xc0\x80", "\xff", "\xed\xa0\x80",
	strings.Repeat("0123456789", 10_000), strings.Repeat("long words ", 9_000), strings.Repeat("\n", 300) + "a",
}

// echo is an agent that says what it hears.
func echo(t *testing.T, c *agentphone.Client) http.Handler {
	t.Helper()
	handler, err := agentphone.NewWebhookHandler([]string{secret}, agentphone.WebhookHandlerConfig{
		OnMessage: func(ctx context.Context, e *agentphone.Event, m *agentphone.MessageData) error {
			_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: e.AgentID, ToNumber: m.From, Body: m.Message})
			return err
		},
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, d *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			return v.Say(d.Transcript)
		},
	})
	require.NoError(t, err)
	return handler
}

func TestOf_HostileTextsAreTexts(t *testing.T) {
	p := newPhone(t, echo)
	var want []string
	for _, text := range hostileTexts {
		p.ReceiveMessage(person, p.PhoneNumber(), text)
		p.say(p.ReceiveCall(imessageUser, p.PhoneNumber()), text)
		require.NoError(t, p.EndCall(p.Calls()[len(p.Calls())-1].ID))
		text = string([]rune(text)) // with a replacement for each byte that is not UTF-8, as in JSON
		want = append(want, text, text, "")
	}
	s, file := p.record(record.Selection{})
	var got []string
	for i := range s.Steps {
		got = append(got, s.Steps[i].Words)
		if s.Steps[i].Action != scenario.ActionSay {
			s.Steps[i].Expect.Quiet = 10 * time.Millisecond
		}
	}
	assertSameTexts(t, want, got)
	assert.Equal(t, "Recorded: null", s.Name)
	result, text := plays(t, s, echo)
	assert.True(t, result.Passed, "%.3000s", text)
	assertShowsAsItIs(t, file)
}

// assertSameTexts is assert.Equal for texts that are too long to be shown.
func assertSameTexts(t *testing.T, want, got []string) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if want[i] != got[i] {
			assert.Equal(t, short(want[i]), short(got[i]), "text %d, of %d and %d bytes", i, len(want[i]), len(got[i]))
			assert.Fail(t, "another text")
		}
	}
}

func short(s string) string { return s[:min(len(s), 300)] }

// assertShowsAsItIs checks that a file has nothing that a terminal or an editor obeys.
func assertShowsAsItIs(t *testing.T, file string) {
	t.Helper()
	for _, r := range file {
		if unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && r != '\n' && r != '\t' {
			t.Fatalf("%U is in the file", r)
		}
	}
}

// Go tests can have anybody text, whatever the address. It is in a comment.
func TestOf_HostileAddressesStayInTheirComment(t *testing.T) {
	p := newPhone(t, nil)
	for _, who := range []string{"+1\u202e\nname: evil\n#", "evil\r@\u2028b", "a@b.c: *x", "\xff", "+14155550142"} {
		p.ReceiveMessage(who, p.PhoneNumber(), "Hi")
	}
	s, file := p.record(record.Selection{})
	assert.Len(t, s.Steps, 5)
	assert.Equal(t, "Recorded: Hi", s.Name)
	assertShowsAsItIs(t, file)
}

func TestRecording_FileNameIsHarmless(t *testing.T) {
	for name, want := range map[string]string{
		"Recorded: Can I book a table?":            "can-i-book-a-table.yaml",
		"Recorded: ../../etc/passwd\"\r\nX: y":     "etc-passwd-x-y.yaml",
		"Recorded: \u0645\u0631\u062d\u0628\u0627": "scenario.yaml",
		"Recorded": "scenario.yaml",
		"Recorded: " + strings.Repeat("a b", 100): "a-ba-ba-ba-ba-ba-ba-ba-ba-ba-ba-ba-ba-ba.yaml",
	} {
		r := record.Recording{Scenario: scenario.Scenario{Name: name}}
		assert.Equal(t, want, r.FileName())
	}
}

func TestRecording_IsNoLargerThanAFileMayBe(t *testing.T) {
	recording := record.Recording{Scenario: scenario.Scenario{Name: "long"}}
	for range 5 {
		recording.Scenario.Steps = append(recording.Scenario.Steps, scenario.Step{Action: scenario.ActionText, Words: strings.Repeat("x", 1<<20)})
	}
	var file strings.Builder
	require.ErrorContains(t, recording.Write(&file), "save one conversation or one call instead: scenario:1: the file is larger than 4 MiB")
	assert.Empty(t, file.String())
}
