package lenientjson

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
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
func Unmarshal(data []byte, v any) error { return unmarshal(data, reflect.ValueOf(v), "") }

// ReadFieldsRepaired is [ReadFields] with the tolerance of [Unmarshal].
func ReadFieldsRepaired(object map[string]json.RawMessage, to any) { readFields(object, to, unmarshal) }

// unmarshal is [Unmarshal] for the member of that name.
func unmarshal(data []byte, v reflect.Value, name string) error {
	to := v.Elem()
	if len(data) > maxRepair {
		return json.Unmarshal(data, v.Interface())
	}
	if suspicious(data) {
		return json.Unmarshal(repair(data, to.Type(), name), v.Interface())
	}
	var before reflect.Value
	if !to.IsZero() {
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
func suspicious(data []byte) bool {
	// What follows any quote is looked at, be it a string or what is between strings, which begins with none of these.
	for at := range len(data) - 1 {
		if data[at] != '"' || !mayBeOdd[data[at+1]] {
			continue
		}
		rest := data[at+1:]
		if end := bytes.IndexByte(rest, '"'); end > 0 && isOdd(rest[:end]) {
			return true
		}
	}
	return false
}

var (
	mayBeOdd   = setOf("0123456789-NtTfF") // first characters of strings that isOdd looks at
	isOfNumber = setOf("0123456789-+.eE")
)

func setOf(chars string) (set [256]bool) {
	for _, c := range []byte(chars) {
		set[c] = true
	}
	return set
}

func isOdd(s []byte) bool {
	switch c := s[0]; {
	case c >= '0' && c <= '9', c == '-':
		return len(s) <= maxNumber && !slices.ContainsFunc(s, func(c byte) bool { return !isOfNumber[c] })
	case c == 'N':
		return string(s) == none
	case c|0x20 == 't', c == 'f', c == 'F':
		return len(s) <= len("false") && isBool(string(s)) || len(s) > len(telScheme) && strings.EqualFold(string(s[:len(telScheme)]), telScheme)
	}
	return false
}

const (
	none      = "None"
	telScheme = "tel:"
	maxNumber = 30 // characters of a number in a string
)

func isBool(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }
