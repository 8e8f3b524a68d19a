package run

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/devphone/scenario"
)

// check compares what the agent did in a step with what is expected of it.
func check(step *scenario.Step, o *observed) (failures []Failure) {
	fail := func(rule, format string, args ...any) {
		failures = append(failures, Failure{rule, fmt.Sprintf(format, args...)})
	}
	if o.err != nil {
		fail(string(step.Action), "%v", o.err)
		return failures
	}
	refused := checkStatus(step, o.attempts)
	if refused != "" {
		fail("status", "%s", refused)
	}
	if o.unreadable != "" {
		fail("answer", "%s", o.unreadable)
	}
	e, text := &step.Expect, joined(o.heard)
	found, missing := findInOrder(e.Words, text)
	if len(missing) > 0 && (refused == "" || step.Action == scenario.ActionSay) { // else they were not waited for
		problem := "is not in the answer"
		if step.Action != scenario.ActionSay {
			problem = fmt.Sprintf("did not come within %v", e.Limit())
		}
		if len(found) > 0 {
			problem += fmt.Sprintf(", after %q", found[len(found)-1])
		}
		fail("words", "%q %s", missing[0], problem)
	}
	for _, p := range e.Not {
		if match := find(p, text); match != nil {
			fail("not", "%q is there: %q", p, cut(text[match[0]:match[1]]))
		}
	}
	if n := len(o.heard); e.Max != nil && n > *e.Max {
		unit := "text"
		if step.Action == scenario.ActionSay {
			unit = "line"
		}
		if n > 1 {
			unit += "s"
		}
		fail("max", "%d %s, at most %d expected", n, unit, *e.Max)
	}
	if e.First != 0 && len(o.heard) == 0 {
		fail("first", "there were no words within %v", e.First)
	}
	if e.First != 0 && len(o.heard) > 0 && o.heard[0].Seconds > e.First.Seconds() {
		fail("first", "the first words came after %s, expected within %v", shortSeconds(o.heard[0].Seconds), e.First)
	}
	checkAction := func(rule string, wanted, happened bool, what string) {
		switch {
		case wanted && !happened:
			fail(rule, "the agent did not %s", what)
		case happened && !wanted:
			fail(rule, "the agent did %s, which is not expected", what)
		}
	}
	checkAction("hangup", e.Hangup, o.hangup, "hang up")
	checkAction("transfer", e.Transfer, o.transfer, "transfer the call")
	if e.Digits != o.digits {
		fail("digits", "the agent pressed %q, expected %q", cut(o.digits), e.Digits)
	}
	return failures
}

// checkStatus says what is wrong with the response to a step's delivery, or "".
func checkStatus(step *scenario.Step, attempts []Attempt) string {
	if step.Action == scenario.ActionNone {
		return ""
	}
	if len(attempts) == 0 {
		return "nothing was delivered: the agent has removed its webhook"
	}
	wanted, last := step.WantedStatus(), attempts[len(attempts)-1]
	switch {
	case last.Error != "":
		return fmt.Sprintf("no response: %s; %s expected", last.Error, wanted)
	case !wanted.Matches(last.Status):
		return fmt.Sprintf("%d, expected %s", last.Status, wanted)
	}
	return ""
}

// findInOrder returns the patterns that are found one after the other, and the rest from the first that is not.
func findInOrder(patterns []scenario.Pattern, text string) (found, missing []scenario.Pattern) {
	for i, p := range patterns {
		match := find(p, text)
		if match == nil {
			return patterns[:i], patterns[i:]
		}
		text = text[match[1]:]
	}
	return patterns, nil
}

// find returns where a pattern begins and ends, or nil. One that was not read from a file may be invalid: it is nowhere.
func find(p scenario.Pattern, text string) []int {
	re, err := p.Regexp()
	if err != nil {
		return nil
	}
	return re.FindStringIndex(text)
}

// shortSeconds is a time as people read it.
func shortSeconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < time.Second {
		return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 0, 64) + "ms"
	}
	return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + "s"
}
