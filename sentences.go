package agentphone

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxUnspoken is how many bytes of text without the end of a sentence are held back.
const maxUnspoken = 300

// cutSentence cuts text after its first whole sentence and reports whether there is one. A sentence is whole if its
// end marks, and what is closed after them, are followed by white space or, if they are wide marks (。), by anything;
// and if what comes before and after the mark does not speak against it (see endRule). A line feed ends a sentence
// too. Longer text than maxUnspoken is cut between words, or else between characters: so the text that is held back,
// and scanned again with each token, stays short.
func cutSentence(text string) (sentence, rest string, ok bool) {
	whole := text[:wholeRunes(text)]
	var end sentenceEnd
	words := false // else there is nothing to be spoken
	for i, r := range whole {
		if words && (r == '\n' || end.isAt(i) && end.isFollowedBy(r) && end.rule(whole).holds(whole[i:])) {
			return strings.TrimSpace(text[:i]), text[i:], true
		}
		end.add(i, r)
		words = words || isSpoken(r)
	}
	if len(text) <= maxUnspoken {
		return "", text, false
	}
	cut := strings.LastIndexFunc(text, unicode.IsSpace)
	if cut < 0 || strings.TrimSpace(text[:cut]) == "" {
		cut = len(whole)
	}
	return strings.TrimSpace(text[:cut]), text[cut:], true
}

// isWhole reports whether text is a whole sentence, or ends with one, if a pause follows it.
func isWhole(text string) bool {
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	end := endOf(text)
	if !end.isAt(len(text)) || !hasWords(text) {
		return false
	}
	switch end.rule(text) {
	case endsAtOnce: // but "3." may be the beginning of 3.50
		return text[end.marks:end.closers] != "." || !endsInDigit(text[:end.marks])
	case endsUnlessLower:
		return true
	case endsUnlessNumber: // "No.", but not "Flight No."
		return end.closers < end.end || !strings.ContainsFunc(strings.TrimSpace(text), unicode.IsSpace)
	case endsBeforeStarter:
		return utf8.RuneCountInString(lastWord(text[:end.marks])) > 1
	}
	return false
}

// cutWords cuts text after its last word that is certainly whole.
func cutWords(text string) (words, rest string) {
	whole := text[:wholeRunes(text)]
	r, _ := utf8.DecodeLastRuneInString(whole)
	if !unicode.IsSpace(r) && !isMark(r) && !isCloser(r) && !strings.ContainsRune(",;:—", r) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
		whole = whole[:afterLastSpace(whole)]
	}
	return whole, text[len(whole):]
}

// beginsSentence reports whether a token begins a new sentence, or at least a new word, although there is no white
// space between it and text, which came before. quoted reports whether text is within quotes.
func beginsSentence(text, token string, quoted bool) bool {
	end := endOf(text)
	if !end.isAt(len(text)) || end.wide {
		return false
	}
	first, size := utf8.DecodeRuneInString(token)
	digit, upper := unicode.IsDigit(first), unicode.IsUpper(first)
	if !digit && !upper && !unicode.Is(unicode.Pi, first) && (first != '"' || quoted) {
		return false
	}
	before := text[afterLastSpace(text[:end.marks]):end.marks]
	if digit && (before == "" || endsInDigit(before)) || isAddress(before) { // .5, 3.50
		return false
	}
	switch end.rule(text) {
	case endsAtOnce, endsUnlessLower:
		return true
	case endsUnlessNumber:
		return !digit
	}
	second, _ := utf8.DecodeRuneInString(token[size:])
	return upper && unicode.IsLower(second) // "Dr." + "Who", but not "U.S." + "A."
}

// afterLastSpace returns where the text after the last white space in text begins.
func afterLastSpace(text string) int {
	space := strings.LastIndexFunc(text, unicode.IsSpace)
	if space < 0 {
		return 0
	}
	_, size := utf8.DecodeRuneInString(text[space:]) // that of French and Japanese has several bytes
	return space + size
}

// isAddress reports whether word looks like a URL or an email address, or the beginning of one.
func isAddress(word string) bool {
	return strings.Contains(word, "://") || strings.Contains(word, "@") || strings.HasPrefix(strings.ToLower(word), "www")
}

// sentenceEnd is where a sentence may end: end marks and what is closed after them. The zero value is nowhere.
type sentenceEnd struct {
	marks   int  // where the marks begin
	closers int  // where they end, and closers begin
	end     int  // where those end
	wide    bool // the last mark is wide
}

// endOf returns the last place in text where a sentence may end.
func endOf(text string) (end sentenceEnd) {
	for i, r := range text {
		end.add(i, r)
	}
	return end
}

// add takes note of r, which is at i in the text.
func (e *sentenceEnd) add(i int, r rune) {
	switch {
	case isMark(r):
		if !e.isAt(i) || e.closers < e.end {
			e.marks = i
		}
		e.end = i + utf8.RuneLen(r)
		e.closers, e.wide = e.end, strings.ContainsRune(wideMarks, r)
	case e.isAt(i) && isCloser(r):
		e.end = i + utf8.RuneLen(r)
	}
}

// isAt reports whether i is where the sentence may end.
func (e *sentenceEnd) isAt(i int) bool { return e.end == i && i > 0 }

// isFollowedBy reports whether the sentence may end before r.
func (e *sentenceEnd) isFollowedBy(r rune) bool {
	return unicode.IsSpace(r) || e.wide && !isMark(r) && !isCloser(r)
}

// wideMarks are the end marks of scripts that put no space between sentences.
const wideMarks = "。！？｡"

// isMark reports whether r is an end mark of a sentence.
func isMark(r rune) bool { return strings.ContainsRune(".!?…"+wideMarks+"؟۔।", r) }

// isCloser reports whether r may close a quote, a bracket or Markdown's emphasis, or is an emoji or a part of one:
// they belong to the sentence that they follow.
func isCloser(r rune) bool {
	return strings.ContainsRune("\"'*_\u200d", r) ||
		r != utf8.RuneError && unicode.In(r, unicode.Pe, unicode.Pf, unicode.So, unicode.Sk, unicode.Mn)
}

// isSpoken reports whether r is a character that is spoken.
func isSpoken(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || r == utf8.RuneError }

// hasWords reports whether there is anything to be spoken in text.
func hasWords(text string) bool { return strings.ContainsFunc(text, isSpoken) }

// endsInDigit reports whether the last character of text is a digit.
func endsInDigit(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return unicode.IsDigit(r)
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
