package contracttest

import (
	"context"
	"encoding/json"
	"io"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
)

// methodsOf finds the methods of a client's services, by name: Agents.List.
func methodsOf(c *agentphone.Client) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	client := reflect.ValueOf(c).Elem()
	for _, field := range reflect.VisibleFields(client.Type()) {
		for i := range field.Type.NumMethod() {
			if field.IsExported() {
				out[field.Name+"."+field.Type.Method(i).Name] = client.FieldByIndex(field.Index).Method(i)
			}
		}
	}
	return out
}

// methods are those of a client that nobody made, for their types.
var methods = methodsOf(&agentphone.Client{})

func TestContractCallsEveryMethod(t *testing.T) {
	called := map[string]bool{}
	for _, call := range contractCalls {
		called[call.name] = true
	}
	assert.Equal(t, keys(methods), keys(called))
}

// optional are the parameters that are given as a request option.
var optional = map[string]any{
	"Calls.Get":         agentphone.GetCallOptions{Wait: true},
	"Conversations.Get": agentphone.GetConversationOptions{},
	"Webhooks.Test":     agentphone.TestWebhookOptions{},
}

// newParams is a pointer to new parameters of a method, or nothing if it has none.
func newParams(name string) reflect.Value {
	if option := optional[name]; option != nil {
		p := reflect.New(reflect.TypeOf(option))
		p.Elem().Set(reflect.ValueOf(option))
		return p
	}
	typ := methods[name].Type()
	for i := range typ.NumIn() {
		if typ.In(i).Kind() == reflect.Struct {
			return reflect.New(typ.In(i))
		}
	}
	return reflect.Value{}
}

// textArguments counts a method's ids and phone numbers.
func textArguments(name string) (n int) {
	typ := methods[name].Type()
	for i := range typ.NumIn() {
		if typ.In(i).Kind() == reflect.String {
			n++
		}
	}
	return n
}

// invoke calls a method with parameters as newParams makes them, and contractNumber for each of its ids and phone numbers but
// for the one, from 0, that is to be empty. It reads an iterator to its end.
func invoke(ctx context.Context, c *agentphone.Client, name string, params reflect.Value, empty int) error {
	args := []reflect.Value{reflect.ValueOf(ctx)}
	method := methodsOf(c)[name]
	typ := method.Type()
	for i := 1; i < typ.NumIn(); i++ {
		in := typ.In(i)
		switch {
		case typ.IsVariadic() && i == typ.NumIn()-1:
			if params.IsValid() && params.Elem().Type().Implements(in.Elem()) {
				args = append(args, params.Elem())
			}
		case in.Kind() == reflect.String:
			text := contractNumber
			if empty == 0 {
				text = ""
			}
			empty--
			args = append(args, reflect.ValueOf(text))
		case in == reflect.TypeFor[io.Writer]():
			args = append(args, reflect.ValueOf(io.Discard))
		case params.IsValid() && in == params.Elem().Type():
			args = append(args, params.Elem())
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	out := method.Call(args)
	failure := out[len(out)-1]
	if failure.Kind() == reflect.Func { // an iterator
		for _, err := range failure.Seq2() {
			if failure = err; !err.IsNil() {
				break
			}
		}
	}
	err, _ := failure.Interface().(error)
	return err
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
