package scenario

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/agentphone/agentphone-go"
)

// scenario reads a document.
func (p *parser) scenario(n *yaml.Node) Scenario {
	s := Scenario{File: p.file, Line: n.Line}
	var steps *yaml.Node
	p.mapping(n, "a scenario", []field{
		{"name", true, p.textInto(&s.Name)},
		{"people", false, func(_ string, n *yaml.Node) { s.People = p.people(n) }},
		{"steps", true, func(_ string, n *yaml.Node) { steps = n }}, // they need the people
	})
	switch {
	case steps == nil:
	case steps.Kind != yaml.SequenceNode || len(steps.Content) == 0:
		p.fail(steps, `"steps" has to be a list of steps; found %s`, found(steps))
	default:
		for _, step := range steps.Content {
			if !p.more() {
				break
			}
			s.Steps = append(s.Steps, p.step(step, s.People))
		}
	}
	return s
}

// people reads the names of people and, where they are given, their phone numbers or email addresses.
func (p *parser) people(n *yaml.Node) []Person {
	var people []Person
	names, owners := map[string]bool{}, map[string]string{} // of addresses
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		p.fail(n, `"people" has to be a mapping of names to phone numbers; found %s`, found(n))
		return nil
	}
	if len(n.Content)/2 > maxPeople {
		p.fail(n, `"people" has to have at most %d; found %d`, maxPeople, len(n.Content)/2)
		return nil
	}
	for i := 0; i+1 < len(n.Content) && p.more(); i += 2 {
		key, value := resolved(n.Content[i]), resolved(n.Content[i+1])
		var person Person
		p.textInto(&person.Name)("people", key)
		if value.ShortTag() != "!!null" {
			person.Address, _ = p.text(value, person.Name)
			if _, err := agentphone.ParseE164(person.Address); err != nil && !isEmailAddress(person.Address) {
				p.fail(value, "the phone number of %q has to be in E.164 form, such as +14155550123, or an email address; found %s",
					person.Name, found(value))
			}
		}
		switch owner := owners[person.Address]; {
		case names[person.Name]:
			p.fail(key, "%q is there twice", person.Name)
		case owner != "":
			p.fail(value, "%q and %q have the same address", owner, person.Name)
		case person.Address != "":
			owners[person.Address] = person.Name
		}
		names[person.Name] = true
		people = append(people, person)
	}
	return people
}

func isEmailAddress(s string) bool {
	user, host, ok := strings.Cut(s, "@")
	return ok && user != "" && strings.Contains(host, ".") && !strings.ContainsAny(s, " \t\r\n")
}

var actions = []string{string(ActionText), string(ActionReact), string(ActionSay), string(ActionHangup)}

// step reads a step.
func (p *parser) step(n *yaml.Node, people []Person) Step {
	s := Step{Line: n.Line}
	hangup := false
	keys := p.mapping(n, "a step", []field{
		{"text", false, p.textInto(&s.Words)},
		{"react", false, func(name string, n *yaml.Node) {
			p.textInto(&s.Words)(name, n)
			p.checkReaction(name, n)
		}},
		{"say", false, p.textInto(&s.Words)},
		{"hangup", false, p.trueInto(&hangup)},
		{"from", false, func(name string, n *yaml.Node) {
			p.textInto(&s.From)(name, n)
			p.checkPerson(n, people)
		}},
		{"channel", false, func(name string, n *yaml.Node) { s.Channel = p.channel(name, n) }},
		{"media", false, p.textsInto(&s.MediaURLs)},
		{"fault", false, func(_ string, n *yaml.Node) { s.Fault = p.fault(n) }},
		{"expect", false, func(_ string, n *yaml.Node) { s.Expect = p.expectation(n) }},
	})
	for _, name := range actions {
		switch {
		case keys[name] == nil:
		case s.Action != ActionNone:
			p.fail(keys[name], "a step has one of %s; found %q and %q", strings.Join(actions, ", "), s.Action, name)
		default:
			s.Action = Action(name)
		}
	}
	if keys["media"] != nil && s.Action == ActionNone { // a picture without words
		s.Action = ActionText
	}
	if n = resolved(n); n.Kind == yaml.MappingNode {
		p.checkStep(n, &s, keys)
		in := Scenario{People: people}
		if who := in.Person(&s); strings.Contains(who.Address, "@") && (s.Action == ActionSay || s.Action == ActionHangup) {
			p.fail(n, "%q has an email address, from which nobody can call", who.Name)
		}
	}
	return s
}

