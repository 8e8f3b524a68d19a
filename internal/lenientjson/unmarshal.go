package lenientjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

const (
	// maxRepair is the size of the largest JSON text that is repaired, for that makes a copy of it.
	maxRepair = 8 << 20
	// maxRetry is the size of the largest one that is repaired only after it could not be decoded: what was decoded in vain takes
	// memory too.
	maxRetry = 1 << 20
)

// Unmarshal decodes data into the value that v points to, as [json.Unmarshal] does, but for values that the API has been seen to
// send instead of what it publishes:
//
//   - a number or a boolean in a string, "0.97", is decoded as what is in it
//   - "None", which is Python's null, is null, as is "" where no string is due; a string that people may have said or written
//     is left as it is
//   - a phone number is decoded to E.164 from a tel: URI, or from the ten digits of a North American number
func Unmarshal(data []byte, v any) error { return unmarshal(data, reflect.ValueOf(v), "", false) }

// UnmarshalNew is [Unmarshal] into a value that is known to be zero, which takes less time.
func UnmarshalNew(data []byte, v any) error { return unmarshal(data, reflect.ValueOf(v), "", true) }

// ReadFieldsRepaired is [ReadFields] with the tolerance of [Unmarshal]. A field that is heavy ([IsHeavy]) cannot be decoded.
func ReadFieldsRepaired(object map[string]json.RawMessage, to any, limit int) {
	readFields(object, to, func(data []byte, v reflect.Value, name string) error {
		if IsHeavy(data, v.Elem().Type(), limit) {
			return errTooHeavy
		}
		return unmarshal(data, v, name, false)
	})
}

var errTooHeavy = errors.New("lenientjson: the value takes too much memory")

// unmarshal is [Unmarshal] for the member of that name.
func unmarshal(data []byte, v reflect.Value, name string, isZero bool) error {
	to := v.Elem()
	if len(data) > maxRepair {
		return json.Unmarshal(data, v.Interface())
	}
	if suspicious(data) {
		return json.Unmarshal(repair(data, to.Type(), name), v.Interface())
	}
	var before reflect.Value
	if !isZero && !to.IsZero() {
		before = reflect.New(to.Type()).Elem()
		before.Set(to)
	}
	err := json.Unmarshal(data, v.Interface())
	if err == nil || len(data) > maxRetry {
		return err
	}
	to.SetZero() // it may be partly decoded
	if before.IsValid() {
		to.Set(before)
	}
	return json.Unmarshal(repair(data, to.Type(), name), v.Interface())
}

// suspicious reports whether data may hold a string that repair changes. Some that it changes are so common where they are right
// ("") that they are no suspicion.
//
// Looked at is what follows each colon, be it one in a string, and what is in an array that does not begin with an object.
func suspicious(data []byte) bool {
	for {
		switch value := trimSpace(data); {
		case len(value) < 2:
		case value[0] == '"':
			if mayBeOdd(value[1]) && isOdd(stringAt(value)) {
				return true
			}
		case value[0] == '[':
			if item := trimSpace(value[1:]); len(item) > 0 && item[0] != '{' && item[0] != ']' {
				return hasOdd(item) // of all that follows
			}
		}
		colon := bytes.IndexByte(data, ':')
		if colon < 0 {
			return false
		}
		data = data[colon+1:]
	}
}

// hasOdd looks at all strings, and at what is between strings, which begins with nothing that may be odd.
func hasOdd(data []byte) bool {
	for {
		end := bytes.IndexByte(data, '"')
		if end < 0 {
			return false
		}
		if end > 0 && mayBeOdd(data[0]) && isOdd(data[:end]) {
			return true
		}
		data = data[end+1:]
	}
}

// mayBeOdd reports whether an odd string may begin with c.
func mayBeOdd(c byte) bool { return kinds[c]&^inNumber != 0 }

// kinds has what each character may stand for in an odd text.
var kinds = func() (kinds [256]uint8) {
	for _, c := range ".+eE" {
		kinds[c] = inNumber
	}
	for _, c := range "0123456789-" {
		kinds[c] = inNumber | firstOfNumber
	}
	for _, c := range "NtTfF" {
		kinds[c] = firstOfWord
	}
	return kinds
}()

const (
	inNumber = 1 << iota
	firstOfNumber
	firstOfWord
)

// isOdd reports whether s, which is not empty, is to be repaired where it is not said or written by somebody.
func isOdd(s []byte) bool {
	switch {
	case kinds[s[0]] == firstOfWord:
		return string(s) == none || isBool(string(s)) || len(s) > len(telScheme) && strings.EqualFold(string(s[:len(telScheme)]), telScheme)
	case len(s) > maxNumber:
		return false
	}
	for _, c := range s {
		if kinds[c]&inNumber == 0 {
			return false
		}
	}
	return true
}

const (
	none      = "None"
	telScheme = "tel:"
	maxNumber = 30 // characters of a number in a string
)

func isBool(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }
