package agentphone

import "encoding/json"

// Success is the answer to an operation that returns nothing else. Success is false only if
// the API says so with a 2xx, which it is not known to do; a failure is an error.
type Success struct {
	Success bool `json:"success"`
}

// UnmarshalJSON reads the answer. Some operations answer with no body, or with an object that
// says nothing of success.
func (s *Success) UnmarshalJSON(data []byte) error {
	type plain Success
	answer := plain{Success: true}
	err := json.Unmarshal(data, &answer)
	*s = Success(answer)
	return err
}
