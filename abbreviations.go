package agentphone

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// endRule says whether a sentence ends at a mark that has white space after it. Where English leaves it open, the rule
// is for no end: two sentences that are said together sound right, one that is torn does not.
type endRule int

const (
	endsAtOnce        endRule = iota // whatever follows
	endsUnlessLower                  // not before a lower-case letter: "Well... maybe", "Really?" she asked
	endsUnlessNumber                 // nor before a number: "No. It is No. 3"
	endsBeforeStarter                // only before a word that often begins a sentence: "At 5 p.m. We close at 5 p.m. Monday"
	endsNever                        // "Dr. Who", "1. Milk"
)

// holds reports whether a sentence ends before text, which begins with the white space after its end. If that depends
// on what is not there yet, it does not.
func (rule endRule) holds(text string) bool {
	if rule == endsAtOnce || rule == endsNever {
		return rule == endsAtOnce
	}
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if rule == endsBeforeStarter {
		return beginsWithStarter(text)
	}
	next, _ := utf8.DecodeRuneInString(text)
	return text != "" && !unicode.IsLower(next) && !unicode.Is(unicode.Pd, next) && !isMark(next) &&
		(rule != endsUnlessNumber || !unicode.IsDigit(next) && next != '#')
}

// beginsWithStarter reports whether the first word of text is whole and one of starters.
func beginsWithStarter(text string) bool {
	text = strings.TrimLeftFunc(text, isNoWord)
	end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	return end > 0 && text[end] != '.' && starters[text[:end]]
}

// isNoWord reports whether r is neither a letter nor a digit.
func isNoWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// rule returns the rule for the end e of a sentence in text.
func (e *sentenceEnd) rule(text string) endRule {
	marks := text[e.marks:e.closers]
	switch {
	case e.wide:
		return endsAtOnce
	case marks == ".":
		if rule := ruleOfWord(text[:e.marks]); rule != endsAtOnce {
			return rule
		}
	case strings.Trim(marks, ".…") == "":
		return endsUnlessLower
	}
	if e.closers < e.end {
		return endsUnlessLower
	}
	return endsAtOnce
}

// ruleOfWord returns the rule for a full stop after the last word of text.
func ruleOfWord(text string) endRule {
	word := lastWord(text)
	lower := strings.ToLower(word)
	switch {
	case word == "": // the mark stands alone, as in ". . ."
		return endsUnlessLower
	case titles[word] || connectives[lower]:
		return endsNever
	case alsoWords[lower]:
		return endsUnlessNumber
	case abbreviations[lower] || calendar[word] || isInitials(word):
		return endsBeforeStarter
	case len(word) <= 3 && isDigits(word) && isItem(text[:len(text)-len(word)], word):
		return endsNever
	}
	return endsAtOnce
}

// lastWord returns the last word of text, without a bracket or quote before it.
func lastWord(text string) string {
	return strings.TrimLeftFunc(text[afterLastSpace(text):], isNoWord)
}

// isItem reports whether number, after text, is that of an item in a list: it comes first, or after a colon, semicolon,
// or comma, or after the item before it.
func isItem(text, number string) bool {
	text = strings.TrimRightFunc(text[max(0, len(text)-maxUnspoken):], func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == '*' })
	if text == "" || strings.ContainsRune(":;,", rune(text[len(text)-1])) {
		return true
	}
	n, _ := strconv.Atoi(number)
	before := fmt.Sprintf("%d.", n-1)
	if strings.HasPrefix(text, before) {
		return true
	}
	for word := range strings.FieldsSeq(text) {
		if word == before {
			return true
		}
	}
	return false
}

// isInitials reports whether word has the form of an initial or of initials: J, U.S, Ph.D.
func isInitials(word string) bool {
	letters, dots := 0, strings.Count(word, ".")
	for _, r := range word {
		switch {
		case r == '.':
			letters = 0
		case !unicode.IsUpper(r) && !unicode.IsLower(r):
			return false
		default:
			if letters++; letters > 1+min(dots, 1) {
				return false
			}
		}
	}
	return true
}

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

var (
	// titles come before a name, as they are written.
	titles = setOf("Adm Br Capt Cmdr Col Cpl Cpt Dr Fr Gen Gov Hon Lt Maj Messrs Mlle Mme Mr Mrs Ms Mt Mx Ph Pres Prof Rep Rev Sen Sgt Supt " +
		"mr mrs dr prof")

	// connectives come within a sentence.
	connectives = setOf("approx ca cf e.g esp i.e incl excl eg ie viz vs")

	// alsoWords are words if no number follows.
	alsoWords = setOf("art est ext fig no sec")

	// abbreviations may end a sentence or not.
	abbreviations = setOf("apt assn assoc asst ave av bldg blvd bros cm co corp ct dept ed eds esq etc flt ft govt hr hrs hwy inc intl jr kg km lb lbs " +
		"ln ltd min mins misc ml mm natl nos oz pkwy pl pp rd rm sq sr st ste tel univ vol wk yd yr yrs")

	// calendar are days and months, as they are written.
	calendar = setOf("Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec")

	// starters are words with which sentences often begin, and names rarely.
	starters = setOf("A After Also An And Any Anything Are As At Because Before But By Call Can Could Did Do Does Each Every For From Go Good Great Have He Her " +
		"Here His How However I If In Is It Its Just Let Many Most My No Not Now Of Oh Ok Okay On Once One Or Our Please Press Say She Should Since So " +
		"Some Sorry Sure Take Tell Text Thank Thanks That The Their Then There These They This Those To Until Was We Well Were What When Where Which " +
		"While Who Why Will With Without Would Yes You Your")
)
