package agentphone

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Optional is a field of a PATCH request with three states: absent (the zero
// Optional: the server leaves the field as it is), null (the server clears it) and
// a value.
//
//	agentphone.UpdateAgentParams{
//		SystemPrompt: agentphone.Value("Be brief."), // set
//		BeginMessage: agentphone.Null[string](),     // clear
//	}                                                // all else is left alone
//
// Give its struct field the tag omitzero.
type Optional[T any] struct {
	state optionalState
	value T
}

type optionalState uint8

const (
	stateAbsent optionalState = iota
	stateNull
	stateValue
)

// Value sets a field to v. A nil slice or map is sent empty, as [] or {}: that
// empties the field, where null may mean something else.
func Value[T any](v T) Optional[T] { return Optional[T]{stateValue, v} }

// Null clears a field.
func Null[T any]() Optional[T] { return Optional[T]{state: stateNull} }

// Get returns the value, and whether there is one (it is neither absent nor null).
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == stateValue }

// IsNull reports whether the field is to be cleared.
func (o Optional[T]) IsNull() bool { return o.state == stateNull }

// IsZero reports whether the field is absent; encoding/json asks it for omitzero.
func (o Optional[T]) IsZero() bool { return o.state == stateAbsent }

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state != stateValue {
		return []byte("null"), nil
	}
	switch v := reflect.ValueOf(&o.value).Elem(); {
	case v.Kind() == reflect.Slice && v.IsNil():
		return []byte("[]"), nil
	case v.Kind() == reflect.Map && v.IsNil():
		return []byte("{}"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads a value, or null.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Value(v)
	return nil
}

// Ptr returns a pointer to v, for the optional request fields in which the zero
// value means something: EnableMessaging: agentphone.Ptr(false).
func Ptr[T any](v T) *T { return &v }
