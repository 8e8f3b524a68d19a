// Package lenientjson decodes JSON objects field by field, so that one field of an unexpected type loses no other.
package lenientjson

import (
	"encoding/json"
	"reflect"
	"strings"
)

// ReadFields reads each field of an object by itself, into the struct that to points to: one of another type than is
// known costs no more than itself. It takes what it has read out of the object.
func ReadFields(object map[string]json.RawMessage, to any) {
	v := reflect.ValueOf(to).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		raw, ok := object[name]
		switch {
		case !ok:
		case json.Unmarshal(raw, v.Field(i).Addr().Interface()) != nil:
			v.Field(i).SetZero() // it may be half read
		default:
			delete(object, name)
		}
	}
}
