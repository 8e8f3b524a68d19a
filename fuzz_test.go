package agentphone_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// FuzzErrorBodies: whatever body an error answer has, its text is one line that names the operation and has no key in it.
func FuzzErrorBodies(f *testing.F) {
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
		var answered *agentphone.APIError
		if !errors.As(err, &answered) || answered.StatusCode != s || !strings.HasPrefix(err.Error(), "agentphone: POST /v1/calls: ") {
			t.Fatalf("%v", err)
		}
		apitest.CheckErrorText(t, err)
		if bytes.Contains(answered.Body, []byte(apitest.Key)) {
			t.Fatalf("the key is in the body: %q", answered.Body)
		}
	})
}
