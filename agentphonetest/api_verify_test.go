package agentphonetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/agentphonetest"
)

// sendCode has the starter account send a verification and returns its id and its code.
func sendCode(t *testing.T, srv *agentphonetest.Server) (id, code string) {
	t.Helper()
	sent := request(t, srv.Client(), "POST", "/v1/verify/send", fields{"phone_number": person})
	assert.Equal(t, "pending", sent["status"])
	id = sent["verification_id"].(string)
	code = srv.VerificationCode(id)
	require.Regexp(t, `^\d{6}$`, code)
	return id, code
}

// checkCode checks a code and returns the response.
func checkCode(t *testing.T, srv *agentphonetest.Server, id, code string) fields {
	t.Helper()
	return request(t, srv.Client(), "POST", "/v1/verify/check", fields{"verification_id": id, "code": code})
}

func otherCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

var charged = agentphonetest.Charge{Operation: "POST /v1/verify/check", Quantity: 1, Amount: 50}

func TestVerify_RightCodeIsOkOnceAndIsBilledOnce(t *testing.T) {
	srv := newServer(t)
	id, code := sendCode(t, srv)
	assert.Empty(t, srv.Charges(), "only a success is billed")
	assert.Equal(t, fields{"result": "ok", "attempts_remaining": nil}, checkCode(t, srv, id, code))
	for range 4 {
		assert.Equal(t, fields{"result": "already_verified", "attempts_remaining": nil}, checkCode(t, srv, id, code))
	}
	assert.Equal(t, []agentphonetest.Charge{charged}, srv.Charges())
	v := srv.Verifications()
	require.Len(t, v, 1)
	assert.Equal(t, agentphonetest.Verification{ID: id, PhoneNumber: person, Code: code, SentAt: v[0].SentAt, Checks: 1, Verified: true}, v[0])
}

func TestVerify_ThreeChecks(t *testing.T) {
	srv := newServer(t)
	id, code := sendCode(t, srv)
	for _, left := range []float64{2, 1, 0} {
		assert.Equal(t, fields{"result": "incorrect", "attempts_remaining": left}, checkCode(t, srv, id, otherCode(code)))
	}
	assert.Equal(t, fields{"result": "exhausted", "attempts_remaining": 0.0}, checkCode(t, srv, id, code), "the right one comes too late")
	assert.Empty(t, srv.Charges())

	id, code = sendCode(t, srv)
	checkCode(t, srv, id, otherCode(code))
	checkCode(t, srv, id, otherCode(code))
	assert.Equal(t, "ok", checkCode(t, srv, id, code)["result"], "the third may be right")
}

func TestVerify_CodeExpiresAfterTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		inTime, code := sendCode(t, srv)
		late, lateCode := sendCode(t, srv)
		assert.NotEqual(t, code, lateCode)
		time.Sleep(10 * time.Minute)
		assert.Equal(t, "ok", checkCode(t, srv, inTime, code)["result"])
		time.Sleep(time.Microsecond)
		for range 4 {
			assert.Equal(t, fields{"result": "expired", "attempts_remaining": nil}, checkCode(t, srv, late, lateCode), "spends no check")
		}
		assert.Equal(t, "already_verified", checkCode(t, srv, inTime, code)["result"])
	})
}

func TestVerify_RefusesWhatIsWrong(t *testing.T) {
	srv := newServer(t)
	id, code := sendCode(t, srv)
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/v1/verify/send", `{"phone_number":"4155559999"}`, 422},
		{"/v1/verify/send", `{}`, 422},
		{"/v1/verify/check", `{"verification_id":"` + id + `","code":"12345"}`, 422},
		{"/v1/verify/check", `{"verification_id":"` + id + `","code":"12345a"}`, 422},
		{"/v1/verify/check", `{"verification_id":"` + id + `","code":123456}`, 422},
		{"/v1/verify/check", `{"code":"123456"}`, 422},
		{"/v1/verify/check", `{"verification_id":"vrf_none","code":"123456"}`, 404},
	} {
		t.Run(c.body, func(t *testing.T) {
			status, body := send(t, srv, "POST", c.path, c.body)
			assert.Equal(t, c.status, status, "%v", body)
		})
	}
	sub := request(t, srv.Client(), "POST", "/v1/sub-accounts", fields{"name": "Other"})["id"].(string)
	status, _ := send(t, srv, "POST", "/v1/verify/check", `{"verification_id":"`+id+`","code":"`+code+`"}`, "X-Sub-Account-Id", sub)
	assert.Equal(t, 404, status, "another account's")
	assert.Zero(t, srv.Verifications()[0].Checks, "none of this spent a check")
	assert.Len(t, srv.Verifications(), 1)
	assert.Empty(t, srv.VerificationCode("vrf_none"))
}
