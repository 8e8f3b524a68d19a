package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Each of these returns a function that reads the value of a key into a variable.

func (p *parser) textInto(v *string) func(string, *yaml.Node) {
	return func(name string, n *yaml.Node) {
		text, ok := p.text(n, name)
		if ok && strings.TrimSpace(text) == "" {
			p.fail(n, "%q has to be a text; found only white space", name)
		}
		*v = text
	}
}

func (p *parser) textsInto(v *[]string) func(string, *yaml.Node) {
	return func(name string, n *yaml.Node) {
		p.list(n, func(n *yaml.Node) {
			var text string
			p.textInto(&text)(name, n)
			*v = append(*v, text)
		})
	}
}

func (p *parser) trueInto(v *bool) func(string, *yaml.Node) {
	return func(name string, n *yaml.Node) {
		*v = n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" && n.Value == "true"
		if !*v {
			p.fail(n, "%q can only be true; found %s. Leave it out otherwise", name, found(n))
		}
	}
}

func (p *parser) countInto(v *int, least int) func(string, *yaml.Node) {
	return func(name string, n *yaml.Node) {
		count, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || count < least || count > 1000 {
			p.fail(n, "%q has to be a number from %d to 1000; found %s", name, least, found(n))
		}
		*v = count
	}
}

func (p *parser) durationInto(v *time.Duration) func(string, *yaml.Node) {
	return func(name string, n *yaml.Node) {
		d, err := time.ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || d <= 0 || d > 24*time.Hour {
			p.fail(n, "%q has to be a duration such as 300ms, 5s or 10m; found %s", name, found(n))
		}
		*v = d
	}
}

func (p *parser) statusInto(v *Status) func(string, *yaml.Node) {
	return func(name string, n *yaml.Node) {
		*v = Status(n.Value)
		class := strings.TrimSuffix(n.Value, "xx")
		code, err := strconv.Atoi(class)
		if len(class) == 1 {
			code *= 100
		}
		if n.Kind != yaml.ScalarNode || err != nil || len(n.Value) != 3 || code < 100 || code > 599 {
			p.fail(n, "%q has to be an HTTP status such as 200, or a class of them such as 4xx; found %s", name, found(n))
		}
	}
}

func (p *parser) patternsInto(v *[]Pattern) func(string, *yaml.Node) {
	return func(name string, n *yaml.Node) {
		p.list(n, func(n *yaml.Node) {
			var text string
			p.textInto(&text)(name, n)
			if _, err := Pattern(text).Regexp(); err != nil {
				p.fail(n, "%q has a regular expression that cannot be read: %v", name, err)
			}
			*v = append(*v, Pattern(text))
		})
	}
}

// suggestion is the name that somebody may have meant, as in `; did you mean "text"?`, or else all names.
func suggestion(got string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if d := editDistance(strings.ToLower(got), name); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	switch {
	case best != "":
		return `; did you mean "` + best + `"?`
	case len(names) == 0:
		return ""
	}
	const most = 20
	if len(names) > most {
		return fmt.Sprintf("; known: %s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return "; known: " + strings.Join(names, ", ")
}

// editDistance is how many letters have to be added, removed or replaced. Of a long text it is at least 3.
func editDistance(a, b string) int {
	if len(a) > len(b)+3 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
