package lenientjson

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// repair returns data, or what it should have been to be decoded into a value of the type t, as the member of that name.
func repair(data []byte, t reflect.Type, name string) []byte {
	if !json.Valid(data) {
		return data
	}
	r := repairer{in: data}
	r.value(t, name)
	if r.out == nil {
		return data
	}
	return append(r.out, data[r.copied:]...)
}

// repairer goes once over a valid JSON text and copies it with what it replaces.
type repairer struct {
	in     []byte
	at     int
	out    []byte // nil as long as nothing is replaced
	copied int    // how much of in is in out
}

// replace puts a value in the place of in[start:r.at].
func (r *repairer) replace(start int, value string) {
	if r.out == nil {
		r.out = make([]byte, 0, len(r.in)+len(r.in)/8)
	}
	r.out = append(append(r.out, r.in[r.copied:start]...), value...)
	r.copied = r.at
}

// value passes a value that is to be decoded into one of the type t, or is not to be repaired if t is nil.
func (r *repairer) value(t reflect.Type, name string) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && reflect.PointerTo(t).Implements(unmarshaler) {
		t = nil // it repairs by itself, if at all
	}
	switch r.space(); r.in[r.at] {
	case '{':
		members := membersOf(t)
		r.items('}', func() {
			member := r.name()
			r.value(members(member), member)
		})
	case '[':
		var item reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			item = t.Elem()
		}
		r.items(']', func() { r.value(item, name) })
	case '"':
		start := r.at
		r.skipString()
		if t != nil {
			if value, ok := repairString(r.in[start:r.at], t, name); ok {
				r.replace(start, value)
			}
		}
	default: // a number, true, false or null
		for r.at < len(r.in) && bytes.IndexByte([]byte(",]} \t\r\n"), r.in[r.at]) < 0 {
			r.at++
		}
	}
	r.space()
}

// items passes an array or an object, calling item at the beginning of each of its items.
func (r *repairer) items(end byte, item func()) {
	r.at++
	for r.space(); r.in[r.at] != end; r.space() {
		if r.in[r.at] == ',' {
			r.at++
			continue
		}
		item()
	}
	r.at++
}

// name passes a member's name and the colon behind it.
func (r *repairer) name() string {
	start := r.at
	r.skipString()
	name := string(r.in[start+1 : r.at-1])
	r.space()
	r.at++
	return name
}

func (r *repairer) space() {
	for r.at < len(r.in) && (r.in[r.at] == ' ' || r.in[r.at] == '\n' || r.in[r.at] == '\r' || r.in[r.at] == '\t') {
		r.at++
	}
}

func (r *repairer) skipString() {
	for r.at++; r.in[r.at] != '"'; r.at++ {
		if r.in[r.at] == '\\' {
			r.at++
		}
	}
	r.at++
}

// repairString returns what is to be in the place of a string, in quotes, if anything.
func repairString(quoted []byte, t reflect.Type, name string) (string, bool) {
	s := string(quoted[1 : len(quoted)-1])
	if strings.Contains(s, `\`) {
		return "", false // none of what is replaced needs an escape
	}
	kind := t.Kind()
	blank := s == none || strings.TrimSpace(s) == ""
	switch {
	case kind == reflect.Interface:
	case kind == reflect.String:
		isEnum := t.PkgPath() != ""
		if s == none && (isEnum || !isProse(name)) {
			return "null", true
		}
		if number := phone(s); number != s && isPhone(name) {
			return `"` + number + `"`, true
		}
	case blank:
		return "null", true
	case kind == reflect.Bool && isBool(s):
		return strings.ToLower(s), true
	case kind > reflect.Bool && kind <= reflect.Float64 && isNumber(strings.TrimSpace(s)):
		return strings.TrimSpace(s), true
	}
	return "", false
}

func isNumber(s string) bool {
	return (s[0] == '-' || s[0] >= '0' && s[0] <= '9') && json.Valid([]byte(s))
}

var (
	unmarshaler = reflect.TypeFor[json.Unmarshaler]()
	structs     sync.Map // of reflect.Type to map[string]reflect.Type
)

// membersOf returns a function that returns the type of a member of an object that is to be decoded into a value of the type t; nil
// if the member is not to be repaired.
func membersOf(t reflect.Type) func(name string) reflect.Type {
	switch {
	case t != nil && t.Kind() == reflect.Map:
		return func(string) reflect.Type { return t.Elem() }
	case t == nil || t.Kind() != reflect.Struct:
		return func(string) reflect.Type { return nil }
	}
	fields, ok := structs.Load(t)
	if !ok {
		fields, _ = structs.LoadOrStore(t, fieldsOf(t))
	}
	types := fields.(map[string]reflect.Type)
	return func(name string) reflect.Type { return types[name] }
}

func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			fields[name] = field.Type
		}
	}
	return fields
}
