package lenientjson

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// maxRepair is the size of the largest JSON text that is repaired: repairing copies it, and what is in it, several times.
const maxRepair = 4 << 20

// Unmarshal decodes data into the value that v points to, as [json.Unmarshal] does, but for values that the API has been seen to
// send instead of what it publishes:
//
//   - a number or a boolean in a string, "0.97", is decoded as what is in it
//   - "None", which is Python's null, is null, as is "" where no string is due; a string that people may have said or written
//     is left as it is
//   - a phone number is decoded to E.164 from a tel: URI, or from the ten digits of a North American number
func Unmarshal(data []byte, v any) error {
	return unmarshal(data, reflect.ValueOf(v), "")
}

// ReadFieldsRepaired is [ReadFields] with the tolerance of [Unmarshal].
func ReadFieldsRepaired(object map[string]json.RawMessage, to any) { readFields(object, to, unmarshal) }

// unmarshal is [Unmarshal] for the member of that name.
func unmarshal(data []byte, v reflect.Value, name string) error {
	if len(data) > maxRepair {
		return json.Unmarshal(data, v.Interface())
	}
	to := v.Elem()
	before := reflect.New(to.Type()).Elem()
	before.Set(to)
	if !suspicious(data) && json.Unmarshal(data, v.Interface()) == nil {
		return nil
	}
	to.Set(before) // it may be partly decoded
	return json.Unmarshal(repair(data, to.Type(), name), v.Interface())
}

// suspicious reports whether data may hold a string that repair changes although it can be decoded as it is.
func suspicious(data []byte) bool {
	for {
		i := bytes.IndexByte(data, '"')
		if i < 0 {
			return false
		}
		data = data[i+1:]
		switch end := bytes.IndexByte(data, '"'); {
		case end == len(none) && string(data[:end]) == none,
			end == len("4155551234") && data[0] >= '2' && data[0] <= '9',
			end > len(telScheme) && strings.EqualFold(string(data[:len(telScheme)]), telScheme):
			return true
		}
	}
}

const none, telScheme = "None", "tel:"

// repair returns raw, or what it should have been to be decoded into a value of the type t, as the member of that name.
func repair(raw json.RawMessage, t reflect.Type, name string) json.RawMessage {
	if t.Kind() == reflect.Pointer {
		return repair(raw, t.Elem(), name)
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return raw // such a type repairs by itself, if at all
	}
	var s string
	isString := raw[0] == '"' && json.Unmarshal(raw, &s) == nil
	switch kind := t.Kind(); {
	case kind == reflect.Interface:
	case kind == reflect.String:
		if isString {
			return repairString(raw, s, t, name)
		}
	case isString && (s == none || strings.TrimSpace(s) == ""):
		return json.RawMessage("null")
	case isString && isScalar(kind):
		return unquoted(raw, s, kind)
	case kind == reflect.Struct && raw[0] == '{':
		return repairObject(raw, func(object map[string]json.RawMessage) bool { return repairMembers(object, t) })
	case kind == reflect.Map && raw[0] == '{':
		return repairObject(raw, func(object map[string]json.RawMessage) (changed bool) {
			for member, value := range object {
				changed = set(object, member, value, repair(value, t.Elem(), member)) || changed
			}
			return changed
		})
	case kind == reflect.Slice && raw[0] == '[':
		return repairList(raw, t.Elem(), name)
	}
	return raw
}

func isScalar(kind reflect.Kind) bool { return kind >= reflect.Bool && kind <= reflect.Float64 }

// unquoted returns the number or the boolean in a string, or raw if it is none.
func unquoted(raw json.RawMessage, s string, kind reflect.Kind) json.RawMessage {
	s = strings.TrimSpace(s)
	if kind == reflect.Bool {
		if s = strings.ToLower(s); s != "true" && s != "false" {
			return raw
		}
	}
	var v any
	switch json.Unmarshal([]byte(s), &v); v.(type) {
	case bool, float64:
		return json.RawMessage(s)
	}
	return raw
}

func repairString(raw json.RawMessage, s string, t reflect.Type, name string) json.RawMessage {
	isEnum := t.PkgPath() != ""
	switch {
	case s == none && (isEnum || !isProse(name)):
		return json.RawMessage("null")
	case isPhone(name) && phone(s) != s:
		quoted, _ := json.Marshal(phone(s)) // cannot fail
		return quoted
	}
	return raw
}

func repairObject(raw json.RawMessage, members func(map[string]json.RawMessage) bool) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || !members(object) {
		return raw
	}
	return encode(object, raw)
}

func repairList(raw json.RawMessage, item reflect.Type, name string) json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return raw
	}
	changed := false
	for i, value := range list {
		list[i] = repair(value, item, name)
		changed = changed || !bytes.Equal(list[i], value)
	}
	if !changed {
		return raw
	}
	return encode(list, raw)
}

// repairMembers repairs the members of an object that is to be decoded into a struct of the type t.
func repairMembers(object map[string]json.RawMessage, t reflect.Type) (changed bool) {
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if value, ok := object[name]; ok {
			changed = set(object, name, value, repair(value, field.Type, name)) || changed
		}
	}
	return changed
}

func set(object map[string]json.RawMessage, name string, before, after json.RawMessage) bool {
	object[name] = after
	return !bytes.Equal(before, after)
}

func encode(v any, instead json.RawMessage) json.RawMessage {
	if data, err := json.Marshal(v); err == nil {
		return data
	}
	return instead
}
