package agentphone_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// What a list shows may be what a carrier made of the text, in several ways at once: nobody can tell, so it is not sent again.
func TestWithIdempotencyKey_TextThatMayBeTheEffectIsNotSentAgain(t *testing.T) {
	const stop = "Reply STOP to opt out"
	long := strings.Repeat("words ", 300)
	cafes := strings.Repeat("caf\u00e9 ", 60)
	for name, tc := range map[string]struct{ sent, listed string }{
		"a line more":                            {"hi", "hi\n" + stop},
		"a line more, after CRLF":                {"hi", "hi\r\n" + stop},
		"a line more, after a space":             {"hi", "hi \n" + stop},
		"a line more, and one that is empty":     {"hi", "hi\n\n" + stop},
		"a line separator and a line more":       {"hi", "hi\u2028" + stop},
		"a line before":                          {"hi", "From Acme:\nhi"},
		"a line before and one after":            {"hi", "From Acme:\nhi\n" + stop},
		"more on its line":                       {"Your table is booked.", "Your table is booked. " + stop},
		"more before it on its line":             {"Your table is booked.", "Acme: Your table is booked."},
		"other white space, and a line more":     {"hi  there", "hi there\n" + stop},
		"other quotation marks and a line more":  {"It\u2019s on \u2014 now", "It's on - now\n" + stop},
		"escaped as HTML, and a line more":       {"Tom & Jerry", "Tom &amp; Jerry\n" + stop},
		"its end gone":                           {long, long[:1600]},
		"its end gone, early":                    {long, long[:100]},
		"an ellipsis for its end":                {long, long[:1600] + "\u2026"},
		"three dots for its end":                 {long, long[:157] + "..."},
		"a line for its end":                     {long, long[:157] + "\n" + stop},
		"an ellipsis and a line for its end":     {long, long[:157] + "...\r\n" + stop},
		"an ellipsis where a line ended":         {"Your table is booked.\nSee you.", "Your table is booked...\n" + stop},
		"a line before, and its end gone":        {long, "From Acme:\n" + long[:157]},
		"words before, and its end gone":         {long, "(1/12) " + long[:157]},
		"its beginning gone":                     {"From Acme:\nYour table is booked.", "Your table is booked."},
		"its beginning gone, and a line more":    {"From Acme:\nYour table is booked.", "Your table is booked.\n" + stop},
		"its accents gone":                       {"Un caf\u00e9 \u00e0 Orl\u00e9ans", "Un cafe a Orleans"},
		"its accents gone, and a line more":      {"Un caf\u00e9", "Un cafe\n" + stop},
		"its accents gone, and lines around it":  {"Un caf\u00e9", "Acme:\nUn cafe\n" + stop},
		"its accents and its end gone":           {cafes, strings.Repeat("cafe ", 32)},
		"its accents gone, and dots for its end": {cafes, strings.Repeat("cafe ", 32) + "...\n" + stop},
		"another form of Unicode":                {"Un caf\u00e9 au lait", "Un cafe\u0301 au lait"},
		"another form, and a line more":          {"Un cafe\u0301", "Un caf\u00e9\n" + stop},
		"an accent for all there is":             {"\u1eea", "U\n" + stop},
		"its emoji gone":                         {"See you \U0001F44B", "See you ?"},
		"its emoji gone, and a line more":        {"See you \U0001F44B", "See you ?\n" + stop},
		"an emoji, and a line more":              {"\U0001F44D", "\U0001F44D\n" + stop},
		"an emoji gone, and a line more":         {"\U0001F44D", "?\n" + stop},
		"a non-breaking hyphen":                  {"9\u201110 today", "9-10 today"},
		"German quotation marks":                 {"\u201eja\u201c \u00abnein\u00bb", `"ja" <<nein>>`},
		"no words":                               {"hi", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				assertNotSentAgain(t, sendBody(tc.sent),
					item{"id": "x", "to": "+14155550123", "body": tc.listed, "direction": "outbound", "receivedAt": time.Now()})
			})
		})
	}
}

func sendBody(body string) func(context.Context, *agentphone.Client) error {
	return func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: body}, key("k"))
		return err
	}
}

// Another text to the same person is no doubt: the request is sent again, for it had no effect.
func TestWithIdempotencyKey_OtherTextsAreNoDoubt(t *testing.T) {
	for sent, listed := range map[string]string{
		"Your code is 1042":                "Your code is 1043",
		"hi":                               "hi there",
		"Un caf\u00e9 \u00e0 Orl\u00e9ans": "Un th\u00e9 \u00e0 Orl\u00e9ans",
		"\u4f60\u597d":                     "\u518d\u89c1",
		"hi 2":                             "hi\nReply STOP to opt out",
		"is that":                          "Is that ok?\nTell me",
		"there":                            "hi there",
		"hi there":                         "hi",
		"\U0001F44D":                       "Thanks\nAda",
		"Good morning Ada.\nYour appointment is on Monday.\nBest wishes, Acme": "Good morning Ada.\nYour invoice is attached.\nBest wishes, Acme",
		"See you tomorrow morning at nine":                                     "Sounds good, see you tomorrow",
		"Your verification code is 1042":                                       "Your verification code is 10421",
		"ok":                                                                   "L'\u00e9t\u00e9 \u00e0 l'\u00e9cole de la Corr\u00e8ze, \u00e0 pied ou \u00e0 v\u00e9lo, ok",
	} {
		t.Run(sent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts, again := callTwice(t, sendBody(sent),
					item{"id": "y", "to": "+14155550123", "body": listed, "direction": "outbound", "receivedAt": time.Now()})
				require.ErrorIs(t, again, agentphone.ErrOutcomeUnknown, "its response is lost, too")
				assert.Equal(t, 2, posts)
			})
		})
	}
}
