package agentphone

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// checkText returns an error if a string anywhere in params is not UTF-8. encoding/json would replace its bytes, so that somebody
// would get another text than the one given, which would not be found again either.
func checkText(params any) error {
	field, bad := findBadText(reflect.ValueOf(params))
	if !bad {
		return nil
	}
	if field == "" {
		field = "params"
	}
	return &ValidationError{field, "is not UTF-8"}
}

// findBadText reports whether a string in v is not UTF-8, and the name of the innermost field with a name that holds it. It looks
// into this package's own types only: what else a field may hold encodes itself, or is not text.
func findBadText(v reflect.Value) (field string, bad bool) {
	switch v.Kind() {
	case reflect.String:
		return "", !utf8.ValidString(v.String())
	case reflect.Pointer:
		return findBadText(v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return "", false
		}
		for i := range v.Len() {
			if field, bad := findBadText(v.Index(i)); bad {
				return field, true
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			for _, half := range [...]reflect.Value{entries.Key(), entries.Value()} {
				if field, bad := findBadText(half); bad {
					return field, true
				}
			}
		}
	case reflect.Struct:
		if v.Type().PkgPath() != ownPackage {
			return "", false
		}
		for i := range v.NumField() {
			field, bad := findBadText(v.Field(i))
			if !bad {
				continue
			}
			if field == "" {
				field = fieldName(v.Type().Field(i))
			}
			return field, true
		}
	}
	return "", false
}

var ownPackage = reflect.TypeFor[Client]().PkgPath()

// fieldName returns the name that the API has for a field, or "".
func fieldName(f reflect.StructField) string {
	for _, tag := range []string{"json", "url"} {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" && name != "-" {
			return name
		}
	}
	return ""
}
