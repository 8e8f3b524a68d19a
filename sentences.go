package agentphone

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxUnspoken is how much text without the end of a sentence is held back.
const maxUnspoken = 300

// cutSentence cuts text behind the first sentence that is surely whole: its marks, and the brackets and quotes that
// they close, are followed by white space or, if they are marks that no space follows (。), by anything. A text too
// long to wait for that is cut between words, or failing that between characters, so that what is held back, and
// looked through for each token, stays short.
func cutSentence(text string) (sentence, rest string, ok bool) {
	end, wide := 0, false
	for i, r := range text {
		ended := end > 0 && end == i
		switch {
		case ended && (unicode.IsSpace(r) || wide && !isMark(r) && !isCloser(r)), r == '\n':
			if s := strings.TrimSpace(text[:i]); s != "" {
				return s, text[i:], true
			}
		case isMark(r):
			end, wide = i+utf8.RuneLen(r), strings.ContainsRune(wideMarks, r)
		case ended && isCloser(r):
			end = i + utf8.RuneLen(r)
		}
	}
	if len(text) <= maxUnspoken {
		return "", text, false
	}
	end = strings.LastIndexFunc(text, unicode.IsSpace)
	if end < 0 || strings.TrimSpace(text[:end]) == "" {
		end = wholeRunes(text)
	}
	return strings.TrimSpace(text[:end]), text[end:], true
}

const wideMarks = "。！？"

func isMark(r rune) bool { return strings.ContainsRune(".!?…"+wideMarks, r) }

func isCloser(r rune) bool {
	return r == '"' || r == '\'' || unicode.In(r, unicode.Pe, unicode.Pf)
}

// wholeRunes is where a character begins that the text, cut anywhere, does not hold whole; or its length.
func wholeRunes(text string) int {
	for i := len(text) - 1; i >= 0 && i >= len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRuneInString(text[i:]) {
				return i
			}
			break
		}
	}
	return len(text)
}
