package agentphone_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

var checkCode = agentphone.CheckVerificationParams{VerificationID: "ver_1", Code: "012345"}

func TestVerifySend_ReturnsTheVerification(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{"verification_id":"ver_1","status":"pending"}`))
	sent, err := c.Verify.Send(t.Context(), agentphone.VerificationParams{PhoneNumber: "+14155550124"})
	require.NoError(t, err)
	assert.Equal(t, &agentphone.Verification{VerificationID: "ver_1", Status: "pending"}, sent)
	assert.JSONEq(t, `{"phone_number":"+14155550124"}`, s.Requests()[0].Body)
}

func TestVerifyCheck_ReturnsEachResultWhateverItsStatus(t *testing.T) {
	for result, constant := range map[string]agentphone.VerificationResult{
		"ok": agentphone.VerificationOK, "incorrect": agentphone.VerificationIncorrect, "exhausted": agentphone.VerificationExhausted,
		"expired": agentphone.VerificationExpired, "already_verified": agentphone.VerificationAlreadyVerified, "new": "new",
	} {
		for _, status := range []int{200, 400, 403, 404, 408, 409, 410, 422, 429} {
			for name, wrap := range map[string][2]string{
				"bare": {"", ""}, "in detail": {`{"detail":`, `}`}, "in error": {`{"error":`, `}`},
			} {
				if status == 200 && name != "bare" {
					continue
				}
				t.Run(result+" "+strconv.Itoa(status)+" "+name, func(t *testing.T) {
					body := wrap[0] + `{"result":"` + result + `","attempts_remaining":2}` + wrap[1]
					c, s := apitest.NewClient(t, apitest.Always(status, body, "Retry-After", "0"), apitest.NoWait)
					var response agentphone.Response
					check, err := c.Verify.Check(t.Context(), checkCode, agentphone.WithResponse(&response))
					require.NoError(t, err)
					assert.Equal(t, &agentphone.VerificationCheck{Result: constant, AttemptsRemaining: agentphone.Ptr(2)}, check)
					assert.Len(t, s.Requests(), 1, "a check spends an attempt")
					assert.Equal(t, status, response.Status)
					assert.Equal(t, body, string(response.Body), "as it was received")
				})
			}
		}
	}
}

func TestVerifyCheck_FailsWithoutAResult(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		kind   error
	}{
		{404, `{"detail":"Verification not found"}`, agentphone.ErrNotFound},
		{409, `{"result":null}`, agentphone.ErrConflict},
		{409, `{"result":""}`, agentphone.ErrConflict},
		{409, `{"result":{"ok":true}}`, agentphone.ErrConflict},
		{409, `{"error":{"message":"no","code":"X"}}`, agentphone.ErrConflict},
		{400, `<html>"result":"ok"`, agentphone.ErrBadRequest},
		{401, ``, agentphone.ErrUnauthorized},
		{422, `{"detail":[{"loc":["body","code"],"msg":"bad","type":"x"}]}`, agentphone.ErrValidation},
		{402, `["result"]`, agentphone.ErrPaymentRequired},
		{500, `{"result":"ok"}`, agentphone.ErrOutcomeUnknown}, // the server's failure is none of a check
		{302, `{"result":"ok"}`, agentphone.ErrOutcomeUnknown},
	} {
		t.Run(strconv.Itoa(tc.status)+" "+tc.body, func(t *testing.T) {
			c, s := apitest.NewClient(t, apitest.Always(tc.status, tc.body))
			check, err := c.Verify.Check(t.Context(), checkCode)
			require.ErrorIs(t, err, tc.kind)
			assert.Nil(t, check)
			assert.Len(t, s.Requests(), 1)
		})
	}
}

// A result is one of a check only: any other operation's 4xx is an error, whatever is in it.
func TestVerifySend_ResultInAnErrorIsStillAnError(t *testing.T) {
	c, _ := apitest.NewClient(t, apitest.Always(http.StatusConflict, `{"result":"ok","verification_id":"ver_1"}`))
	_, err := c.Verify.Send(t.Context(), agentphone.VerificationParams{PhoneNumber: "+14155550124"})
	require.ErrorIs(t, err, agentphone.ErrConflict)
}

func TestVerify_RefusesInvalidParams(t *testing.T) {
	c, s := apitest.NewClient(t, apitest.Always(200, `{}`))
	assertRefused := func(field string, err error) {
		t.Helper()
		var invalid *agentphone.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
		assert.Empty(t, s.Requests())
	}
	for _, number := range []string{"", "4155550124", "(415) 555-0124", "+1 415 555 0124", "555123", "ada@example.com"} {
		assertRefused("phone_number", apitest.Err(c.Verify.Send(t.Context(), agentphone.VerificationParams{PhoneNumber: number})))
	}
	assertRefused("verification_id", apitest.Err(c.Verify.Check(t.Context(), agentphone.CheckVerificationParams{Code: "123456"})))
	for _, code := range []string{"", " ", "12345", "1234567", "12345a", " 12345", "１２３４５６"} {
		assertRefused("code", apitest.Err(c.Verify.Check(t.Context(), agentphone.CheckVerificationParams{VerificationID: "v", Code: code})))
	}
}
