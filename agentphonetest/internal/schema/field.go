// Package schema describes the fields of JSON objects and of queries, and checks input against the description.
//
// It reads raw JSON rather than the SDK's types, so that it finds the SDK's mistakes. Its errors are those of the API,
// which has them from the Python library Pydantic.
package schema

import (
	"fmt"
	"strings"
	"time"
)

// kind is the JSON type of a field.
type kind int

const (
	kindText kind = iota
	kindInteger
	kindNumber
	kindBoolean
	kindTime // a text that holds a time
	kindList
	kindObject
)

// Field describes one field. Fields are values: the methods that add a rule return a copy.
type Field struct {
	Name string

	kind     kind
	required bool
	nullable bool
	words    []string            // all values that a text may have; nil: any
	format   func(string) string // see Format
	min, max *float64            // of a number, of the characters of a text, of the items of a list
	item     *Field              // of a list, or of an object whose values are all alike
	inside   Fields              // of an object; nil: anything
}

// Fields describes an object or a query. Fields that it does not describe are ignored.
type Fields []Field

// Text describes a string.
func Text(name string) Field { return Field{Name: name} }

// Integer describes a number without a fractional part.
func Integer(name string) Field { return Field{Name: name, kind: kindInteger} }

// Number describes a number.
func Number(name string) Field { return Field{Name: name, kind: kindNumber} }

// Boolean describes true or false; in a query also 1, yes and on, or 0, no and off.
func Boolean(name string) Field { return Field{Name: name, kind: kindBoolean} }

// Time describes a string that holds a time in ISO 8601, in UTC if it names no zone. In a query the empty string is the
// same as none.
func Time(name string) Field { return Field{Name: name, kind: kindTime} }

// Enum describes a string that is one of words.
func Enum(name string, words ...string) Field { return Field{Name: name, words: words} }

// List describes an array of items. The item needs no name.
func List(name string, item Field) Field { return Field{Name: name, kind: kindList, item: &item} }

// Object describes an object with certain fields, or with any if there are none.
func Object(name string, inside ...Field) Field {
	return Field{Name: name, kind: kindObject, inside: inside}
}

// Map describes an object whose keys are free and whose values are all alike. The value needs no name.
func Map(name string, value Field) Field { return Field{Name: name, kind: kindObject, item: &value} }

// Required makes the absence of the field a problem.
func (f Field) Required() Field { f.required = true; return f }

// Nullable allows null, which then means the same as absence.
func (f Field) Nullable() Field { f.nullable = true; return f }

// Min sets the least value of a number, or the least number of characters or items.
func (f Field) Min(n float64) Field { f.min = &n; return f }

// Max sets the greatest value of a number, or the greatest number of characters or items.
func (f Field) Max(n float64) Field { f.max = &n; return f }

// Format adds a check of a text: problem returns what is wrong with it, or "".
func (f Field) Format(problem func(text string) string) Field { f.format = problem; return f }

// Email is the format of an email address.
func Email(s string) string {
	name, domain, ok := strings.Cut(s, "@")
	if !ok || name == "" || !strings.Contains(domain, ".") || strings.ContainsAny(s, " \t\n") || strings.Contains(domain, "@") {
		return "not a valid email address"
	}
	return ""
}

// URL is the format of an absolute http or https URL.
func URL(s string) string {
	for _, scheme := range []string{"https://", "http://"} {
		rest, ok := strings.CutPrefix(s, scheme)
		if host, _, _ := strings.Cut(rest, "/"); ok && host != "" && !strings.Contains(s, " ") {
			return ""
		}
	}
	return "not a valid http or https URL"
}

// HTTPS is the format of an absolute https URL.
func HTTPS(s string) string {
	if problem := URL(s); problem != "" || !strings.HasPrefix(s, "https://") {
		return "not a valid https URL"
	}
	return ""
}

// TimeZone is the format of a name in the IANA time zone database.
func TimeZone(s string) string {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return "unknown time zone"
	}
	return ""
}

// OneOf enumerates words as the API's messages do: 'a', 'b' or 'c'.
func OneOf(words []string) string {
	last := len(words) - 1
	text := fmt.Sprintf("'%s'", words[last])
	if last == 0 {
		return text
	}
	return "'" + strings.Join(words[:last], "', '") + "' or " + text
}
