package agentphonetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func (fs fields) readBody(contentType string, data []byte) (object, []problem) {
	loc := []any{"body"}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, []problem{{loc, "Field required", "missing"}}
	}
	media, _, _ := mime.ParseMediaType(contentType)
	var v any
	if media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json") {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		err := decoder.Decode(&v)
		if err == nil {
			if _, err = decoder.Token(); errors.Is(err, io.EOF) {
				err = nil
			} else {
				err = errors.New("extra data")
			}
		}
		if err != nil {
			return nil, []problem{{append(loc, decoder.InputOffset()), "JSON decode error", "json_invalid"}}
		}
	}
	obj, ok := v.(map[string]any)
	if !ok {
		return nil, []problem{{loc, "Input should be a valid dictionary or object to extract fields from", "model_attributes_type"}}
	}
	return obj, fs.check(obj, loc)
}

// readQuery turns the texts of a query into the values that a body would have.
func (fs fields) readQuery(q url.Values) (object, []problem) {
	obj := object{}
	for _, f := range fs {
		given := q[f.name]
		if len(given) == 0 {
			continue
		}
		s := given[len(given)-1]
		if s == "" && f.kind == kindTime { // so other clients write null
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
		obj[f.name] = v
	}
	return obj, fs.check(obj, []any{"query"})
}

func (fs fields) check(obj map[string]any, loc []any) []problem {
	var problems []problem
	for _, f := range fs {
		here := append(slices.Clone(loc), f.name)
		v, given := obj[f.name]
		switch {
		case !given && f.need:
			problems = append(problems, problem{here, "Field required", "missing"})
		case given && !(v == nil && f.null):
			problems = append(problems, f.check(v, here)...)
		}
	}
	return problems
}

// check looks at a value that is there.
func (f *field) check(v any, loc []any) []problem {
	wrong := func(kind, format string, args ...any) []problem {
		return []problem{{loc, fmt.Sprintf(format, args...), kind}}
	}
	switch f.kind {
	case kindText, kindTime:
		s, ok := v.(string)
		switch n := float64(utf8.RuneCountInString(s)); {
		case f.words != nil && !slices.Contains(f.words, s):
			return wrong("literal_error", "Input should be %s", quoted(f.words))
		case !ok:
			return wrong("string_type", "Input should be a valid string")
		case f.least != nil && n < *f.least:
			return wrong("string_too_short", "String should have at least %v characters", *f.least)
		case f.most != nil && n > *f.most:
			return wrong("string_too_long", "String should have at most %v characters", *f.most)
		case f.kind == kindTime:
			if _, err := parseTime(s); err != nil {
				return wrong("datetime_parsing", "Input should be a valid datetime")
			}
		case f.form != nil:
			if reason := f.form(s); reason != "" {
				return wrong("value_error", "Value error, %s", reason)
			}
		}
	case kindInteger, kindNumber:
		return f.checkNumber(v, wrong)
	case kindBoolean:
		if _, ok := v.(bool); !ok {
			return wrong("bool_type", "Input should be a valid boolean")
		}
	case kindList:
		items, ok := v.([]any)
		switch n := float64(len(items)); {
		case !ok:
			return wrong("list_type", "Input should be a valid list")
		case f.least != nil && n < *f.least:
			return wrong("too_short", "List should have at least %v items after validation, not %v", *f.least, n)
		case f.most != nil && n > *f.most:
			return wrong("too_long", "List should have at most %v items after validation, not %v", *f.most, n)
		}
		var problems []problem
		for i, item := range items {
			problems = append(problems, f.item.check(item, append(slices.Clone(loc), i))...)
		}
		return problems
	case kindObject:
		obj, ok := v.(map[string]any)
		if !ok {
			return wrong("dict_type", "Input should be a valid dictionary")
		}
		if f.item == nil {
			return f.inside.check(obj, loc)
		}
		var all fields
		for name := range obj {
			item := *f.item
			item.name = name
			all = append(all, item)
		}
		return all.check(obj, loc)
	}
	return nil
}

func (f *field) checkNumber(v any, wrong func(kind, format string, args ...any) []problem) []problem {
	given, ok := v.(json.Number)
	n, err := given.Float64()
	switch {
	case (!ok || err != nil) && f.kind == kindNumber:
		return wrong("float_type", "Input should be a valid number")
	case !ok || err != nil:
		return wrong("int_type", "Input should be a valid integer")
	case f.kind == kindInteger && n != float64(int64(n)):
		return wrong("int_from_float", "Input should be a valid integer, got a number with a fractional part")
	case f.least != nil && n < *f.least:
		return wrong("greater_than_equal", "Input should be greater than or equal to %v", *f.least)
	case f.most != nil && n > *f.most:
		return wrong("less_than_equal", "Input should be less than or equal to %v", *f.most)
	}
	return nil
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

// Values of a checked object. What is absent or null is the zero value.

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o object) flag(name string) bool {
	b, _ := o[name].(bool)
	return b
}

// integer returns otherwise if the field is absent or null.
func (o object) integer(name string, otherwise int) int {
	given, ok := o[name].(json.Number)
	if !ok {
		return otherwise
	}
	n, _ := given.Float64()
	return int(n)
}

func (o object) texts(name string) []string {
	items, _ := o[name].([]any)
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, _ := item.(string)
		out = append(out, s)
	}
	return out
}

func (o object) time(name string) time.Time {
	t, _ := parseTime(o.text(name))
	return t
}
