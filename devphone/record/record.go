// Package record makes a scenario of what was done by hand, so that `devphone test` can do it again.
package record

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// Selection is what is recorded. The zero value is everything.
type Selection struct {
	Call   string // the id of a call: nothing else
	Person string // who texts and calls
	Number string // the agent's number
}

// ErrNothing reports that nobody has texted or called yet, or only in ways that no scenario has.
var ErrNothing = errors.New("there is nothing to save: nobody has done anything yet that a scenario can have")

// Recording is a scenario of what was done.
type Recording struct {
	Scenario scenario.Scenario
	// Notes are what whoever reads the scenario has to know, such as what was left out.
	Notes []string
}

// Of records what was done so far. control is the control API of the server where it was done, an
// [agentphonetest.Server.ControlHandler] that was there before: what was said in calls is kept from then on. The error is
// [ErrNothing], or that of control.
func Of(control http.Handler, which Selection) (*Recording, error) {
	h, err := readHistory(control)
	if err != nil {
		return nil, err
	}
	leftOut := map[string]int{}
	s := newSteps(&h, leftOut)
	for _, what := range h.happenings(which, leftOut) {
		s.play(&what)
	}
	return s.recording(time.Now())
}

// recording is the scenario of the steps so far.
func (s *steps) recording(now time.Time) (*Recording, error) {
	s.all = slices.DeleteFunc(s.all, func(one *step) bool { return one.leftOut })
	r := &Recording{}
	people, fresh := s.cast()
	r.Scenario.People = people
	unanswered := 0
	for _, one := range s.all {
		one.expect(now)
		if !canBe(nil, one.Step) {
			s.leftOut["answer of the agent that no scenario has"]++
			continue
		}
		if one.delivered && one.status == 0 {
			unanswered++
		}
		r.Scenario.Steps = append(r.Scenario.Steps, one.Step)
	}
	if len(r.Scenario.Steps) == 0 {
		return nil, ErrNothing
	}
	r.Scenario.Name = name(r.Scenario.Steps)
	if len(fresh) > 0 {
		r.Notes = append(r.Notes, strings.Join(fresh, ", ")+". Who has no number under \"people\" gets another one in each run, since an agent may remember people.")
	}
	if unanswered > 0 {
		r.Notes = append(r.Notes, "The agent did not respond to "+count(unanswered, "delivery", "deliveries")+". It has to, for the scenario to hold.")
	}
	for _, what := range slices.Sorted(maps.Keys(s.leftOut)) {
		r.Notes = append(r.Notes, fmt.Sprintf("Left out: %d × %s.", s.leftOut[what], what))
	}
	return r, nil
}

// cast names people, and says whose step is whose. fresh are those who have no number in the scenario.
func (s *steps) cast() (people []scenario.Person, fresh []string) {
	var who []string
	for _, one := range s.all {
		if !slices.Contains(who, one.person) {
			who = append(who, one.person)
		}
	}
	for i, person := range who {
		p := scenario.Person{Name: scenario.DefaultPerson}
		if len(who) > 1 {
			p.Name = fmt.Sprintf("person%d", i+1)
		}
		if s.needsNumber(person) {
			p.Address = person
		} else {
			fresh = append(fresh, p.Name+" was "+person)
		}
		people = append(people, p)
	}
	for _, one := range s.all {
		if i := slices.Index(who, one.person); i > 0 {
			one.From = people[i].Name
		}
	}
	if len(people) == 1 && people[0].Address == "" {
		people = nil // it is the default
	}
	return people, fresh
}

// needsNumber reports whether somebody with another number would not be the same: the number has to be that of another
// country, to have iMessage, or to be where the agent texts or calls by itself. A short code no scenario has.
func (s *steps) needsNumber(person string) bool {
	isAnybody := strings.HasPrefix(person, "+1") && !hasIMessage(person) && !s.sought[person]
	return !isAnybody && canBe([]scenario.Person{{Name: "who", Address: person}}, scenario.Step{Action: scenario.ActionText, Words: "Hi"})
}

// canBe reports whether a scenario can have people and a step.
func canBe(people []scenario.Person, step scenario.Step) bool {
	step.From = ""
	return scenario.Write(io.Discard, scenario.Scenario{Name: "one step", People: people, Steps: []scenario.Step{step}}) == nil
}

const introduction = `"words" are what the agent answered, word for word. Keep of them what has to be so: a few words, or a ` +
	`/regular expression/. Where a language model answers, the rest differs each time, and so may "max".`

// Write writes the scenario, with notes as comments. It fails if the file would be larger than `devphone test` takes.
func (r *Recording) Write(w io.Writer) error {
	var text strings.Builder
	comment(&text, "Written by devphone from what was done by hand.")
	comment(&text, introduction)
	for _, note := range r.Notes {
		comment(&text, note)
	}
	err := scenario.Write(&text, r.Scenario)
	if err == nil {
		_, err = scenario.Parse("scenario", []byte(text.String())) // with the comments
	}
	if err != nil {
		return fmt.Errorf("this cannot be a scenario; save one conversation or one call instead: %w", err)
	}
	_, err = io.WriteString(w, text.String())
	return err
}

// comment writes a paragraph as lines of comments.
func comment(to *strings.Builder, text string) {
	const width = 110
	length := 0
	for _, word := range strings.Fields(oneLine(text)) {
		if length+len(word) > width {
			to.WriteString("\n")
			length = 0
		}
		if length == 0 {
			to.WriteString("#")
		}
		to.WriteString(" " + word)
		length += 1 + len(word)
	}
	to.WriteString("\n")
}

// maxName is how long a name is that is still read.
const maxName = 60

// name is what the first words are.
func name(steps []scenario.Step) string {
	for i := range steps {
		if words := oneLine(steps[i].Words); words != "" {
			return "Recorded: " + cutAtWord(words, maxName)
		}
	}
	return "Recorded"
}

// FileName is a name for the file, of letters, digits and hyphens.
func (r *Recording) FileName() string {
	words := strings.FieldsFunc(strings.ToLower(strings.TrimPrefix(r.Scenario.Name, "Recorded")), func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9')
	})
	const most = 40
	joined := strings.Join(words, "-")
	return strings.Trim(cmp.Or(joined[:min(len(joined), most)], "scenario"), "-") + ".yaml"
}

// oneLine is a text without line breaks and what no editor shows.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)), " ")
}

// cutAtWord returns the beginning of a text, up to a number of characters, and the end of a word if one is near.
func cutAtWord(s string, most int) string {
	runes := []rune(s[:min(len(s), 4*most+4)])
	if len(runes) <= most {
		return s
	}
	for i := most; i > most/2; i-- {
		if unicode.IsSpace(runes[i]) {
			return string(runes[:i])
		}
	}
	return string(runes[:most])
}

// count is a number of things, as in "2 texts".
func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
