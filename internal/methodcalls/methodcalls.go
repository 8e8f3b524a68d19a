// Package methodcalls lists all methods of all services, each with the request that it must send, for the test suites that
// make all of them. TestContract_EveryMethodIsCalled proves that none is missing.
//
// It is for the tests of this repository only.
package methodcalls

import (
	"context"
	"encoding/json"
	"iter"
	"reflect"
	"slices"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// SomePhone is the number of a phone. Where nothing is looked up it serves as an id too.
const SomePhone = "+14155550124"

// SomeTime is the time of fields and parameters.
var SomeTime = time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)

// Call is a call of a method.
type Call struct {
	Name  string // service and method: Agents.List
	Sends string // the request with the ids of NewSession: method, path with query and, if there is one, body
	Make  func(ctx context.Context, x *Session) (any, error)
}

// Session is what the calls share: the client, and the ids that earlier ones have got.
type Session struct {
	c   *agentphone.Client
	srv *agentphonetest.Server // nil if c is connected to something else

	verification, agent, number, call, group, message, contact, sub string
	groupAddress, personal, phoneCheck, liveCall, recordedCall      string
}

// NewSession returns the session of a client, with short ids. srv is the API in memory that it is connected to, or nil.
func NewSession(c *agentphone.Client, srv *agentphonetest.Server) *Session {
	return &Session{c, srv, "v", "a", "n", "c", "g", "m", "ct", "s", "grp_1", "pc", "p", "c", "c"}
}

// NewSessionWithID returns the session of a client whose ids of agents, numbers, calls, conversations, messages, contacts and
// sub-accounts are all id.
func NewSessionWithID(c *agentphone.Client, id string) *Session {
	return &Session{c: c, verification: "v", agent: id, number: id, call: id, group: id, message: id, contact: id, sub: id}
}

// All calls every method, in an order in which the API in memory has what they need. The first call of a method
// has all parameters that go together. Later ones have the rest, or almost none, so that the responses have nulls.
var All = slices.Concat(agentCalls, messageCalls, callCalls, contactCalls, webhookCalls, accountCalls)

// first returns the first item of an iterator, as a page.
func first[T any](seq iter.Seq2[T, error]) (any, error) {
	items, err := agentphone.Collect(seq, 1)
	return agentphone.Page[T]{Data: items}, err
}

// keep stores an id of a result, unless the call failed.
func keep[T any](id *string, of func(*T) string) func(*T, error) (any, error) {
	return func(v *T, err error) (any, error) {
		if err == nil {
			*id = of(v)
		}
		return v, err
	}
}

// full returns a T with all its fields set. adjust may be nil; it sets the fields that not every value is valid for.
func full[T any](adjust func(*T)) T {
	var v T
	Fill(reflect.ValueOf(&v).Elem(), "")
	if adjust != nil {
		adjust(&v)
	}
	return v
}

// Fill sets v and all that is in it. A string becomes the name of the Go field that it is in, so that one which is sent
// under the name of another field is noticed.
func Fill(v reflect.Value, field string) {
	if get, ok := v.Type().MethodByName("Get"); ok && v.Kind() == reflect.Struct { // an Optional
		inner := reflect.New(get.Type.Out(0)).Elem()
		Fill(inner, field)
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
		Fill(v.Elem(), field)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		Fill(v.Index(0), field)
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		Fill(value, field)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), value)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("json") != "-" {
				Fill(v.Field(i), f.Name)
			}
		}
	}
}
