package networktest

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestDecodeError_TruncatedResponseKeepsRequestID(t *testing.T) {
	s := newHTTP1Server(t, writeAndClose("HTTP/1.1 200 OK\r\nX-Request-Id: req_42\r\nContent-Length: 100\r\n\r\n{\"id\":"))
	var response agentphone.Response
	err := sendMessage("hello")(t.Context(), s.client(t), agentphone.WithResponse(&response))
	var decodeErr *agentphone.DecodeError
	require.ErrorAs(t, err, &decodeErr)
	assert.Equal(t, "req_42", decodeErr.RequestID)
	assert.Equal(t, 200, response.Status)
	assert.Equal(t, "req_42", response.RequestID)
}

// Errors are logged and shown, so that their texts do not quote a response, but for the message of an error response.
func TestErrors_QuoteNoResponse(t *testing.T) {
	for name, response := range map[string]string{
		"not HTTP":           "<html>SECRET +14155551234</html>\r\n\r\n",
		"malformed header":   "HTTP/1.1 200 OK\r\nX-Secret-Header SECRET\r\n\r\n{}",
		"malformed status":   "HTTP/1.1 2\x1b[31mSECRET OK\r\n\r\n",
		"malformed time":     "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{\"id\":\"SECRET\",\"endedAt\":\"SECRET\"}",
		"number as a string": "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"status\":14155.5}",
	} {
		t.Run(name, func(t *testing.T) {
			s := newHTTP1Server(t, writeAndClose(response))
			err := apitest.CreateCall(t.Context(), s.client(t, agentphone.WithMaxRetries(0)))
			require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
			for _, quoted := range []string{"SECRET", "4155", "\x1b"} {
				assert.NotContains(t, err.Error(), quoted)
			}
		})
	}
	t.Run("key in an error response", func(t *testing.T) {
		key := "sk_live_ab/cd"
		c, err := agentphone.NewClient(key, agentphone.WithHTTPClient(&http.Client{Transport: &apitest.Stub{Respond: apitest.Always(401, `{"detail":"bad key sk_live_ab\/cd"}`)}}))
		require.NoError(t, err)
		_, err = c.Usage.Get(t.Context())
		require.ErrorIs(t, err, agentphone.ErrUnauthorized)
		assert.NotContains(t, err.Error(), key)
	})
	t.Run("key in a response that cannot be decoded", func(t *testing.T) {
		c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":7,"name":"`+apitest.Key+`"}`))
		var decodeErr *agentphone.DecodeError
		require.ErrorAs(t, apitest.GetAgent(t.Context(), c), &decodeErr)
		assert.NotContains(t, string(decodeErr.Body), apitest.Key)
	})
}

func TestWithResponse_IsTheLastResponse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		body   string
		failed bool
	}{
		{200, okBody, false}, {201, okBody, false}, {404, `{"detail":"none"}`, true}, {200, "<html>", true},
	} {
		t.Run(http.StatusText(test.status)+test.body, func(t *testing.T) {
			t.Parallel()
			s := newHTTP1Server(t, inTurn(
				respondWith(503, "later", "Retry-After: 0", "X-Request-Id: req_1", "X-First: yes"),
				respondWith(test.status, test.body, "X-Request-Id: req_2", "X-Many: a", "X-Many: b")))
			var got agentphone.Response
			err := sendMessage("hello")(context.Background(), s.client(t), agentphone.WithResponse(&got))
			assert.Equal(t, test.failed, err != nil, "%v", err)
			assert.Equal(t, test.status, got.Status)
			assert.Equal(t, test.body, string(got.Body))
			assert.Equal(t, 2, got.Attempts)
			assert.Equal(t, "req_2", got.RequestID)
			assert.Equal(t, []string{"a", "b"}, got.Header.Values("X-Many"))
			assert.Empty(t, got.Header.Get("X-First"))
		})
	}
}
