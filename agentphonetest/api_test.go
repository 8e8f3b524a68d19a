package agentphonetest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func TestRequest_UnknownPathIs404AndMethod405(t *testing.T) {
	srv := newServer(t)
	for _, path := range []string{"/", "/v1", "/v1/nothing", "/v1/agents/", "/v1//agents", "/v1/x/../agents", "/v1/agents/agt_none", "/v1/agents/a%2Fb"} {
		t.Run(path, func(t *testing.T) {
			status, body := send(t, srv, "GET", path, "")
			assert.Equal(t, 404, status, path)
			assert.IsType(t, "", body["detail"], path)
		})
	}
	for _, method := range []string{"PUT", "DELETE", "HEAD"} {
		t.Run(method, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), method, agentphone.DefaultBaseURL+"/v1/agents", nil)
			require.NoError(t, err)
			resp, err := srv.Transport().RoundTrip(req)
			require.NoError(t, err)
			assert.Equal(t, 405, resp.StatusCode, method)
			require.NoError(t, resp.Body.Close())
		})
	}
}
