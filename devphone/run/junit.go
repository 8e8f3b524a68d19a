package run

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"strconv"
)

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// WriteJUnit writes the report as JUnit XML: a suite for each file, a test case for each scenario.
func (r *Report) WriteJUnit(w io.Writer) error {
	all := suites{Tests: len(r.Scenarios), Failures: r.Failed, Time: xmlSeconds(r.Seconds)}
	took := 0.0
	for _, result := range r.Scenarios {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != result.File {
			all.Suites, took = append(all.Suites, suite{Name: result.File}), 0
		}
		s := &all.Suites[len(all.Suites)-1]
		c := testCase{Name: result.Name, Class: result.File, Time: xmlSeconds(result.Seconds)}
		if !result.Passed {
			s.Failures++
			c.Failure = &failure{Message: result.summary(), Type: "expectation", Text: result.explanation()}
		}
		s.Tests++
		took += result.Seconds
		s.Time = xmlSeconds(took)
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Time     string     `xml:"time,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Time    string   `xml:"time,attr"`
	Failure *failure `xml:"failure"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func xmlSeconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

// summary is the first thing that is wrong.
func (r *Result) summary() string {
	for _, step := range r.Steps {
		for _, f := range step.Failures {
			return step.Step + ": " + f.Rule + ": " + f.Message
		}
	}
	return ""
}
