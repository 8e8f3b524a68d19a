package schema

import (
	"encoding/json"
	"time"
)

// Values is an object that was checked. Its methods return the zero value for what is absent or null.
type Values map[string]any

// Text returns a string.
func (v Values) Text(name string) string {
	s, _ := v[name].(string)
	return s
}

// Texts returns a list of strings, which is never nil.
func (v Values) Texts(name string) []string {
	items, _ := v[name].([]any)
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, _ := item.(string)
		out = append(out, s)
	}
	return out
}

// Bool returns a boolean.
func (v Values) Bool(name string) bool {
	b, _ := v[name].(bool)
	return b
}

// Int returns an integer, or otherwise if it is absent or null.
func (v Values) Int(name string, otherwise int) int {
	given, ok := v[name].(json.Number)
	if !ok {
		return otherwise
	}
	n, _ := given.Float64()
	return int(n)
}

// Time returns a time.
func (v Values) Time(name string) time.Time {
	t, _ := parseTime(v.Text(name))
	return t
}

// parseTime reads ISO 8601; without a zone it is UTC.
func parseTime(s string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err = time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return t, err
}
