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

// queryField finds the field of parameters that is sent as a parameter of a query. Parameters that are a request option have
// no tags: there it is the field whose name begins alike.
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

func setQuery(params reflect.Value, name string, v any) {
	switch field := queryField(params, name); v := v.(type) {
	case int:
		field.SetInt(int64(v))
	case bool:
		field.SetBool(v)
	case string:
		if field.Kind() == reflect.String {
			field.SetString(v)
			return
		}
		at, _ := time.Parse(time.RFC3339, v)
		field.Set(reflect.ValueOf(agentphone.NewTimestamp(at)))
	}
}

// withQuery are a method's parameters with all that the operation's query has, each with another value.
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

// operationsOf are the operations that methods call, by the method's name.
func operationsOf(t *testing.T, api *apiContract) map[string]*apiOperation {
	t.Helper()
	out := map[string]*apiOperation{}
	for _, x := range runContract(t, api) {
		out[x.call] = x.op
	}
	return out
}
