package agentphone_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each "|" is where one sentence ends and the next begins; what is between two of them is said in one piece.
func TestVoiceResponseStream_EndsSentencesOnlyWhereTheyEnd(t *testing.T) {
	for _, tc := range []string{
		// Titles.
		"Dr. Patel is in.|Ask her.", "I saw Mr. and Mrs. Alvarez.|They left.", "Ms. O'Neil signed.|Thanks.", "Prof. Chen is here.|Come.", "This is Sgt. Miller.|Hello.",
		"We saw Gov. Young and Sen. Will Smith.|Both left.", "See Mt. Vernon.|It is nice.", "He lives in St. Louis.|She does not.",
		// Abbreviations within a sentence.
		"Bring an ID, e.g. a passport.|Thanks.", "Once a day, i.e. at night.|Thanks.", "Smith vs. Jones is on.|Come.", "It takes approx. five days.|Wait.", "Take it, etc., and go.|Bye.",
		"Take approx. 5 ml.|Then rest.", "See cf. The Times.|Bye.", "We need e.g. Monday off.|Thanks.",
		// Abbreviations that may end one.
		"Open at 5 p.m. today.|Come.", "Open at 5 p.m.|Then we close.", "Open until 5 p.m. Monday.|Come.", "Open until 5 P.M. Eastern.|Come.", "It is 5 a.m.|I am tired.", "It is 5 a.m.|We're tired.",
		"I live in the U.S. now.|You?", "The U.S. Army called.|Bye.", "I live in the U.S.|We moved.", "I live in Washington, D.C.|It's hot.", "Acme Inc. called.|Bye.", "It is from Acme Inc.|They called.",
		"John Smith Jr. is in.|Ask.", "Bring pens, paper, etc.|Then wait.", "Walk up Main St. to the end.|Stop.", "It is on Main St.|You can't miss it.", "She has a Ph.D. in physics.|Really.", "She has a Ph.D.|He does not.",
		"Come on Jan. 5 at noon.|Bye.", "Come on Mon. Jan. 5.|Bye.", "Is it 5 p.m.?|Yes.", "At 5 p.m.!|Now.",
		// Words that are also abbreviations.
		"Order No. 3 is here.|Bye.", "No.|It is not.", "Is it?|No.|Go on.", "See fig. 3 there.|Bye.", "One sec.|Let me see.", "See p. 12 there.|Bye.", "Dial ext. 42 now.|Bye.", "Order no. 3.|Order no. 4.", "The no. of seats is 5.|Bye.",
		// Initials.
		"J. Smith called.|Bye.", "Call J. R. R. Tolkien.|Bye.", "George W. Bush left.|Bye.", "He chose plan B.|Then he left.", "So am I.|But why?", "Eat vitamin C.|It helps.", "J.P. Morgan paid.|Good.",
		// Numbers, times, versions.
		"It costs $3.50 now.|Okay.", "Pi is 3.14159.|Okay.", "I have 3.|You have 4.", "Use version 4.2.1 now.|Bye.", "At 192.168.0.1 it is.|Bye.", "At 10:30 or 11.30 then.|Bye.", "It is .5 percent.|Bye.", "It was 1,250.00 dollars.|Paid.", "He is no. 1!|Yes.",
		// Enumerations.
		"1. Open the app.|2. Tap it.", "Say this: 1. Yes.|2. No.", "Either 1) stay or 2) go.|Choose.", "1.) Open it.|2.) Tap it.", "(1.) Open it.|Tap it.", "A. Open it.|B. Close it.", "10. Rest.|11. Eat.", "1. Basic 2. Plus 3. Pro.|Choose.", "1.) Basic 2.) Plus",
		// Addresses.
		"See https://example.com/a?b=1.2 now.|Bye.", "See https://example.com/.|Bye.", "See www.example.com.|Bye.", "Write to a.b@example.com.|Bye.", "Is it at example.com?|Yes.", "Try Node.js.|Bye.", "Open a.txt.|Bye.",
		"See https://Example.Com/A.B?C=D now.|Bye.", "See www.Example.com.|Bye.", "Write to ada.byron@Example.Com now.|Bye.",
		// Ellipses.
		"Well... maybe.|Yes.", "Well... |Maybe.", "Hm… let me see.|Yes.", "Hm…|Let me see.", "...and so on.|Yes.", "So . . . yes.|Okay.",
		// Quotes and brackets.
		`"Stop!" he said.|Bye.`, `He said "Stop!" |She did.`, `"Can I?" is a question.|Yes.`, `(Really?) she asked.|Yes.`, `(Some do.)|Others do not.`, `He said, "I do."|"I don't," she said.`, `“Yes.”|“No.”`, `It is 5 p.m. (or 6).|Bye.`,
		`"One.|Two." |Three.`, "'Tis so.|Good.", "**Sure.**|Then go.", "_Sure._|Then go.",
		// Other scripts, emoji.
		"好的。|再见！|走吧", "「はい。」|そう", "Great!😀|Then go.", "Great! |👍🏽 Then go.", "Great!👩‍👩‍👧|Then go.", "See you 😀 then.|Bye.", "क्या?|हाँ।|ठीक", "هل؟|نعم", "¿Sí?|¡No!|Bien",
		// Several marks.
		"What?!|No.", "What?!?!|No.", "No!!!|Yes.", "Yes .|No .|Well",
	} {
		want := strings.Split(tc, "|")
		for i, said := range want {
			want[i] = strings.TrimSpace(said)
		}
		text := regexp.MustCompile(` ?\|`).ReplaceAllString(tc, " ")
		t.Run(text, func(t *testing.T) {
			for way, words := range tokenizations(text) {
				assert.Equal(t, want, spoken(t, words...), way)
			}
		})
	}
}