// checkStep checks that what a step has goes together.
func (p *parser) checkStep(n *yaml.Node, s *Step, keys map[string]*yaml.Node) {
	if s.Action == ActionNone && keys["expect"] == nil {
		p.fail(n, `a step needs one of %s, or else "expect"`, strings.Join(actions, ", "))
	}
	for _, name := range []string{"channel", "media"} {
		if keys[name] != nil && s.Action != ActionText {
			p.fail(keys[name], `%q goes with "text" only`, name)
		}
	}
	if keys["fault"] != nil && s.Action == ActionNone {
		p.fail(keys["fault"], `"fault" goes with something that is delivered: %s`, strings.Join(actions, ", "))
	}
	if s.Fault.Timeout != 0 && s.Action == ActionSay {
		p.fail(keys["fault"], `"timeout" does not go with "say": what is said is delivered once`)
	}
	e := &s.Expect
	if s.Action != ActionSay && (e.Hangup || e.Transfer || e.Digits != "") {
		p.fail(keys["expect"], `"hangup", "transfer" and "digits" are expected of "say" only`)
	}
	if s.Action == ActionSay && e.Quiet != 0 {
		p.fail(keys["expect"], `"quiet" is about texts: it does not go with "say"`)
	}
	if s.Action == ActionNone && e.Status != "" {
		p.fail(keys["expect"], `"status" is that of a response: it needs one of %s`, strings.Join(actions, ", "))
	}
	if e.Max != nil && *e.Max == 0 && (len(e.Words) > 0 || e.First != 0) {
		p.fail(keys["expect"], `"max" is 0, so there can be no "words" and no "first"`)
	}
}

func (p *parser) checkPerson(n *yaml.Node, people []Person) {
	names := []string{}
	for _, person := range people {
		names = append(names, person.Name)
	}
	if len(names) == 0 {
		names = []string{DefaultPerson}
	}
	if n.Kind == yaml.ScalarNode && !slices.Contains(names, n.Value) {
		p.fail(n, `"people" has no %s%s`, found(n), suggestion(n.Value, names))
	}
}

var reactions = []agentphone.ReactionType{
	agentphone.ReactionLove, agentphone.ReactionLike, agentphone.ReactionDislike,
	agentphone.ReactionLaugh, agentphone.ReactionEmphasize, agentphone.ReactionQuestion,
}

func (p *parser) checkReaction(name string, n *yaml.Node) {
	kind := agentphone.ReactionType(n.Value)
	if n.Kind == yaml.ScalarNode && kind != "" && kind[0] < utf8.RuneSelf && !slices.Contains(reactions, kind) {
		p.fail(n, "%q has to be an emoji or one of love, like, dislike, laugh, emphasize, question; found %s", name, found(n))
	}
}

func (p *parser) channel(name string, n *yaml.Node) agentphone.Channel {
	known := []string{"sms", "mms", "imessage", "whatsapp"}
	if !slices.Contains(known, n.Value) {
		p.fail(n, "%q has to be one of %s; found %s", name, strings.Join(known, ", "), found(n))
	}
	return agentphone.Channel(n.Value)
}

func (p *parser) fault(n *yaml.Node) Fault {
	var f Fault
	keys := p.mapping(n, `"fault"`, []field{
		{"forged", false, p.trueInto(&f.Forged)},
		{"stale", false, p.durationInto(&f.Stale)},
		{"duplicate", false, p.countInto(&f.Duplicate, 1)},
		{"timeout", false, p.durationInto(&f.Timeout)},
	})
	if n.Kind == yaml.MappingNode && len(keys) != 1 {
		p.fail(n, `"fault" has one of forged, stale, duplicate, timeout; found %d`, len(keys))
	}
	return f
}

func (p *parser) expectation(n *yaml.Node) Expectation {
	var e Expectation
	limit := 0
	keys := p.mapping(n, `"expect"`, []field{
		{"words", false, p.patternsInto(&e.Words)},
		{"not", false, p.patternsInto(&e.Not)},
		{"max", false, p.countInto(&limit, 0)},
		{"status", false, p.statusInto(&e.Status)},
		{"first", false, p.durationInto(&e.First)},
		{"within", false, p.durationInto(&e.Within)},
		{"quiet", false, p.durationInto(&e.Quiet)},
		{"hangup", false, p.trueInto(&e.Hangup)},
		{"transfer", false, p.trueInto(&e.Transfer)},
		{"digits", false, p.digitsInto(&e.Digits)},
	})
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		p.fail(n, `"expect" is empty`)
	}
	if keys["max"] != nil {
		e.Max = &limit
	}
	return e
}

func (p *parser) digitsInto(v *string) func(string, *yaml.Node) {
	return func(name string, n *yaml.Node) {
		*v = n.Value
		if n.Kind != yaml.ScalarNode || n.Value == "" || strings.Trim(n.Value, "0123456789*#") != "" {
			p.fail(n, "%q has to be keys of a phone, 0 to 9, * and #; found %s", name, found(n))
		}
	}
}
