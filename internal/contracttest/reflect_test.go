// The methods by reflection: their names, their parameters, and how to call one by its name.

package contracttest

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/agentphone/agentphone-go"
)

// methods are all methods of all services by name, as Agents.List. Their client is no more than a value: they serve to
// see the methods' types.
var methods = methodsOf(&agentphone.Client{})

// methodsOf returns the methods of a client's services by name.
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

// optionParams are the parameters that are given as a request option, by method.
var optionParams = map[string]any{
	"Calls.Get":         agentphone.GetCallOptions{Wait: true},
	"Conversations.Get": agentphone.GetConversationOptions{},
	"Webhooks.Test":     agentphone.TestWebhookOptions{},
}

// newParams returns a pointer to new parameters of a method, or the zero Value if it has none.
func newParams(name string) reflect.Value {
	if option := optionParams[name]; option != nil {
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

// withQuery returns parameters of a method in which all that the operation has in its query is set, each to another
// value.
func withQuery(name string, op *apiOperation) reflect.Value {
	params := newParams(name)
	if !params.IsValid() {
		return params
	}
	for i, parameter := range keys(op.Query) {
		if queryField(params, parameter).IsValid() {
			setQuery(params, parameter, queryValue(op.Query[parameter], i))
		}
	}
	return params
}

// queryField returns the field of parameters that is sent as a parameter of a query. Parameters that are a request
// option have no tags: there it is the field whose name begins alike.
func queryField(params reflect.Value, name string) reflect.Value {
	plain := strings.ReplaceAll(name, "_", "")
	for i := range params.Elem().NumField() {
		field := params.Elem().Type().Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("url"), ",")
		if tag == name || tag == "" && field.Tag.Get("json") == "" && strings.HasPrefix(strings.ToLower(field.Name), strings.ToLower(plain)) {
			return params.Elem().Field(i)
		}
	}
	return reflect.Value{}
}

// setQuery sets the field of a query's parameter to a value as queryValue returns it.
func setQuery(params reflect.Value, name string, v any) {
	switch field := queryField(params, name); v := v.(type) {
	case int:
		field.SetInt(int64(v))
	case bool:
		field.SetBool(v)
	case string:
		switch field.Kind() {
		case reflect.String:
			field.SetString(v)
			return
		case reflect.Slice:
			field.Set(reflect.ValueOf([]string{v}))
			return
		}
		at, _ := time.Parse(time.RFC3339, v)
		field.Set(reflect.ValueOf(agentphone.NewTimestamp(at)))
	}
}

// stringArguments returns how many ids and phone numbers a method takes.
func stringArguments(name string) (n int) {
	typ := methods[name].Type()
	for i := range typ.NumIn() {
		if typ.In(i).Kind() == reflect.String {
			n++
		}
	}
	return n
}

// invoke calls a method with parameters as newParams returns them. Its ids and phone numbers are somePhone, but for the
// one with the index empty, which is "". An iterator is read to its end.
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
			text := somePhone
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
	return errorOf(method.Call(args))
}

// errorOf returns the error among a method's results, or the last one of the iterator that it returned, which it reads
// to the end.
func errorOf(results []reflect.Value) error {
	last := results[len(results)-1]
	if last.Kind() != reflect.Func {
		err, _ := last.Interface().(error)
		return err
	}
	var err error
	for _, e := range last.Seq2() {
		err, _ = e.Interface().(error)
	}
	return err
}

// operationsOf returns the operations that methods call, by the method's name.
func operationsOf(t *testing.T, api *apiContract) map[string]*apiOperation {
	t.Helper()
	out := map[string]*apiOperation{}
	for _, x := range recordCalls(t, api) {
		out[x.call] = x.op
	}
	return out
}
