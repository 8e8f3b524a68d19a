package apitest

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

// Reachable returns the paths from v to where it holds a text, found as a printer finds it that follows pointers, calls no
// methods and looks into unexported fields: go-spew, and so the diffs of testify. What a closure holds it cannot see.
func Reachable(v any, text string) []string {
	s := &deepSearch{text: text, seen: map[visit]bool{}}
	s.visit(reflect.ValueOf(v), fmt.Sprintf("%T", v))
	return s.found
}

type visit struct {
	pointer uintptr
	typ     reflect.Type
}

type deepSearch struct {
	text  string
	seen  map[visit]bool
	found []string
}

func (s *deepSearch) visit(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		if strings.Contains(v.String(), s.text) {
			s.found = append(s.found, path)
		}
	case reflect.Pointer:
		at := visit{v.Pointer(), v.Type()}
		if !v.IsNil() && !s.seen[at] {
			s.seen[at] = true
			s.visit(v.Elem(), path)
		}
	case reflect.Interface:
		if !v.IsNil() {
			s.visit(v.Elem(), path+".("+v.Elem().Type().String()+")")
		}
	case reflect.Struct:
		for i := range v.NumField() {
			s.visit(v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if bytes.Contains(v.Bytes(), []byte(s.text)) {
				s.found = append(s.found, path)
			}
			return
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			s.visit(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			s.visit(key, path+"{key}")
			s.visit(v.MapIndex(key), path+"{}")
		}
	}
}
