package agentphone

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// checkText returns an error if a string anywhere in params is not UTF-8. encoding/json would replace its bytes, so that somebody
// would get another text than the one given, which would not be found again either.
func checkText(params any) error { return checkTextIn(reflect.ValueOf(params), "params") }

// checkTextIn looks into this package's own types only: what else a field may hold encodes itself, or is not text.
func checkTextIn(v reflect.Value, field string) error {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return &ValidationError{field, "is not UTF-8"}
		}
	case reflect.Pointer:
		return checkTextIn(v.Elem(), field)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := checkTextIn(v.Index(i), field); err != nil {
				return err
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if err := firstOf(checkTextIn(entries.Key(), field), checkTextIn(entries.Value(), field)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		if v.Type().PkgPath() != ownPackage {
			return nil
		}
		for i := range v.NumField() {
			if err := checkTextIn(v.Field(i), fieldName(v.Type().Field(i), field)); err != nil {
				return err
			}
		}
	}
	return nil
}

var ownPackage = reflect.TypeFor[Client]().PkgPath()

// fieldName returns the name that the API has for a field, or that of what the field belongs to.
func fieldName(f reflect.StructField, parent string) string {
	for _, tag := range []string{"json", "url"} {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" && name != "-" {
			return name
		}
	}
	return parent
}
