// The client returns all that the API responds with: no field is lost and none is made up. Whatever the response is,
// the method ends with a result or an error.

package contracttest

import (
	"encoding/json"
	"errors"
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
	"github.com/agentphone/agentphone-go/internal/methodcalls"
)

// Every method gets a response with every field that the API may respond with. None is lost in the result, and the
// result has none that the API does not have. A response with no more than the API promises is no error.
func TestContract_ResponsesAreDecodedInFull(t *testing.T) {
	api := readContract(t)
	// Fields of results that are not in an operation's response, because their types serve several operations.
	extra := map[string][]string{
		"GET /v1/agents/{agent_id}/calls":         {"direction", "recordingUrl", "recordingAvailable", "transcripts"},
		"GET /v1/agents/{agent_id}/conversations": {"isGroup", "groupId", "groupName", "groupIconUrl", "participants", "metadata", "channel"},
	}
	for _, detail := range []string{"GET", "PATCH"} {
		extra[detail+" /v1/conversations/{conversation_id}"] = []string{"lastMessagePreview"}
	}
	// Fields that say the same as another one, which is in the result.
	same := map[string]bool{"CallTranscript.data": true, "WebhookDelivery.event": true, "WebhookDelivery.statusCode": true}
	for field := range same {
		shape, name, _ := strings.Cut(field, ".")
		require.Contains(t, api.shapes[shape], name)
		delete(api.shapes[shape], name)
	}
	for _, call := range jsonCalls() {
		t.Run(call.Name, func(t *testing.T) {
			op, result, err := callWithSample(t, api, call, sample)
			require.NoError(t, err)
			if onlySucceeds(op) {
				assert.Nil(t, result, "the method returns an error only")
				return
			}
			var got any
			require.NoError(t, json.Unmarshal([]byte(apitest.JSON(t, result)), &got))

			want := sample("", op.Response)
			if list, ok := want.([]any); ok {
				want = map[string]any{"data": list}
			}
			fields := want.(map[string]any)
			if items, ok := fields["items"]; ok { // the position of the page is not in the result: the caller requested it
				fields["data"] = items
				delete(fields, "items")
				delete(fields, "offset")
				delete(fields, "limit")
			}
			isPage := strings.Contains(fmt.Sprintf("%T", result), "agentphone.Page[")
			assert.Empty(t, difference("", want, got, isPage, extra[op.String()]))

			_, _, err = callWithSample(t, api, call, bareSample)
			assert.NoError(t, err, "a response with no more than the API promises")
		})
	}
}

// callWithSample makes a call whose requests get samples of their operation's response. It checks their headers, and
// returns the last one's operation.
func callWithSample(t *testing.T, api *apiContract, call methodcalls.Call, sampleOf func(string, *apiType) any) (op *apiOperation, result any, err error) {
	t.Helper()
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		op = api.operation(t, r.Method, r.URL.Path)
		if slices.Contains(op.Header, "X-Sub-Account-Id") {
			assert.Equal(t, "sub_1", r.Header.Get("X-Sub-Account-Id"))
		}
		assert.Equal(t, op.Public, r.Header.Get("Authorization") == "", "key of %s", op)
		return apitest.Response(op.Status, apitest.JSON(t, sampleOf("", op.Response))), nil
	}))
	result, err = call.Make(t.Context(), methodcalls.NewSession(c.ForSubAccount("sub_1"), nil))
	return op, result, err
}

// onlySucceeds reports whether an operation's response is empty or {"success": boolean}. Its method returns only an
// error.
func onlySucceeds(op *apiOperation) bool {
	if op.Response == nil {
		return true
	}
	_, ok := op.Response.fields["success"]
	return ok && len(op.Response.fields) == 1
}

