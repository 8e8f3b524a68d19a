// Values for fields and parameters: samples of the API's types, and filled parameters of the client's.

package contracttest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// somePhone is the number of a phone. Where nothing is looked up it serves as an id too.
const somePhone = "+14155550124"

var someTime = time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)

// sample returns a value of a type with every field set. For an enum it is a value that nobody knows: the client keeps
// these.
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

// bareSample returns the least that a type allows: null wherever it may be, and nothing that may be missing.
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

// queryValue returns a valid value of a parameter. It differs for different n.
func queryValue(t *apiType, n int) any {
	switch {
	case t.values != nil:
		return t.values[n%len(t.values)]
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
	case t.name == "phone" || t.name == "phones":
		return somePhone
	case t.name == "timeZone":
		return "America/New_York"
	}
	return fmt.Sprint("text ", n)
}

// full returns a T with all its fields set. adjust may be nil; it sets the fields that not every value is valid for.
func full[T any](adjust func(*T)) T {
	var v T
	fill(reflect.ValueOf(&v).Elem(), "")
	if adjust != nil {
		adjust(&v)
	}
	return v
}

// fill sets v and all that is in it. A string becomes the name of the Go field that it is in, so that one which is sent
// under the name of another field is noticed.
func fill(v reflect.Value, field string) {
	if get, ok := v.Type().MethodByName("Get"); ok && v.Kind() == reflect.Struct { // an Optional
		inner := reflect.New(get.Type.Out(0)).Elem()
		fill(inner, field)
		data, _ := json.Marshal(inner.Interface())
		if err := json.Unmarshal(data, v.Addr().Interface()); err != nil {
			panic(err)
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(field)
	case reflect.Int:
		v.SetInt(5)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf(field))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), field)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), field)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, field)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), value)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("json") != "-" {
				fill(v.Field(i), f.Name)
			}
		}
	}
}
