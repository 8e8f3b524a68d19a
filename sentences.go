package agentphone

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxUnspoken is how many bytes of text without the end of a sentence are held back.
const maxUnspoken = 300

// cutSentence cuts text after its first whole sentence and reports whether there is one. A sentence is whole if its
// end marks, and the brackets and quotes closed after them, are followed by white space or, if they are wide marks
// (。), by anything. A line feed ends a sentence too. Longer text than maxUnspoken is cut between words, or else
// between characters: so the text that is held back, and scanned again with each token, stays short.
func cutSentence(text string) (sentence, rest string, ok bool) {
	end, wide := 0, false // the index after the last end mark or closer, and whether the mark was wide
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

// wideMarks are the end marks of scripts that put no space between sentences.
const wideMarks = "。！？"

// isMark reports whether r is an end mark of a sentence.
func isMark(r rune) bool { return strings.ContainsRune(".!?…"+wideMarks, r) }

// isCloser reports whether r may close a quote or a bracket.
func isCloser(r rune) bool {
	return r == '"' || r == '\'' || unicode.In(r, unicode.Pe, unicode.Pf)
}

// wholeRunes returns the length of text without an incomplete UTF-8 sequence at its end: a token may end within a
// character.
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
