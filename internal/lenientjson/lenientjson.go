// Package lenientjson decodes JSON that is not quite what the API publishes: [Unmarshal] reads what has been seen instead, such
// as numbers in strings, and [ReadFields] decodes an object field by field, so that one field of an unexpected type loses no
// other.
package lenientjson

import (
	"encoding/json"
	"reflect"
	"strings"
)

// ReadFields decodes the members of object into the fields of the struct that to points to, by the names in their json
// tags. A field whose member cannot be decoded is set to its zero value; all others are decoded nevertheless. Members
// that were decoded are deleted from object.
func ReadFields(object map[string]json.RawMessage, to any) {
	readFields(object, to, func(data []byte, v reflect.Value, _ string) error { return json.Unmarshal(data, v.Interface()) })
}

func readFields(object map[string]json.RawMessage, to any, unmarshal func(data []byte, v reflect.Value, name string) error) {
	v := reflect.ValueOf(to).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		raw, ok := object[name]
		switch {
		case !ok:
		case unmarshal(raw, v.Field(i).Addr(), name) != nil:
			v.Field(i).SetZero() // it may be partly decoded
		default:
			delete(object, name)
		}
	}
}
