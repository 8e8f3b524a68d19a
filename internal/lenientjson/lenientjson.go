// Package lenientjson decodes JSON objects field by field, so that one field of an unexpected type loses no other.
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
	v := reflect.ValueOf(to).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		raw, ok := object[name]
		switch {
		case !ok:
		case json.Unmarshal(raw, v.Field(i).Addr().Interface()) != nil:
			v.Field(i).SetZero() // it may be partly decoded
		default:
			delete(object, name)
		}
	}
}
