package agentphone

import "strings"

const (
	// fewestLetters are those of a text of which a part is not found in another by chance.
	fewestLetters = 12
	// fewestAfterWords are those of the part if other words precede it, as they precede what people often say, and no ellipsis follows.
	fewestAfterWords = 25
	// enoughInCommon are those that two texts begin with if one may be the other, whatever follows.
	enoughInCommon = 40
	// mostForOne is how many letters a carrier may write for one that is no ASCII: (c), or 1/2.
	mostForOne = 3
	// mostBytes is how much of a longer text is looked at, far more than the longest that carriers take with what they add.
	mostBytes = 64 << 10
	// mostSteps is how long two texts are compared, some milliseconds: far longer than texts take that do not repeat themselves.
	mostSteps = 1 << 21
)

// mayBecome reports whether a list may show a text that was sent as another. Only letters and digits can show that two texts are different:
// carriers replace other characters, and letters with accents. There may be lines before and after the text, such as how to opt out, and if
// it is no short one other words, too; its end may be cut off, or its first lines. Where it is short, other words make it another text.
func mayBecome(sent, listed string) bool {
	most := max(4*len(sent), mostBytes)
	isLong := len(listed) > most
	listed = listed[:min(len(listed), most)]
	c := comparison{sent: lettersOf(sent), listed: lettersOf(listed), apart: ofLine, steps: mostSteps}
	length := len(c.sent.text)
	if length == 0 {
		return isLong || hasLineOf(listed, mostForOne*c.sent.gaps[0].lost)
	}
	if mayBeQuestioned(sent, listed) {
		return true
	}
	if length >= fewestLetters {
		c.apart = ofWord
	}
	starts := c.listed.starts(c.apart)
	for _, from := range c.sent.starts(ofLine) {
		left := length - from
		if from > 0 && left < fewestLetters {
			break
		}
		for _, start := range starts {
			if start > 0 && left < length/2 { // many texts have the same last lines, after others
				break
			}
			c.steps--
			if c.mayFit(from, start) {
				return true
			}
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

// comparison is of a text that was sent with one in a list.
type comparison struct {
	sent, listed *letters
	apart        breakKind // what is between the text and what was added
	steps        int       // left: a hostile server would have us compare for minutes
}

// mayFit reports whether the listed text, from start on, may begin with the one that was sent, from an index on, up to a break, or with what
// was left of it when its end was cut off. One of the two has letters where the other lost some. What takes too long may fit.
func (c *comparison) mayFit(from, start int) bool {
	return c.mayFitSkipping(true, from, start) || c.mayFitSkipping(false, from, start)
}

// mayFitSkipping is mayFit where it is known which of the two has letters that the other lost: the listed one, or the one that was sent.
func (c *comparison) mayFitSkipping(skips bool, from, start int) bool {
	sent, listed := c.sent, c.listed
	fewest := fewestLetters
	if listed.gaps[start].breaks < ofLine {
		fewest = fewestAfterWords
	}
	lost := func(sentAt, at int) int { // letters that one may have for those that the other lost
		if skips {
			return mostForOne * sent.gaps[sentAt].lost
		}
		return listed.gaps[at].lost + listed.gaps[at].unknown
	}
	sentAt, at := from, start
	mostSkipped := lost(sentAt, at)
	for ; c.steps > 0; c.steps-- {
		gap, isEnd := listed.gaps[at], at == len(listed.text)
		// Where a line of both ends, they differ in the next: they begin with the same salutation, say.
		isCut := isEnd || gap.breaks == ofLine && sent.gaps[sentAt].breaks < ofLine
		inCommon := min(sentAt-from, at-start)
		switch {
		case inCommon >= enoughInCommon, isCut && inCommon >= fewest, gap.dots && inCommon >= fewestLetters:
			return true
		case sentAt == len(sent.text):
			more := listed.next(at, c.apart) - at
			return at > start && (more == 0 || skips && more <= mostSkipped)
		case isEnd:
			return !skips && len(sent.text)-sentAt <= mostSkipped
		case listed.text[at] == sent.text[sentAt]:
			sentAt, at = sentAt+1, at+1
			mostSkipped += lost(sentAt, at)
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
	return true
}
