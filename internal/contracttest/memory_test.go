// No result takes much memory, whatever a response is filled with.

package contracttest

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/internal/methodcalls"
)

const (
	maxMemory = 64 << 20 // bytes that a response may add to the heap
	maxBody   = 16 << 20 // bytes of the largest response that is decoded
)

var underRace bool

// In the result of each method every list, map, object and value of any kind is filled with as much of what is shortest
// in JSON as the client accepts. Not parallel: it measures the heap.
func TestResponses_NoneTakesMuchMemory(t *testing.T) {
	if testing.Short() || underRace || strconv.IntSize == 32 {
		t.Skip("takes half a minute, and minutes with the race detector; with 32 bits it is the same")
	}
	worst := uint64(0)
	seen, filled := map[reflect.Type]bool{}, map[reflect.Type]bool{}
	for _, call := range methodcalls.All {
		method, ok := methods[call.Name]
		if !ok || method.Type().NumOut() != 2 || method.Type().Out(0).Kind() != reflect.Pointer || seen[method.Type().Out(0)] {
			continue // an iterator, which consists of pages, or a method without a result
		}
		result := method.Type().Out(0).Elem()
		seen[method.Type().Out(0)] = true
		for where, filling := range fillings(result, filled) {
			t.Run(call.Name+"/"+where, func(t *testing.T) {
				whole := filling.body(maxBody)
				for size := maxBody; size >= 1<<17; size /= 4 {
					body := filling.cut(whole, size)
					c, _ := apitest.NewClient(t, apitest.Always(http.StatusOK, body), apitest.NoWait, agentphone.WithMaxRetries(0))
					var err error
					began := time.Now()
					grown := apitest.HeapGrowth(func() { _, err = call.Make(t.Context(), methodcalls.NewSession(c, nil)) })
					worst = max(worst, grown)
					assert.Less(t, grown>>20, uint64(maxMemory>>20), "MiB for %d KiB in %v: %v", len(body)>>10, time.Since(began), err)
					if err == nil {
						break // less takes less
					}
				}
			})
		}
	}
	t.Logf("at most %d MiB", worst>>20)
}

// filling is a JSON text of any length: an item, numbered or not, repeated within a value.
type filling struct {
	before, item, after string
}

// body returns the longest text of at most size bytes.
func (f filling) body(size int) string {
	item := f.at(0)
	if item == f.item {
		n := (size-len(f.before)-len(f.after))/(len(item)+1) - 1
		return f.before + strings.Repeat(item+",", n) + item + f.after
	}
	b := append(make([]byte, 0, size), f.before...)
	for i := 0; len(b)+len(item)+1+len(f.after) <= size; i++ {
		b = append(append(b, f.at(i)...), ',')
	}
	return string(b[:len(b)-1]) + f.after
}

// number stands in an item for its number, of as many digits.
const number = "#######"

func (f filling) at(i int) string {
	before, after, ok := strings.Cut(f.item, number)
	if !ok {
		return f.item
	}
	return before + strconv.Itoa(1e6+i) + after
}

// cut returns what body(size) does, from a longer text.
func (f filling) cut(whole string, size int) string {
	each := len(f.at(0)) + 1
	n := max(1, (size-len(f.before)-len(f.after))/each)
	return whole[:len(f.before)+n*each-1] + f.after
}

// fillings returns the ways to fill a response with the result type t, but for the structs in filled, which others had.
func fillings(t reflect.Type, filled map[reflect.Type]bool) map[string]filling {
	out := map[string]filling{}
	addFillings(out, filled, t, "", "", "")
	if t == reflect.TypeFor[agentphone.CallTranscript]() {
		turns := reflect.TypeFor[[]agentphone.TranscriptTurn]()
		addFillings(out, filled, turns, "list", "", "")
		addFillings(out, filled, turns, "data", `{"data":`, "}")
	}
	return out
}

