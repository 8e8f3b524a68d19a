package scenario

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Write writes scenarios as YAML that [Parse] reads, and nothing if they could not be read: the error says why, with the
// lines of what would have been written.
func Write(w io.Writer, scenarios ...Scenario) error {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	for i := range scenarios {
		if err := encoder.Encode(scenarioNode(&scenarios[i])); err != nil {
			return fmt.Errorf("scenario: %w", err)
		}
	}
	if err := encoder.Close(); err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	text := bidiEscapes.Replace(out.String())
	if _, err := Parse("scenario", []byte(text)); err != nil {
		return err
	}
	_, err := io.WriteString(w, text)
	return err
}

// bidiControls turn the order of letters around, so that an editor shows another text than the one that is there.
const bidiControls = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

// bidiEscapes writes them as between double quotes, where [textNode] puts them.
var bidiEscapes = func() *strings.Replacer {
	var pairs []string
	for _, r := range bidiControls {
		pairs = append(pairs, string(r), fmt.Sprintf(`\u%04X`, r))
	}
	return strings.NewReplacer(pairs...)
}()

// mappingNode is a mapping that is being written.
type mappingNode struct{ yaml.Node }

func newMapping() *mappingNode { return &mappingNode{yaml.Node{Kind: yaml.MappingNode}} }

func (m *mappingNode) add(key string, value *yaml.Node) {
	m.Content = append(m.Content, textNode(key), value)
}

// text adds a text, unless it is "".
func (m *mappingNode) text(key, value string) {
	if value != "" {
		m.add(key, textNode(value))
	}
}

// plain adds what needs no quotes, such as a number, unless it is left out.
func (m *mappingNode) plain(key string, value any, given bool) {
	if given {
		m.add(key, &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(value)})
	}
}

// duration adds a duration, unless it is zero: 10m0s as 10m.
func (m *mappingNode) duration(key string, d time.Duration) {
	text := d.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	m.plain(key, text, d != 0)
}

// mapping adds a mapping, unless it is empty.
func (m *mappingNode) mapping(key string, value *mappingNode) {
	if len(value.Content) > 0 {
		m.add(key, &value.Node)
	}
}

// texts adds a list, unless it is empty.
func texts[T ~string](m *mappingNode, key string, values []T) {
	if len(values) == 0 {
		return
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range values {
		list.Content = append(list.Content, textNode(string(v)))
	}
	m.add(key, list)
}

func textNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	if strings.ContainsAny(s, bidiControls) || n.Style == yaml.LiteralStyle && !isTame(s) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// isTame reports whether a text of several lines can stand as it is, without quotes. The package writes some that it does
// not read, such as a tab in a line of its own.
func isTame(s string) bool {
	for line := range strings.SplitSeq(s, "\n") {
		if strings.TrimSpace(line) != line || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return false
		}
	}
	return strings.TrimSpace(s) == s
}

func scenarioNode(s *Scenario) *yaml.Node {
	m := newMapping()
	m.add("name", textNode(s.Name))
	people := newMapping()
	for _, p := range s.People {
		if p.Address == "" {
			people.add(p.Name, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"})
		} else {
			people.text(p.Name, p.Address)
		}
	}
	m.mapping("people", people)
	steps := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range s.Steps {
		steps.Content = append(steps.Content, stepNode(&s.Steps[i]))
	}
	m.add("steps", steps)
	return &m.Node
}

func stepNode(s *Step) *yaml.Node {
	m := newMapping()
	switch s.Action {
	case ActionNone:
	case ActionHangup:
		m.plain("hangup", true, true)
	default:
		m.text(string(s.Action), s.Words)
	}
	m.text("from", s.From)
	m.text("channel", string(s.Channel))
	texts(m, "media", s.MediaURLs)

	fault := newMapping()
	fault.plain("forged", true, s.Fault.Forged)
	fault.duration("stale", s.Fault.Stale)
	fault.plain("duplicate", s.Fault.Duplicate, s.Fault.Duplicate != 0)
	fault.duration("timeout", s.Fault.Timeout)
	m.mapping("fault", fault)

	e, expect := &s.Expect, newMapping()
	texts(expect, "words", e.Words)
	texts(expect, "not", e.Not)
	if e.Max != nil {
		expect.plain("max", *e.Max, true)
	}
	expect.plain("status", e.Status, e.Status != "")
	expect.duration("first", e.First)
	expect.duration("within", e.Within)
	expect.duration("quiet", e.Quiet)
	expect.plain("hangup", true, e.Hangup)
	expect.plain("transfer", true, e.Transfer)
	expect.text("digits", e.Digits)
	m.mapping("expect", expect)
	return &m.Node
}
