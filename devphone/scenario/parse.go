package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// maxFile is far above the size of any scenario that somebody wrote.
const maxFile = 4 << 20

// What is read of a file is bounded, too: aliases make much of little.
const (
	maxValues   = 100_000
	maxPeople   = 1000 // of a scenario
	maxProblems = 100  // that are named
	maxMessage  = 500  // runes of one
)

// Error is a mistake in a scenario file.
type Error struct {
	File         string
	Line, Column int // they begin at 1; Column is 0 if it is not known
	Message      string
}

func (e *Error) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// ReadFile reads the scenarios of a file: one in each YAML document. The error joins an [*Error] for each mistake.
func ReadFile(name string) ([]Scenario, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}

// Parse is [ReadFile] for what was read already. file is for errors.
func Parse(file string, data []byte) ([]Scenario, error) {
	if len(data) > maxFile {
		return nil, &Error{file, 1, 0, fmt.Sprintf("the file is larger than %d MiB", maxFile>>20)}
	}
	p := &parser{file: file}
	var scenarios []Scenario
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for !p.full {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			p.problems = append(p.problems, syntaxError(file, err))
			break // what follows cannot be read
		}
		if !p.more() {
			break
		}
		scenarios = append(scenarios, p.scenario(document.Content[0]))
	}
	if len(scenarios) == 0 && p.problems == nil {
		p.problems = append(p.problems, &Error{file, 1, 0, "there is no scenario in the file"})
	}
	if p.problems != nil {
		return nil, errors.Join(p.problems...)
	}
	return scenarios, nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?((?s:.*))$`)

// syntaxError has the position of an error of package yaml where those of this package have it.
func syntaxError(file string, err error) error {
	found := yamlError.FindStringSubmatch(err.Error())
	if found == nil {
		return &Error{file, 1, 0, err.Error()}
	}
	line, _ := strconv.Atoi(found[1]) // 0 if it says none
	return &Error{file, max(line, 1), 0, "not YAML: " + found[2]}
}

// parser reads YAML nodes. It keeps the problems that it finds and goes on.
type parser struct {
	file     string
	problems []error
	values   int  // that were read
	full     bool // nothing more is read
}

// fail notes a problem with a node.
func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	switch {
	case p.full:
	case len(p.problems) == maxProblems:
		p.problems = append(p.problems, &Error{p.file, n.Line, n.Column, "there are more mistakes"})
		p.full = true
	default:
		p.problems = append(p.problems, &Error{p.file, n.Line, n.Column, cut(fmt.Sprintf(format, args...), maxMessage)})
	}
}

// more reports whether another value may be read.
func (p *parser) more() bool {
	p.values++
	if p.values > maxValues && !p.full {
		p.problems = append(p.problems, &Error{p.file, 1, 0, fmt.Sprintf("it has more than %d values, counting each time what an alias stands for", maxValues)})
		p.full = true
	}
	return !p.full
}

// found describes a node, for errors.
func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.ShortTag() == "!!null" {
		return "nothing"
	}
	return fmt.Sprintf("%q", shortened(n.Value))
}

func shortened(s string) string { return cut(s, 60) }

// cut is the beginning of a text, of so many runes.
func cut(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "..."
		}
		n++
	}
	return s
}

// field is a key that a mapping may have. read is called with its value.
type field struct {
	name     string
	required bool
	read     func(name string, value *yaml.Node)
}

// mapping reads a mapping. what names it in errors. It returns the nodes of the keys that it has.
func (p *parser) mapping(n *yaml.Node, what string, fields []field) map[string]*yaml.Node {
	keys := map[string]*yaml.Node{}
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		p.fail(n, "%s has to be a mapping; found %s", what, found(n))
		return keys
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	for i := 0; i+1 < len(n.Content) && p.more(); i += 2 {
		key, value := resolved(n.Content[i]), resolved(n.Content[i+1])
		f := indexOf(names, key)
		switch {
		case f < 0:
			p.fail(n.Content[i], "%s has no key %s%s", what, found(key), suggestion(key.Value, names))
		case keys[key.Value] != nil:
			p.fail(n.Content[i], "%q is there twice; the other is in line %d", key.Value, keys[key.Value].Line)
		default:
			keys[key.Value] = n.Content[i]
			fields[f].read(key.Value, value)
		}
	}
	for _, f := range fields {
		if f.required && keys[f.name] == nil {
			p.fail(n, "%s needs %q", what, f.name)
		}
	}
	return keys
}

func indexOf(names []string, key *yaml.Node) int {
	for i, name := range names {
		if key.Kind == yaml.ScalarNode && key.Value == name {
			return i
		}
	}
	return -1
}

// resolved returns the node that an alias is for.
func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// list reads a list, or a single item as a list of one.
func (p *parser) list(n *yaml.Node, item func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		item(n)
		return
	}
	for _, i := range n.Content {
		if !p.more() {
			return
		}
		item(resolved(i))
	}
}

// text reads a text. A number is one too, as it is written: what people text is often a number.
func (p *parser) text(n *yaml.Node, name string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
	case n.ShortTag() == "!!str", n.ShortTag() == "!!int", n.ShortTag() == "!!float", n.ShortTag() == "!!bool", n.ShortTag() == "!!timestamp":
		return n.Value, true
	}
	p.fail(n, "%q has to be a text; found %s", name, found(n))
	return "", false
}
