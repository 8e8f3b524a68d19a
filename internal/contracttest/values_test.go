// Values for fields and parameters: samples of the API's types.

package contracttest

import (
	"fmt"
	"time"

	"github.com/agentphone/agentphone-go/internal/methodcalls"
)

const somePhone = methodcalls.SomePhone

var someTime = methodcalls.SomeTime

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