// difference lists what want has and got lacks, and what got has and neither want nor extra have.
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
				continue // an iterator returns items without them
			}
			out = append(out, difference(at+name+".", value, fields[to], isPage, extra)...)
		}
		for name := range fields {
			if _, ok := want[name]; ok || slices.Contains(extra, name) || name == "from" || isPage && at == "" {
				continue
			}
			if tool := strings.HasSuffix(at, "customTools."); tool {
				continue // it may have any fields
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

// An empty response, or null, is a success of those operations alone whose response says nothing that is needed.
func TestContract_EmptyResponsesAreErrorsUnlessNothingIsNeeded(t *testing.T) {
	api := readContract(t)
	for _, call := range jsonCalls() {
		t.Run(call.Name, func(t *testing.T) {
			for _, body := range []string{"", "null"} {
				c, s := apitest.NewClient(t, apitest.Always(200, body))
				_, err := call.Make(t.Context(), methodcalls.NewSession(c, nil))
				requests := s.Requests()
				last := requests[len(requests)-1]
				if api.operation(t, last.Method, last.Path).Empty {
					assert.NoError(t, err, "%q", body)
					continue
				}
				var decodeErr *agentphone.DecodeError
				assert.ErrorAs(t, err, &decodeErr, "%q", body)
			}
		})
	}
}

// A response that is not the API's says nothing of what a request that is not idempotent has created, or that it failed: whether the request
// had an effect nobody knows.
func TestContract_ResponsesThatDoNotSayWhatWasCreatedAreErrors(t *testing.T) {
	api := readContract(t)
	for _, call := range jsonCalls() {
		t.Run(call.Name, func(t *testing.T) {
			respond := func(body string) error {
				c, _ := apitest.NewClient(t, apitest.Always(200, body))
				_, err := call.Make(t.Context(), methodcalls.NewSession(c, nil))
				return err
			}
			op, _, err := callWithSample(t, api, call, sample)
			require.NoError(t, err)
			idempotent := !errors.Is(respond("<html>"), agentphone.ErrOutcomeUnknown)
			bodies := []string{`{"success":false}`, `{"success":"false"}`}
			if full, isObject := sample("", op.Response).(map[string]any); isObject && !idempotent {
				bodies = append(bodies, `{}`, `{"message":"Missing Authentication Token"}`, `{"status":"error","detail":"down for maintenance"}`)
				if call.Name != "Verify.Check" { // whose result may be that the code is wrong
					bodies = append(bodies, strings.Replace(apitest.JSON(t, full), "{", `{"success": false,`, 1))
				}
				for _, name := range []string{
					"id", "callId", "accessToken", "account_id", "api_key", "verification_id", "secret", "result", "ok", "campaign_status", "data",
				} {
					delete(full, name)
				}
				bodies = append(bodies, apitest.JSON(t, full))
			}
			if idempotent && (op.Empty || op.Response.fields["success"] != nil) && !onlySucceeds(op) {
				return // it may say so
			}
			for _, body := range bodies {
				err := respond(body)
				var decodeErr *agentphone.DecodeError
				if assert.ErrorAs(t, err, &decodeErr, "%s", body) {
					assert.Equal(t, !idempotent, errors.Is(err, agentphone.ErrOutcomeUnknown), "%s", body)
				}
			}
		})
	}
}

// jsonCalls returns the calls of methods that send one request and get JSON.
func jsonCalls() []methodcalls.Call {
	return slices.DeleteFunc(slices.Clone(methodcalls.All), func(c methodcalls.Call) bool {
		return slices.Contains([]string{"Calls.Wait", "Calls.CreateAndWait", "Calls.StreamTranscript", "Calls.DownloadRecording"}, c.Name)
	})
}

// FuzzResponses gives any call any body. The method must return a result that can be encoded as JSON, or one of the
// package's errors.
func FuzzResponses(f *testing.F) {
	calls, api := jsonCalls(), readContract(f)
	for i, call := range calls {
		c := apitest.NewClientOver(f, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			body := apitest.JSON(f, sample("", api.operation(f, r.Method, r.URL.Path).Response))
			f.Add(uint8(i), []byte(body))
			return apitest.Response(200, body), nil
		}))
		_, err := call.Make(f.Context(), methodcalls.NewSession(c, nil))
		require.NoError(f, err)
	}
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `{"data":null}`, `{"data":[null],"hasMore":true}`, `{"items":[{}],"total":1e9}`,
		`<html>`, `"x"`, `{"id":null}`, `[{"role":"user"}]`, "\xff",
	} {
		f.Add(uint8(len(body)), []byte(body))
	}
	f.Fuzz(func(t *testing.T, i uint8, body []byte) {
		call := calls[int(i)%len(calls)]
		c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
			if n > 1 { // an iterator would request pages without end
				return apitest.Response(404, ""), nil
			}
			return apitest.Response(200, string(body)), nil
		}, agentphone.WithMaxRetries(0))
		result, err := call.Make(t.Context(), methodcalls.NewSession(c, nil))
		if err != nil {
			apitest.CheckErrorText(t, err)
			return
		}
		if _, err := json.Marshal(result); err != nil {
			t.Fatalf("%s: %q was decoded to what cannot be encoded: %v", call.Name, body, err)
		}
	})
}
