package redact_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/redact"
)

const key = "sk_live_Secret0123456789"

func TestText_IsShortCleanAndWithoutTheKey(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"as it is":                        "as it is",
		"naïve – 電話":                      "naïve – 電話",
		"a\nb\r\n\tc":                     "a b c",
		"a\x1b[31mb\u0085c\u009bd":        "a [31mb c d",
		"rtl \u202egnp.exe\u202c":         "rtl gnp.exe",
		"bad \xff\xfe end":                "bad \ufffd end",
		"the key " + key + "!":            "the key [REDACTED]!",
		"KEY " + strings.ToUpper(key):     "KEY [REDACTED]",
		"two " + key + key + ".":          "two [REDACTED][REDACTED].",
		strings.Repeat("x", 500):          strings.Repeat("x", 500),
		strings.Repeat("x", 501):          strings.Repeat("x", 497) + "…",
		strings.Repeat("é", 400):          strings.Repeat("é", 248) + "…",
		strings.Repeat("x", 490) + key:    strings.Repeat("x", 490) + "[REDACTED]",
		strings.Repeat("x", 495) + key:    strings.Repeat("x", 495) + "[R…",
		strings.Repeat("\n", 1<<20) + "x": "…",
	} {
		got := redact.Text(in, key)
		assert.Equal(t, want, got, "%.60q", in)
	}
}

