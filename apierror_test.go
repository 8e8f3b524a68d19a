package agentphone_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// Whatever body an error response has, its text is one line that names the operation and does not hold the key.
func FuzzAPIError_TextIsOneCleanLine(f *testing.F) {
	for _, body := range []string{
		``, `{"detail":"Not found"}`, `{"detail":[{"loc":["body","toNumber"],"msg":"field required","type":"missing"}]}`,
		`{"error":{"message":"m","code":"INSUFFICIENT_BALANCE","type":"t","details":[{"field":"f","message":"m"}]}}`,
		`{"error":"text"}`, `{"error":[]}`, `{"detail":{"message":7}}`, `{"detail":[["a"],1,null,{"loc":[[{}]]}]}`, `<html>502</html>`,
		`{"detail":"` + apitest.Key + `"}`, `{"detail":"a\r\nlevel=ERROR\u2028x\u0085"}`, "\x00\xff", `{"detail":"\u001b[31m"}`,
	} {
		f.Add(uint16(422), []byte(body))
		f.Add(uint16(503), []byte(body))
	}
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		s := 300 + int(status)%700
		c, err := agentphone.NewClient(apitest.Key, agentphone.WithMaxRetries(0), agentphone.WithHTTPClient(&http.Client{Transport: &apitest.Stub{Respond: apitest.Always(s, string(body))}}))
		require.NoError(t, err)
		err = apitest.CreateCall(t.Context(), c)
		var apiErr *agentphone.APIError
		if !errors.As(err, &apiErr) || apiErr.StatusCode != s || !strings.HasPrefix(err.Error(), "agentphone: POST /v1/calls: ") {
			t.Fatalf("%v", err)
		}
		apitest.CheckErrorText(t, err)
		if bytes.Contains(apiErr.Body, []byte(apitest.Key)) {
			t.Fatalf("the key is in the body: %q", apiErr.Body)
		}
	})
}

func TestAPIError_HoldsWhatTheServerSaid(t *testing.T) {
	body := `{"error":{"message":"m","code":"C","type":"T","details":[{"loc":["query","limit"],"msg":"too big","type":"le"}]}}`
	c, _ := apitest.NewClient(t, apitest.Always(400, body, "X-Request-Id", "req_1", "Retry-After", "7"))
	var got *agentphone.APIError
	require.ErrorAs(t, apitest.GetAgent(t.Context(), c), &got)
	assert.Equal(t, "m", got.Message)
	assert.Equal(t, "C", got.Code)
	assert.Equal(t, "T", got.Type)
	assert.Equal(t, []agentphone.FieldError{{Field: "limit", Message: "too big", Type: "le"}}, got.Details)
	assert.Equal(t, "req_1", got.RequestID)
	assert.Equal(t, 7*time.Second, got.RetryAfter)
	assert.Equal(t, "GET /v1/agents/{agent_id}", got.Operation)
	assert.Equal(t, body, string(got.Body))
}

func TestAPIError_ReadsDetailsInThePublishedForm(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(400, `{"error":{"message":"","code":"VALIDATION_ERROR","type":"validation_error","details":[
		{"field":"toNumber","message":"must be E.164","type":"format"},{"field":"buttons.0","message":"too long","type":null},"and more",{"new":1}]}}`))
	var got *agentphone.APIError
	err := apitest.GetAgent(t.Context(), c)
	require.ErrorAs(t, err, &got)
	require.ErrorIs(t, err, agentphone.ErrValidation)
	assert.Equal(t, []agentphone.FieldError{
		{Field: "toNumber", Message: "must be E.164", Type: "format"}, {Field: "buttons.0", Message: "too long"}, {Message: "and more"},
	}, got.Details)
	assert.Equal(t, "toNumber: must be E.164; buttons.0: too long; and more", got.Message)
}
