package agentphone

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// letters are the letters and digits of a text, in lower case, but for those that may have become others. They are the same in all forms of
// Unicode.
type letters struct {
	text []rune
	gaps []gap // before each, and after the last
}

// gap is what is between two letters.
type gap struct {
	breaks  breakKind
	lost    int  // letters that may have become others, or none
	unknown int  // signs that may stand for letters that were lost
	dots    bool // an ellipsis, as where a text was cut
}

type breakKind int

const (
	noBreak breakKind = iota
	ofWord
	ofLine
)

func lettersOf(s string) *letters {
	l := &letters{gaps: []gap{{breaks: ofLine}}}
	follows := false // a letter
	for i, r := range s {
		last := &l.gaps[len(l.text)]
		followed := follows
		follows = false
		switch {
		case isLineBreak(r):
			last.breaks = ofLine
		case unicode.IsSpace(r):
			last.breaks = max(last.breaks, ofWord)
		case strings.HasPrefix(s[i:], "..."):
			last.dots = true
		case r == '?', r == utf8.RuneError:
			last.unknown++
		case unicode.Is(unicode.Variation_Selector, r):
			follows = followed
		case unicode.IsMark(r): // other letters than Latin ones are kept without their marks
			if n := len(l.text); followed && l.text[n-1] < utf8.RuneSelf {
				l.text, l.gaps = l.text[:n-1], l.gaps[:n]
				l.gaps[n-1].lost++
			}
		case mayBeLost(r):
			last.lost++
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			follows = true
			if n := len(l.text); followed && syllable(l.text[n-1], r) != 0 {
				l.text[n-1] = syllable(l.text[n-1], r)
				continue
			}
			l.text = append(l.text, withoutMarks(unicode.ToLower(r)))
			l.gaps = append(l.gaps, gap{})
		}
	}
	l.gaps[len(l.text)].breaks = ofLine
	return l
}

func isLineBreak(r rune) bool { return strings.ContainsRune("\n\v\f\r\u0085\u2028\u2029", r) }

// starts returns the indices of the letters that a break precedes.
func (l *letters) starts(apart breakKind) []int {
	starts := []int{0} // what has no letters may still have signs for some
	for i := 1; i < len(l.text); i++ {
		if l.gaps[i].breaks >= apart {
			starts = append(starts, i)
		}
	}
	return starts
}

// next returns the next index from one on where there is a break.
func (l *letters) next(at int, apart breakKind) int {
	for l.gaps[at].breaks < apart {
		at++
	}
	return at
}

// mayBeLost reports whether carriers write others for a character, such as (c), EUR, 1 or a, or none: symbols but for pictures, letters that
// modify others, digits and Latin letters that are no ASCII, and letters of no script, which are those of mathematics.
func mayBeLost(r rune) bool {
	isPicture := r >= 0x2600 && r <= 0x27bf || r >= 0x1f200 && unicode.IsSymbol(r)
	return r >= utf8.RuneSelf && !isPicture &&
		(unicode.In(r, unicode.Latin, unicode.S, unicode.Lm, unicode.Nd, unicode.No) || unicode.Is(unicode.Common, r) && unicode.IsLetter(r))
}

// syllable returns the Hangul syllable that two characters are, or 0.
func syllable(a, b rune) rune {
	const first, last, lead, vowel, tail, vowels, tails = 0xac00, 0xd7a3, 0x1100, 0x1161, 0x11a7, 21, 28
	switch {
	case a >= lead && a < lead+19 && b >= vowel && b < vowel+vowels:
		return first + ((a-lead)*vowels+b-vowel)*tails
	case a >= first && a <= last && (a-first)%tails == 0 && b > tail && b < tail+tails:
		return a + b - tail
	}
	return 0
}

// withoutMarks returns a letter as it is without its marks, which a carrier may drop, and which are characters of their own in some forms of
// Unicode.
func withoutMarks(r rune) rune {
	if r >= utf8.RuneSelf {
		if base, ok := baseLetters()[r]; ok {
			return base
		}
	}
	return r
}

// baseLetters are those of Greek, Cyrillic, kana, Arabic, Devanagari and Bengali, in lower case.
var baseLetters = sync.OnceValue(func() map[rune]rune {
	bases := map[rune]rune{'ς': 'σ'}
	for group := range strings.FieldsSeq(marked) {
		base, size := utf8.DecodeRuneInString(group)
		for _, r := range group[size:] {
			bases[r] = base
		}
	}
	return bases
})

// marked are letters, each after the one that it is without its marks.
const marked = "" +
	"ιΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ αάἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ εέἐἑἒἓἔἕὲέ ηήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ υΰϋύὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ οόὀὁὂὃὄὅὸό " +
	"ωώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ ϒϓϔ ρῤῥ " +
	"ийѝӣӥ еѐёӗ гѓ ії кќ уўӯӱӳ ѵѷ жӂӝ аӑӓ әӛ зӟ оӧ өӫ эӭ чӵ ыӹ " +
	"かが きぎ くぐ けげ こご さざ しじ すず せぜ そぞ ただ ちぢ つづ てで とど はばぱ ひびぴ ふぶぷ へべぺ ほぼぽ うゔ ゝゞ " +
	"カガ キギ クグ ケゲ コゴ サザ シジ スズ セゼ ソゾ タダ チヂ ツヅ テデ トド ハバパ ヒビピ フブプ ヘベペ ホボポ ウヴ ワヷ ヰヸ ヱヹ ヲヺ ヽヾ " +
	"\u0627\u0622\u0623\u0625 \u0648\u0624 \u064a\u0626 \u06d5\u06c0 \u06c1\u06c2 \u06d2\u06d3 " +
	"\u0928\u0929 \u0930\u0931 \u0933\u0934 \u0915\u0958 \u0916\u0959 \u0917\u095a \u091c\u095b \u0921\u095c \u0922\u095d \u092b\u095e " +
	"\u092f\u095f " +
	"\u09a1\u09dc \u09a2\u09dd \u09af\u09df "

// fewestQuestioned are the letters of a text that is not taken for any question.
const fewestQuestioned = 4

// mayBeQuestioned reports whether a list may show a text with "?" for each letter of other scripts than Latin, as gateways without Unicode
// write, and whatever for its other signs: it has as many, and the letters that are ASCII.
func mayBeQuestioned(sent, listed string) bool {
	marks := strings.Count(listed, "?") + strings.Count(listed, string(utf8.RuneError))
	if marks == 0 {
		return false
	}
	var ascii []rune
	others := 0
	for _, r := range sent {
		switch {
		case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			ascii = append(ascii, unicode.ToLower(r))
		case r >= utf8.RuneSelf && unicode.IsLetter(r) && !mayBeLost(r):
			others++
		}
	}
	if others == 0 || marks < min(others, fewestLetters) || len(ascii)+others < fewestQuestioned {
		return false
	}
	for _, r := range listed {
		if len(ascii) > 0 && unicode.ToLower(r) == ascii[0] {
			ascii = ascii[1:]
		}
	}
	return len(ascii) == 0
}