// In JSON the key may be escaped, in whole or in part.
func TestBytes_EscapedKeyIsReplaced(t *testing.T) {
	escape := func(format string, which func(i int) bool) string {
		var b strings.Builder
		for i := range len(key) {
			if which(i) {
				fmt.Fprintf(&b, format, key[i])
			} else {
				b.WriteByte(key[i])
			}
		}
		return b.String()
	}
	all := func(int) bool { return true }
	for name, text := range map[string]string{
		"all":        escape(`\u%04x`, all),
		"upper case": escape(`\u%04X`, all),
		"first":      escape(`\u%04x`, func(i int) bool { return i == 0 }),
		"last":       escape(`\u%04x`, func(i int) bool { return i == len(key)-1 }),
		"some":       escape(`\u%04x`, func(i int) bool { return i%3 == 1 }),
		"letters":    `\u0053\u004B` + key[2:],
		"backslash":  escape(`\%c`, func(i int) bool { return key[i] == '_' }),
	} {
		t.Run(name, func(t *testing.T) {
			const quote = `{"a":"\\","b":"\u00e9 %s and %[1]s","c":"\n%[2]s"}`
			assert.Equal(t, fmt.Sprintf(quote, redact.Mark, redact.Mark), string(redact.Bytes(fmt.Appendf(nil, quote, text, key), key)))
			assert.Equal(t, redact.Mark+" "+redact.Mark, redact.Text(text+" "+text, key))
			for n := range len(text) {
				body := strings.Repeat(".", redact.MaxBody-n) + text + "tail"
				got := string(redact.Body([]byte(body), key))
				assert.NotContains(t, got, text[:1], "%d bytes before the end", n)
				assert.LessOrEqual(t, len(got), redact.MaxBody)
			}
		})
	}
	for _, other := range []string{`sk\u002dlive`, `\u0073k\u00`, `sk_live_\u`, `\`, `\u`, `\uzzzz`, strings.Repeat(`\`, 99)} {
		assert.Equal(t, other, string(redact.Bytes([]byte(other), key)))
	}
	assert.Equal(t, "a[REDACTED]b", string(redact.Bytes([]byte(`aback\slashb`), `back\slash`)))
}

// What is redacted of valid JSON is valid JSON, whatever stands before the key, or it is lost to who decodes it.
func TestBytes_OfJSONAreJSON(t *testing.T) {
	inString := func(s string) string {
		b, err := json.Marshal(map[string]string{"a": s, s: "b"})
		require.NoError(t, err)
		return string(b)
	}
	for n := range 6 {
		for _, before := range []string{"", "x", `"`, "\n", "\u00e9", `{"a":"`} {
			before += strings.Repeat(`\`, n)
			for _, quoted := range []string{key, strings.ToUpper(key), key + key, key + `\` + key} {
				for _, body := range []string{
					inString(before + quoted + `\`),
					inString(inString(before + quoted)), // JSON in JSON
					strings.ReplaceAll(inString(before+quoted), "s", `\u0073`),
					strings.ReplaceAll(inString(before+quoted), "_", `\u005F`),
				} {
					got := redact.Bytes([]byte(body), key)
					var decoded map[string]string
					if !assert.NoError(t, json.Unmarshal(got, &decoded), "%s became %s", body, got) {
						continue
					}
					assert.Contains(t, string(got), redact.Mark, "%s", body)
					for name, value := range decoded {
						assert.NotContains(t, strings.ToLower(name+value), strings.ToLower(key), "%s became %s", body, got)
					}
				}
			}
		}
	}
	assert.Equal(t, `{"a":"use \\[REDACTED]"}`, string(redact.Bytes([]byte(`{"a":"use \\`+key+`"}`), key)))
	assert.Equal(t, `{"a":"{\"b\":\"[REDACTED]\"}"}`, string(redact.Bytes([]byte(`{"a":"{\"b\":\"\\u0073`+key[1:]+`\"}"}`), key)), "escaped twice")
	assert.Equal(t, `C:[REDACTED]`, string(redact.Bytes([]byte(`C:\`+key), key)), "no JSON")
}

// The time does not grow with the square of the size.
func TestBytes_ManyKeysAreReplacedInOneGo(t *testing.T) {
	for _, text := range []string{key, `\` + key, `\u0073` + key[1:]} {
		const n = 100_000
		got := redact.Bytes([]byte(strings.Repeat(text, n)), key)
		assert.Equal(t, n, strings.Count(string(got), redact.Mark))
	}
}

func TestError_KeepsWhatItIsUnlessItQuotesTheKey(t *testing.T) {
	plain := redact.Error(fmt.Errorf("open: %w", fs.ErrNotExist), key)
	assert.EqualError(t, plain, "open: file does not exist")
	require.ErrorIs(t, plain, fs.ErrNotExist)
	assert.NoError(t, redact.Error(nil, key))
	assert.Equal(t, io.EOF, redact.Error(io.EOF, key))

	path := &fs.PathError{Op: "open\n\x1b[31m", Path: strings.Repeat("p", 1000), Err: fs.ErrNotExist}
	shown := redact.Error(fmt.Errorf("x: %w", path), key)
	require.ErrorIs(t, shown, fs.ErrNotExist)
	var as *fs.PathError
	require.ErrorAs(t, shown, &as)
	require.Nil(t, errors.Unwrap(shown))
	for _, verb := range []string{"%v", "%+v", "%s", "%q"} {
		text := fmt.Sprintf(verb, shown)
		assert.LessOrEqual(t, len(text), redact.MaxText+2, verb)
		assert.NotContains(t, text, "\n", verb)
		assert.NotContains(t, text, "\x1b", verb)
	}

	quoting := fmt.Errorf("bad header %s: %w", strings.ToUpper(key), fs.ErrNotExist)
	shown = redact.Error(quoting, key)
	assert.EqualError(t, shown, "bad header [REDACTED]: file does not exist")
	assert.NotErrorIs(t, shown, fs.ErrNotExist, "nothing that quotes the key can be reached")
}

func FuzzText_IsShortCleanAndWithoutTheKey(f *testing.F) {
	for _, s := range []string{"", key, strings.ToUpper(key), "a" + key[:10] + "\x00" + key[10:], "\u202e" + key, "\xff" + key + "\xff", strings.Repeat(key+"\n", 99)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, s := range []string{s, s + key, strings.ToUpper(key) + s} {
			got := redact.Text(s, key)
			if len(got) > redact.MaxText || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) || strings.Contains(strings.ToLower(got), strings.ToLower(key)) {
				t.Fatalf("%q became %q", s, got)
			}
			if redact.Text(got, key) != got {
				t.Fatalf("%q became %q, and then another", s, got)
			}
		}
	})
}

func TestBody_IsCutWithoutALeftoverOfTheKey(t *testing.T) {
	assert.Equal(t, "short "+redact.Mark, string(redact.Body([]byte("short "+key), key)))
	for n := range len(key) + 2 {
		text := strings.Repeat(".", redact.MaxBody-n) + strings.ToUpper(key) + "tail"
		for _, b := range [][]byte{[]byte(text), []byte(text)[:redact.MaxBody]} { // cut here, or by who read it
			got := string(redact.Body(b, key))
			assert.LessOrEqual(t, len(got), redact.MaxBody)
			assert.NotContains(t, got, "SK", "%d bytes before the end", n)
		}
	}
	for n := range len(key) { // a whole key before makes it shorter
		text := key + strings.Repeat(".", redact.MaxBody-len(key)-n) + key[:n]
		assert.NotContains(t, strings.TrimPrefix(string(redact.Body([]byte(text), key)), redact.Mark), "sk", "%d bytes of the key", n)
	}
	assert.Len(t, redact.Body(make([]byte, 1<<20), key), redact.MaxBody)
	assert.Less(t, cap(redact.Body(make([]byte, 1<<20), key)), 2*redact.MaxBody, "no more is kept in memory")
	assert.Len(t, redact.Body(make([]byte, 1<<20), ""), redact.MaxBody)
}

func TestBytes_LeavesWhatIsTooShortForAKey(t *testing.T) {
	for n := 1; n < redact.MinKey; n++ {
		short := "sk_live_"[:n]
		assert.Equal(t, "msg_sk_live_1", redact.Text("msg_sk_live_1", short+redact.KeySeparator+key), short)
		assert.Equal(t, "msg_sk_live_1", string(redact.Body([]byte("msg_sk_live_1"), short)), short)
	}
	assert.Equal(t, "x "+redact.Mark, redact.Text("x sk_live_", "sk_live_"))
}

func TestUnquoted_LeavesOutWhatIsQuoted(t *testing.T) {
	for in, want := range map[string]string{
		`as it is`:                   `as it is`,
		`malformed "a"`:              `malformed "…"`,
		`got ["a" "b"], want one`:    `got ["…"], want one`,
		`a "not escaped "b" either"`: `a "…"`,
		`cut "a`:                     `cut "…"`,
		`"`:                          `"…"`,
	} {
		err := redact.Unquoted(fmt.Errorf("%s%w", in, errEmpty), key)
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, errEmpty)
	}
	assert.NotErrorIs(t, redact.Unquoted(fmt.Errorf("%q%w", key, errEmpty), key), errEmpty, "nothing that quotes the key can be reached")
}

var errEmpty = errors.New("")

// An error of a RoundTripper, such as go-retryablehttp's, may have the address of the request without quotation marks. Its query
// has phone numbers.
func TestUnquoted_LeavesOutAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"GET https://api.agentphone.to/v1/numbers/lookup?phoneNumbers=%2B14155550123 giving up": "GET … giving up",
		"http://127.0.0.1:80/x?a=+14155550123":                                                  "…",
		"(HTTPS://x/y), <ws+tls://x/y>: refused":                                                "(… <… refused",
		`Get "https://x/y": EOF at https://x/z`:                                                 `Get "…": EOF at …`,
		"dial tcp 127.0.0.1:80: refused":                                                        "dial tcp 127.0.0.1:80: refused",
		"a://b ://c d:// e":                                                                     "… ://c … e",
	} {
		err := redact.Unquoted(fmt.Errorf("%s%w", in, errEmpty), key)
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, errEmpty)
	}
	assert.NotErrorIs(t, redact.Unquoted(fmt.Errorf("https://x/%s %w", key, errEmpty), key), errEmpty, "nothing that quotes the key can be reached")
}
