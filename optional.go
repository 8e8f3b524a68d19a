package agentphone

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Optional is a field of an update. It is one of three: absent, the zero value, which leaves the field as it is; null
// ([Null]), which clears it; or a value ([Value]), which sets it.
//
//	agentphone.UpdateAgentParams{
//		SystemPrompt: agentphone.Value("Be brief."), // set
//		BeginMessage: agentphone.Null[string](),     // cleared
//	}                                                // all else is not changed
//
// In a struct that is encoded as JSON, an Optional needs the tag omitzero.
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

// Value returns an Optional that sets a field to v. A nil slice or map is encoded as [] or {}, which empties the field;
// only [Null] is encoded as null.
func Value[T any](v T) Optional[T] { return Optional[T]{stateValue, v} }

// Null returns an Optional that clears a field.
func Null[T any]() Optional[T] { return Optional[T]{state: stateNull} }

// Get returns the value and true, or the zero value of T and false if the field is absent or null.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == stateValue }

// IsNull reports whether o is null, which clears the field.
func (o Optional[T]) IsNull() bool { return o.state == stateNull }

// IsZero reports whether o is absent. encoding/json leaves such a field out if it has the tag omitzero.
func (o Optional[T]) IsZero() bool { return o.state == stateAbsent }

// MarshalJSON encodes the value, or null if it is null or absent.
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

// UnmarshalJSON decodes a value or null.
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

// Ptr returns a pointer to v, for optional fields of parameters whose zero value means something, as in
// EnableMessaging: agentphone.Ptr(false).
func Ptr[T any](v T) *T { return &v }
