package run

// Report is the result of a run.
type Report struct {
	Passed    int       `json:"passed"` // scenarios
	Failed    int       `json:"failed"`
	Seconds   float64   `json:"seconds"`
	Scenarios []*Result `json:"scenarios"`
}

// Add adds the result of a scenario.
func (r *Report) Add(result *Result) {
	r.Scenarios = append(r.Scenarios, result)
	r.Seconds += result.Seconds
	if result.Passed {
		r.Passed++
	} else {
		r.Failed++
	}
}

// Result is the result of a scenario.
type Result struct {
	Name    string       `json:"name"`
	File    string       `json:"file"`
	Line    int          `json:"line"`
	Passed  bool         `json:"passed"`
	Seconds float64      `json:"seconds"`
	Steps   []StepResult `json:"steps"`
}

// StepResult is the result of a step.
type StepResult struct {
	Line     int       `json:"line"`
	Step     string    `json:"step"`              // such as: text "Hi"
	From     string    `json:"from"`              // the name of the person
	Skipped  bool      `json:"skipped,omitempty"` // an earlier step failed
	Seconds  float64   `json:"seconds"`
	Failures []Failure `json:"failures,omitempty"` // none if it passed
	Heard    []Heard   `json:"heard,omitempty"`    // the first ones
	HeardAll int       `json:"heardAll,omitempty"` // how many there were
	Hangup   bool      `json:"hangup,omitempty"`
	Transfer bool      `json:"transfer,omitempty"`
	Digits   string    `json:"digits,omitempty"`
	Attempts []Attempt `json:"attempts,omitempty"` // to deliver it
}

// Failure is an expectation that does not hold.
type Failure struct {
	Rule    string `json:"rule"` // its key in the scenario, the action that could not be taken, or "answer"
	Message string `json:"message"`
}

// Heard is something that the agent said in a call, or a text that it sent.
type Heard struct {
	Text    string  `json:"text"`
	Seconds float64 `json:"seconds"` // since the step began
}

// keptHeard is how much of what the agent says a report shows: an agent may say a million lines.
const keptHeard = 50

func (s *StepResult) record(o *observed) {
	s.HeardAll = len(o.heard)
	for _, h := range o.heard[:min(len(o.heard), keptHeard)] {
		s.Heard = append(s.Heard, Heard{cut(h.Text), h.Seconds})
	}
	s.Hangup, s.Transfer, s.Digits, s.Attempts = o.hangup, o.transfer, cut(o.digits), o.attempts
}

// cut shortens what is too long to be read.
func cut(s string) string {
	const most = 1000
	if len(s) <= most {
		return s
	}
	runes := []rune(s[:most])
	return string(runes[:len(runes)-1]) + "..."
}
