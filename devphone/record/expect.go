package record

import (
	"strconv"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/devphone/scenario"
)

const (
	// silence is how long nothing has to come for it to be what is expected.
	silence = 2 * time.Second
	// slower is how much more time the agent may take than it took.
	slower = 3
	// longest is how long a step may take at most.
	longest = 24 * time.Hour
	// maxWords is how much of a text, or of a line, is expected.
	maxWords = 200
	// maxPatterns is how many lines, or texts, are expected.
	maxPatterns = 20
)

// expect fills in what is expected: what the agent did.
func (s *step) expect(now time.Time) {
	e := &s.Expect
	took := time.Duration(0)
	switch {
	case s.turn != nil:
		answer := &s.turn.Answer
		for _, line := range answer.Lines {
			e.Words = appendWords(e.Words, line.Text)
		}
		isSilent := len(answer.Lines) == 0 && s.status != 0
		if isSilent && !answer.Hangup && !answer.Transfer && answer.Digits == "" {
			e.Max = new(int)
		}
		e.Hangup, e.Transfer, e.Digits = answer.Hangup, answer.Transfer, answer.Digits
		took = millis(s.turn.DurationMs)
	case len(s.texts) > 0:
		for _, text := range s.texts {
			e.Words = appendWords(e.Words, text.Body)
		}
		if count := len(s.texts); count <= 1000 { // the most that a scenario can have
			e.Max = &count
		}
		took = s.texts[len(s.texts)-1].ReceivedAt.Sub(s.after)
	case s.isSilent(now):
		e.Max = new(int)
	}
	if within := slower * took; within > scenario.DefaultWithin {
		e.Within = min((within + time.Second - 1).Truncate(time.Second), longest)
	}
	if s.status != 0 && !s.WantedStatus().Matches(s.status) {
		e.Status = scenario.Status(strconv.Itoa(s.status))
	}
}

// isSilent reports whether the agent has seen a text or a reaction, and nothing came.
func (s *step) isSilent(now time.Time) bool {
	if s.Fault.Forged || s.Fault.Stale != 0 {
		return s.status/100 == 4
	}
	over := s.over
	if over.IsZero() {
		over = now
	}
	return (s.Action == scenario.ActionText || s.Action == scenario.ActionReact) && !s.responded.IsZero() && over.Sub(s.responded) >= silence
}

// appendWords appends the pattern of something that was said or texted, or of its beginning.
func appendWords(to []scenario.Pattern, text string) []scenario.Pattern {
	if words := strings.TrimSpace(cutAtWord(text, maxWords)); words != "" && len(to) < maxPatterns {
		to = append(to, scenario.Literal(words))
	}
	return to
}
