package contracttest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

var someTime = time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)

// sample is a value of a type in which every field is set. Of an enum it is a word that nobody knows: those are kept.
func sample(name string, t *apiType) any {
	switch {
	case t == nil:
		return nil
	case t.item != nil:
		return []any{sample(name, t.item)}
	case t.fields != nil:
		out := map[string]any{}
		for field, ft := range t.fields {
			out[field] = sample(field, ft)
		}
		return out
	}
	switch t.name {
	case "time":
		return someTime.Format(time.RFC3339)
	case "integer":
		return 7.0
	case "number":
		return 1.5
	case "boolean":
		return true
	case "object", "texts":
		return map[string]any{"k": "v"}
	case "counts":
		return map[string]any{"k": map[string]any{"n": 1.0}}
	}
	return "text of " + name
}

// bareSample is the least that a type allows: nulls, and nothing that may be missing.
func bareSample(name string, t *apiType) any {
	switch {
	case t == nil || t.null:
		return nil
	case t.item != nil:
		return []any{bareSample(name, t.item)}
	case t.fields != nil:
		out := map[string]any{}
		for field, ft := range t.fields {
			if !ft.optional || ft.null {
				out[field] = bareSample(field, ft)
			}
		}
		return out
	}
	return sample(name, t)
}

// full is a T with all fields set; adjust, if any, then sets those that take only some values.
func full[T any](adjust func(*T)) T {
	var v T
	fill(reflect.ValueOf(&v).Elem())
	if adjust != nil {
		adjust(&v)
	}
	return v
}

func fill(v reflect.Value) {
	if get, ok := v.Type().MethodByName("Get"); ok && v.Kind() == reflect.Struct { // an Optional
		inner := reflect.New(get.Type.Out(0)).Elem()
		fill(inner)
		data, _ := json.Marshal(inner.Interface())
		if err := json.Unmarshal(data, v.Addr().Interface()); err != nil {
			panic(err)
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int:
		v.SetInt(5)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf("x"))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fill(v.Field(i))
			}
		}
	}
}

// queryValue is a value of a parameter. Those of different n differ.
func queryValue(t *apiType, n int) any {
	switch {
	case t.words != nil:
		return t.words[n%len(t.words)]
	case t.name == "time":
		return someTime.Add(time.Duration(n) * time.Hour).Format(time.RFC3339)
	case t.name == "integer":
		low := 1
		if t.low != nil {
			low = max(low, int(*t.low))
		}
		return low + n
	case t.name == "boolean":
		return true
	case t.name == "phone":
		return contractNumber
	case t.name == "timeZone":
		return "America/New_York"
	}
	return fmt.Sprint("text ", n)
}
