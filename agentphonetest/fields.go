package agentphonetest

import (
	"fmt"
	"strings"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// kind is the JSON type of a field.
type kind int

const (
	kindText kind = iota
	kindInteger
	kindNumber
	kindBoolean
	kindTime // text that is a time; in queries only
	kindList
	kindObject
)

// field is what is checked of one field of a body or a query. Checks read raw JSON, not the SDK's
// types, so that they find the SDK's mistakes.
type field struct {
	name        string
	kind        kind
	need        bool
	null        bool                // null is allowed, and is the same as absent
	words       []string            // all that a text may be
	form        func(string) string // what is wrong with a text, or ""
	least, most *float64            // bounds of a number, of a text's characters or a list's items
	item        *field              // of a list; of an object all of whose values are alike
	inside      fields              // of an object; nil: anything
}

type fields []field

func text(name string) field    { return field{name: name} }
func integer(name string) field { return field{name: name, kind: kindInteger} }
func number(name string) field  { return field{name: name, kind: kindNumber} }
func boolean(name string) field { return field{name: name, kind: kindBoolean} }
func at(name string) field      { return field{name: name, kind: kindTime} }

func oneOf(name string, words ...string) field { return field{name: name, words: words} }

func list(name string, item field) field { return field{name: name, kind: kindList, item: &item} }

func group(name string, inside ...field) field {
	return field{name: name, kind: kindObject, inside: inside}
}

func (f field) required() field { f.need = true; return f }
func (f field) orNull() field   { f.null = true; return f }

func (f field) atLeast(n float64) field { f.least = &n; return f }
func (f field) atMost(n float64) field  { f.most = &n; return f }

func (f field) like(form func(string) string) field { f.form = form; return f }

// valuesLike is for an object whose names are free and whose values are all like item.
func (f field) valuesLike(item field) field { f.item = &item; return f }

// page is the query of a list by offset.
func page(most float64) []field {
	return []field{integer("limit").atLeast(1).atMost(most), integer("offset").atLeast(0)}
}

// The forms of texts.

func e164(s string) string {
	if _, err := agentphone.ParseE164(s); err != nil {
		return "phone number must be in E.164 format"
	}
	return ""
}

func email(s string) string {
	name, domain, ok := strings.Cut(s, "@")
	if !ok || name == "" || !strings.Contains(domain, ".") || strings.ContainsAny(s, " \t\n") || strings.Contains(domain, "@") {
		return "not a valid email address"
	}
	return ""
}

func webAddress(s string) string {
	for _, scheme := range []string{"https://", "http://"} {
		rest, ok := strings.CutPrefix(s, scheme)
		if host, _, _ := strings.Cut(rest, "/"); ok && host != "" && !strings.Contains(s, " ") {
			return ""
		}
	}
	return "not a valid http or https URL"
}

func areaCode(s string) string {
	if len(s) != 3 || strings.Trim(s, "0123456789") != "" {
		return "area code must be 3 digits"
	}
	return ""
}

func timeZone(s string) string {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return "unknown time zone"
	}
	return ""
}

// quoted joins what a field may be: 'a', 'b' or 'c'.
func quoted(words []string) string {
	last := len(words) - 1
	text := fmt.Sprintf("'%s'", words[last])
	if last == 0 {
		return text
	}
	return "'" + strings.Join(words[:last], "', '") + "' or " + text
}
