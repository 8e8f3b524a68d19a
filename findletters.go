package agentphone

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// fewestLetters are those of a text of which a part is not found in another by chance.
	fewestLetters = 12
	// fewestAfterWords are those of the part if other words precede it, as they precede what people often say.
	fewestAfterWords = 60
	// mostForOne is how many letters a carrier may write for one that is no ASCII: (c), or 1/2.
	mostForOne = 3
	// mostBytes is how much of a longer text is looked at, far more than the longest that carriers take with what they add.
	mostBytes = 64 << 10
)

// mayBecome reports whether a list may show a text that was sent as another. Only letters and digits can show that two texts are different:
// carriers replace other characters, and letters with accents. There may be lines before and after the text, such as how to opt out, and if
// it is no short one other words, too; its end may be cut off, or its first lines. Where it is short, other words make it another text.
func mayBecome(sent, listed string) bool {
	most := max(4*len(sent), mostBytes) // a hostile server would have us compare for minutes
	was, is := lettersOf(sent), lettersOf(listed[:min(len(listed), most)])
	if len(was.text) == 0 {
		return hasLineOf(listed, mostForOne*was.gaps[0].lost)
	}
	apart := ofLine // what was added
	if len(was.text) >= fewestLetters {
		apart = ofWord
	}
	for start, gap := range is.gaps[:len(is.text)] {
		if gap.breaks >= apart && is.mayHold(start, was, 0, apart) {
			return true
		}
	}
	for from, gap := range was.gaps {
		if gap.breaks >= ofLine && len(was.text)-from >= fewestLetters && is.mayHold(0, was, from, ofLine) {
			return true
		}
	}
	return false
}

// hasLineOf reports whether a text has a line of signs and no more than some letters.
func hasLineOf(text string, letters int) bool {
	for line := range strings.FieldsFuncSeq(text, isLineBreak) {
		if withoutSpace(line) != "" && len(lettersOf(line).text) <= letters {
			return true
		}
	}
	return false
}

// letters are the letters and digits of a text, in lower case, but for those that may have become others.
type letters struct {
	text []rune
	gaps []gap // before each, and after the last
}

// gap is what is between two letters.
type gap struct {
	breaks breakKind
	lost   int // letters that may have become others, or none
}

type breakKind int

const (
	noBreak breakKind = iota
	ofWord
	ofLine
	ofCut // of a line that ends with an ellipsis
)

func lettersOf(s string) *letters {
	l := &letters{gaps: []gap{{breaks: ofLine}}}
	for i, r := range s {
		last := &l.gaps[len(l.text)]
		switch {
		case isLineBreak(r) && strings.HasSuffix(strings.TrimRightFunc(s[:i], unicode.IsSpace), "..."):
			last.breaks = ofCut
		case isLineBreak(r):
			last.breaks = max(last.breaks, ofLine)
		case unicode.IsSpace(r):
			last.breaks = max(last.breaks, ofWord)
		case r >= utf8.RuneSelf && (unicode.Is(unicode.Latin, r) || unicode.IsMark(r) || unicode.Is(unicode.No, r)):
			last.lost++
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			l.text = append(l.text, unicode.ToLower(r))
			l.gaps = append(l.gaps, gap{})
		}
	}
	last := &l.gaps[len(l.text)]
	last.breaks = max(last.breaks, ofLine)
	return l
}

func isLineBreak(r rune) bool { return strings.ContainsRune("\n\v\f\r\u0085\u2028\u2029", r) }

// mayHold reports whether l, from start on, may begin with a text from an index on, up to a break, or with what was left of it when its end
// was cut off. One of the two has letters where the other lost some.
func (l *letters) mayHold(start int, sent *letters, from int, apart breakKind) bool {
	return l.mayHoldSkipping(true, start, sent, from, apart) || l.mayHoldSkipping(false, start, sent, from, apart)
}

// mayHoldSkipping is mayHold where it is known which of the two has letters that the other lost: l, or the one that was sent.
func (l *letters) mayHoldSkipping(skips bool, start int, sent *letters, from int, apart breakKind) bool {
	fewest := fewestLetters
	if l.gaps[start].breaks < ofLine {
		fewest = fewestAfterWords
	}
	lost := func(at, sentAt int) int { // letters that one may have for those that the other lost
		if skips {
			return mostForOne * sent.gaps[sentAt].lost
		}
		return l.gaps[at].lost
	}
	at, sentAt := start, from
	mostSkipped := lost(at, sentAt)
	for {
		here, isEnd := l.gaps[at].breaks, at == len(l.text)
		// Where a line of both ends, they differ in the next: they begin with the same salutation, say.
		isCut := isEnd || here == ofCut || here == ofLine && sent.gaps[sentAt].breaks < ofLine
		switch {
		case sentAt == len(sent.text):
			more := l.next(at, apart) - at
			return at > start && (more == 0 || skips && more <= mostSkipped)
		case isCut && min(at-start, sentAt-from) >= fewest:
			return true
		case isEnd:
			return !skips && len(sent.text)-sentAt <= mostSkipped
		case l.text[at] == sent.text[sentAt]:
			at, sentAt = at+1, sentAt+1
			mostSkipped += lost(at, sentAt)
		case mostSkipped == 0:
			return false
		default:
			mostSkipped--
			if skips {
				at++
			} else {
				sentAt++
			}
		}
	}
}

// next returns the next index from one on where there is a break.
func (l *letters) next(at int, apart breakKind) int {
	for l.gaps[at].breaks < apart {
		at++
	}
	return at
}
