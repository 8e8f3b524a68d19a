package contracttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// Every method is called against a recorder that answers with every field that the API may answer with:
// no field is lost on its way into the result, and the result has none that the API does not.
func TestContractOfAnswers(t *testing.T) {
	api := readContract(t)
	// Fields of results that an operation does not answer with: types that serve several operations.
	extra := map[string][]string{
		"GET /v1/agents/{agent_id}/calls":         {"direction", "recordingUrl", "recordingAvailable", "transcripts"},
		"GET /v1/agents/{agent_id}/conversations": {"isGroup", "groupId", "groupName", "groupIconUrl", "participants", "metadata"},
	}
	for _, detail := range []string{"GET", "PATCH"} {
		extra[detail+" /v1/conversations/{conversation_id}"] = []string{"lastMessagePreview"}
	}
	for _, call := range readable() {
		t.Run(call.name, func(t *testing.T) {
			op, result, err := callAnswered(t, api, call, sample)
			require.NoError(t, err)
			if onlySucceeds(op) {
				assert.Nil(t, result, "the method returns an error only")
				return
			}
			var got any
			require.NoError(t, json.Unmarshal([]byte(apitest.JSON(t, result)), &got))

			want := sample("", op.Answer)
			if list, ok := want.([]any); ok {
				want = map[string]any{"data": list}
			}
			fields := want.(map[string]any)
			if items, ok := fields["items"]; ok { // the page's place is what was asked for
				fields["data"] = items
				delete(fields, "items")
				delete(fields, "offset")
				delete(fields, "limit")
			}
			isPage := strings.Contains(fmt.Sprintf("%T", result), "agentphone.Page[")
			assert.Empty(t, difference("", want, got, isPage, extra[op.String()]))

			_, _, err = callAnswered(t, api, call, bareSample)
			assert.NoError(t, err, "an answer with no more than the API promises")
		})
	}
}

// callAnswered makes a call whose requests are answered with a sample. It checks their headers, and returns the last one's
// operation.
func callAnswered(t *testing.T, api *apiContract, call contractCall, answer func(string, *apiType) any) (op *apiOperation, result any, err error) {
	t.Helper()
	c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{Transport: apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		op = findOperation(t, api.operations, r.Method, r.URL.Path)
		if slices.Contains(op.Header, "X-Sub-Account-Id") {
			assert.Equal(t, "sub_1", r.Header.Get("X-Sub-Account-Id"))
		}
		assert.Equal(t, op.Public, r.Header.Get("Authorization") == "", "key of %s", op)
		return apitest.Response(op.Status, apitest.JSON(t, answer("", op.Answer))), nil
	})}))
	require.NoError(t, err)
	result, err = call.call(t.Context(), newContract(c.ForSubAccount("sub_1"), nil))
	return op, result, err
}

// onlySucceeds reports whether an operation's response is {"success": boolean} or nothing: its method returns only an error.
func onlySucceeds(op *apiOperation) bool {
	if op.Answer == nil {
		return true
	}
	_, ok := op.Answer.fields["success"]
	return ok && len(op.Answer.fields) == 1
}

// difference lists what was lost from want, and what got has beyond it.
func difference(at string, want, got any, isPage bool, extra []string) (out []string) {
	switch want := want.(type) {
	case map[string]any:
		fields, _ := got.(map[string]any)
		for name, value := range want {
			to := name
			switch {
			case name == "from_":
				to = "from"
			case name == "lastUpdated": // a number becomes a time
				if fields[name] == nil {
					out = append(out, at+name+" is lost")
				}
				continue
			case isPage && at == "" && (name == "total" || name == "hasMore") && fields["data"] != nil:
				continue // an iterator's items come without them
			}
			out = append(out, difference(at+name+".", value, fields[to], isPage, extra)...)
		}
		for name := range fields {
			if _, ok := want[name]; ok || slices.Contains(extra, name) || name == "from" || isPage && at == "" {
				continue
			}
			if tool := strings.HasSuffix(at, "customTools."); tool {
				continue // free-form
			}
			out = append(out, at+name+" is not in the API")
		}
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			return []string{at + " is lost"}
		}
		for i := range want {
			out = append(out, difference(at, want[i], list[i], isPage, extra)...)
		}
	default:
		if !reflect.DeepEqual(want, got) {
			out = append(out, fmt.Sprintf("%s is %v, was %v", at, got, want))
		}
	}
	return out
}

// An answer of success may be empty, or null, of those operations alone whose answer says nothing that is needed.
func TestContractOfEmptyAnswers(t *testing.T) {
	api := readContract(t)
	for _, call := range readable() {
		for _, body := range []string{"", "null"} {
			c, s := apitest.NewClient(t, apitest.Always(200, body))
			_, err := call.call(t.Context(), newContract(c, nil))
			requests := s.Requests()
			last := requests[len(requests)-1]
			if findOperation(t, api.operations, last.Method, last.Path).Empty {
				assert.NoError(t, err, "%s: %q", call.name, body)
				continue
			}
			var unread *agentphone.DecodeError
			assert.ErrorAs(t, err, &unread, "%s: %q", call.name, body)
		}
	}
}

// readable are the calls whose answer is JSON and is asked for once.
func readable() []contractCall {
	return slices.DeleteFunc(slices.Clone(contractCalls), func(c contractCall) bool {
		return slices.Contains([]string{"Calls.Wait", "Calls.CreateAndWait", "Calls.StreamTranscript", "Calls.DownloadRecording"}, c.name)
	})
}

// FuzzAnswers: whatever a server answers to whatever call, there is a result that can be written as JSON, or one of the
// package's errors.
func FuzzAnswers(f *testing.F) {
	calls, ops := readable(), readOperations(f)
	for i, call := range calls {
		c, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{Transport: apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			op := findOperation(f, ops, r.Method, r.URL.Path)
			body := apitest.JSON(f, sample("", op.Answer))
			f.Add(uint8(i), []byte(body))
			return apitest.Response(200, body), nil
		})}))
		require.NoError(f, err)
		_, err = call.call(f.Context(), newContract(c, nil))
		require.NoError(f, err)
	}
	for _, body := range []string{``, `null`, `[]`, `{}`, `{"data":null}`, `{"data":[null],"hasMore":true}`, `{"items":[{}],"total":1e9}`, `<html>`, `"x"`, `{"id":null}`, `[{"role":"user"}]`, "\xff"} {
		f.Add(uint8(len(body)), []byte(body))
	}
	f.Fuzz(func(t *testing.T, i uint8, body []byte) {
		call := calls[int(i)%len(calls)]
		c, err := agentphone.NewClient(apitest.Key, agentphone.WithMaxRetries(0), agentphone.WithHTTPClient(&http.Client{Transport: &apitest.Stub{Respond: func(n int, _ apitest.Request) (*http.Response, error) {
			if n > 1 {
				return apitest.Response(404, ""), nil
			}
			return apitest.Response(200, string(body)), nil
		}}}))
		require.NoError(t, err)
		result, err := call.call(t.Context(), newContract(c, nil))
		if err != nil {
			apitest.CheckErrorText(t, err)
			return
		}
		if _, err := json.Marshal(result); err != nil {
			t.Fatalf("%s: %q was read as what cannot be written: %v", call.name, body, err)
		}
	})
}
