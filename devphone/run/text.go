package run

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/agentphone/agentphone-go/devphone/internal/terminal"
)

// WriteText writes the result of a scenario for people: one line, and if it failed what was expected and what came.
func (r *Result) WriteText(w io.Writer) error {
	verdict := "ok  "
	if !r.Passed {
		verdict = "FAIL"
	}
	_, err := fmt.Fprintf(w, "%s  %s:%d: %s (%s)\n%s", verdict, terminal.Plain(r.File), r.Line, oneLine(r.Name), shortSeconds(r.Seconds), indented(r.explanation()))
	return err
}

func indented(s string) string {
	if s == "" {
		return ""
	}
	return "      " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n      ") + "\n"
}

// explanation says what is wrong, or is "".
func (r *Result) explanation() string {
	var b strings.Builder
	for i := range r.Steps {
		if step := &r.Steps[i]; len(step.Failures) > 0 {
			fmt.Fprintf(&b, "%s:%d: %s, from %s\n", terminal.Plain(r.File), step.Line, step.Step, oneLine(step.From))
			step.explain(&b)
		}
	}
	return b.String()
}

func (s *StepResult) explain(b *strings.Builder) {
	for _, f := range s.Failures {
		fmt.Fprintf(b, "  %s: %s\n", f.Rule, terminal.Plain(f.Message))
	}
	for _, h := range s.Heard {
		fmt.Fprintf(b, "  %8s | %s\n", shortSeconds(h.Seconds), strings.ReplaceAll(terminal.Plain(h.Text), "\n", "\n           | "))
	}
	if more := s.HeardAll - len(s.Heard); more > 0 {
		fmt.Fprintf(b, "           | ... and %d more\n", more)
	}
	if s.HeardAll == 0 {
		b.WriteString("  the agent said nothing\n")
	}
	for i, a := range s.Attempts {
		if i == keptAttempts {
			fmt.Fprintf(b, "  ... and %d more attempts\n", len(s.Attempts)-i)
			break
		}
		outcome := strconv.Itoa(a.Status)
		if a.Error != "" {
			outcome = terminal.Plain(a.Error)
		}
		fmt.Fprintf(b, "  delivery, attempt %d: %s (%s)\n", i+1, outcome, shortSeconds(a.Seconds))
		if s.HeardAll == 0 && a.body != "" {
			fmt.Fprintf(b, "    %s: %s\n", oneLine(a.contentType), strconv.Quote(shortBody(a.body)))
		}
	}
}

// keptAttempts is how many attempts are described: there may be hundreds of duplicates.
const keptAttempts = 10

// shortBody is the beginning of a body that is read in the middle of other text.
func shortBody(body string) string {
	if len(body) > 200 {
		return body[:200] + "..."
	}
	return body
}

func oneLine(s string) string { return strings.Join(strings.Fields(terminal.Plain(s)), " ") }
