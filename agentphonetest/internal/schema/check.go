package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong with input, as the API reports it in a 422.
type Problem struct {
	Loc  []any  `json:"loc"` // where it is: "body" or "query", then field names and list indexes
	Msg  string `json:"msg"`
	Type string `json:"type"`
}

// ParseBody decodes the body of a request and checks it. It returns all problems at once.
func (fs Fields) ParseBody(contentType string, data []byte) (Values, []Problem) {
	loc := []any{"body"}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, []Problem{{loc, "Field required", "missing"}}
	}
	var v any
	if isJSON(contentType) {
		var offset int64
		var err error
		if v, offset, err = decode(data); err != nil {
			return nil, []Problem{{append(loc, offset), "JSON decode error", "json_invalid"}}
		}
	}
	obj, ok := v.(map[string]any)
	if !ok {
		return nil, []Problem{{loc, "Input should be a valid dictionary or object to extract fields from", "model_attributes_type"}}
	}
	return obj, fs.check(obj, loc)
}

// isJSON reports whether a content type is JSON. A body of another one is a text to the API, not an object.
func isJSON(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// decode decodes one JSON value. offset is where an error was found.
func decode(data []byte) (v any, offset int64, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return nil, decoder.InputOffset(), err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, decoder.InputOffset(), errors.New("extra data")
	}
	return v, 0, nil
}

// ParseQuery turns the texts of a query into the values that a body would have and checks them. Of a parameter that is
// given several times the last one counts.
func (fs Fields) ParseQuery(q url.Values) (Values, []Problem) {
	obj := Values{}
	for _, f := range fs {
		given := q[f.Name]
		if len(given) == 0 {
			continue
		}
		s := given[len(given)-1]
		if s == "" && f.kind == kindTime { // the official TypeScript SDK sends null like this
			continue
		}
		var v any = s
		switch f.kind {
		case kindInteger:
			if _, err := strconv.Atoi(s); err == nil {
				v = json.Number(s)
			}
		case kindBoolean:
			switch strings.ToLower(s) {
			case "true", "1", "yes", "on":
				v = true
			case "false", "0", "no", "off":
				v = false
			}
		}
		obj[f.Name] = v
	}
	return obj, fs.check(obj, []any{"query"})
}

func (fs Fields) check(obj map[string]any, loc []any) []Problem {
	var problems []Problem
	for _, f := range fs {
		here := append(slices.Clone(loc), f.Name)
		v, given := obj[f.Name]
		switch {
		case !given && f.required:
			problems = append(problems, Problem{here, "Field required", "missing"})
		case given && !(v == nil && f.nullable):
			problems = append(problems, f.check(v, here)...)
		}
	}
	return problems
}

// check checks a value that is present and, where null is allowed, not null.
func (f *Field) check(v any, loc []any) []Problem {
	switch f.kind {
	case kindText, kindTime:
		return f.checkText(v, loc)
	case kindInteger, kindNumber:
		return f.checkNumber(v, loc)
	case kindBoolean:
		if _, ok := v.(bool); !ok {
			return problem(loc, "bool_type", "Input should be a valid boolean")
		}
	case kindList:
		return f.checkList(v, loc)
	case kindObject:
		return f.checkObject(v, loc)
	}
	return nil
}

func problem(loc []any, kind, format string, args ...any) []Problem {
	return []Problem{{loc, fmt.Sprintf(format, args...), kind}}
}

func (f *Field) checkText(v any, loc []any) []Problem {
	s, ok := v.(string)
	switch n := float64(utf8.RuneCountInString(s)); {
	case f.words != nil && !slices.Contains(f.words, s):
		return problem(loc, "literal_error", "Input should be %s", OneOf(f.words))
	case !ok:
		return problem(loc, "string_type", "Input should be a valid string")
	case f.min != nil && n < *f.min:
		return problem(loc, "string_too_short", "String should have at least %v characters", *f.min)
	case f.max != nil && n > *f.max:
		return problem(loc, "string_too_long", "String should have at most %v characters", *f.max)
	case f.kind == kindTime:
		if _, err := parseTime(s); err != nil {
			return problem(loc, "datetime_parsing", "Input should be a valid datetime")
		}
	case f.format != nil:
		if reason := f.format(s); reason != "" {
			return problem(loc, "value_error", "Value error, %s", reason)
		}
	}
	return nil
}

func (f *Field) checkNumber(v any, loc []any) []Problem {
	given, ok := v.(json.Number)
	n, err := given.Float64()
	switch {
	case (!ok || err != nil) && f.kind == kindNumber:
		return problem(loc, "float_type", "Input should be a valid number")
	case !ok || err != nil:
		return problem(loc, "int_type", "Input should be a valid integer")
	case f.kind == kindInteger && n != float64(int64(n)):
		return problem(loc, "int_from_float", "Input should be a valid integer, got a number with a fractional part")
	case f.min != nil && n < *f.min:
		return problem(loc, "greater_than_equal", "Input should be greater than or equal to %v", *f.min)
	case f.max != nil && n > *f.max:
		return problem(loc, "less_than_equal", "Input should be less than or equal to %v", *f.max)
	}
	return nil
}

func (f *Field) checkList(v any, loc []any) []Problem {
	items, ok := v.([]any)
	switch n := float64(len(items)); {
	case !ok:
		return problem(loc, "list_type", "Input should be a valid list")
	case f.min != nil && n < *f.min:
		return problem(loc, "too_short", "List should have at least %v items after validation, not %v", *f.min, n)
	case f.max != nil && n > *f.max:
		return problem(loc, "too_long", "List should have at most %v items after validation, not %v", *f.max, n)
	}
	var problems []Problem
	for i, item := range items {
		problems = append(problems, f.item.check(item, append(slices.Clone(loc), i))...)
	}
	return problems
}

func (f *Field) checkObject(v any, loc []any) []Problem {
	obj, ok := v.(map[string]any)
	if !ok {
		return problem(loc, "dict_type", "Input should be a valid dictionary")
	}
	if f.item == nil {
		return f.inside.check(obj, loc)
	}
	var values Fields
	for _, name := range slices.Sorted(maps.Keys(obj)) {
		value := *f.item
		value.Name = name
		values = append(values, value)
	}
	return values.check(obj, loc)
}