func addFillings(out map[string]filling, filled map[reflect.Type]bool, t reflect.Type, where, before, after string) {
	add := func(what, open, item, shut string) {
		out[where+"/"+what] = filling{before + open, item, shut + after}
	}
	switch t.Kind() {
	case reflect.Pointer:
		addFillings(out, filled, t.Elem(), where, before, after)
	case reflect.Struct:
		if filled[t] {
			return
		}
		filled[t] = true
		if t == reflect.TypeFor[agentphone.Timestamp]() {
			return
		}
		if own := reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()); own || !filled[nil] {
			filled[nil] = true
			add("unknown", "{", `"u`+number+`":0`, "}")
		}
		for name, field := range jsonFields(t) {
			if !isScalar(field) || field == reflect.TypeFor[agentphone.Timestamp]() && !filled[field] {
				add("repeated "+name, "{", `"`+name+`":`+smallest(field), "}")
			}
			addFillings(out, filled, field, where+"/"+name, before+`{"`+name+`":`, "}"+after)
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return
		}
		items := map[string]string{"smallest": smallest(t.Elem()), "full": allMembers(t.Elem(), 2)}
		if t.Elem().Kind() == reflect.Struct {
			items["odd"] = strings.ReplaceAll(allMembers(t.Elem(), 2), `"a"`, `"None"`)
			for name, field := range jsonFields(t.Elem()) {
				if !isScalar(field) {
					items["with "+name] = `{"` + name + `":` + allMembers(field, 2) + `}`
				}
			}
		}
		for what, item := range items {
			add(what, "[", item, "]")
		}
		addFillings(out, filled, t.Elem(), where+"/0", before+"[", "]"+after)
	case reflect.Map:
		add("names", "{", `"k`+number+`":`+smallest(t.Elem()), "}")
		addFillings(out, filled, t.Elem(), where+"/k", before+`{"k":`, "}"+after)
	case reflect.Interface:
		for _, item := range []string{"[]", "{}", "0", `""`, `{"a":0}`, "[0]", "[[[[[[]]]]]]"} {
			add(item, "[", item, "]")
		}
		add("names", "{", `"k`+number+`":0`, "}")
	case reflect.String:
		if strings.HasSuffix(where, "/id") {
			out[where+"/long"] = filling{before + `"`, strings.Repeat("x", 1000), `"` + after}
		}
	}
}

func isScalar(t reflect.Type) bool {
	return t == reflect.TypeFor[agentphone.Timestamp]() || t.Kind() == reflect.Pointer && isScalar(t.Elem()) ||
		t.Kind() != reflect.Pointer && !slices.Contains([]reflect.Kind{reflect.Struct, reflect.Slice, reflect.Map, reflect.Interface}, t.Kind())
}

// jsonFields returns the types of a struct's fields by their names in JSON.
func jsonFields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			out[name] = field.Type
		}
	}
	return out
}

// smallest returns the shortest JSON that is decoded into more than a zero t, or into nothing.
func smallest(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return smallest(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[agentphone.Timestamp]() {
			return `""`
		}
		return "{}"
	case reflect.Map:
		return "{}"
	case reflect.Slice:
		return "[]"
	case reflect.String:
		return `""`
	case reflect.Bool:
		return "true"
	}
	return "0"
}

// allMembers returns JSON with all members of t, in which lists have one item.
func allMembers(t reflect.Type, depth int) string {
	switch t.Kind() {
	case reflect.Pointer:
		return allMembers(t.Elem(), depth)
	case reflect.Struct:
		fields := jsonFields(t)
		if len(fields) == 0 || depth == 0 {
			return smallest(t)
		}
		var members []string
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			members = append(members, `"`+name+`":`+allMembers(fields[name], depth-1))
		}
		return "{" + strings.Join(members, ",") + "}"
	case reflect.Map:
		return `{"a":` + allMembers(t.Elem(), 0) + "}"
	case reflect.Slice:
		return "[" + allMembers(t.Elem(), depth) + "]"
	case reflect.String:
		return `"a"`
	}
	return smallest(t)
}
