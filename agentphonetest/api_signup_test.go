package agentphonetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

func TestSignup_CreatesAnAccountOfItsOwn(t *testing.T) {
	srv := newServer(t)
	keyless, ctx := clientFor(t, srv, ""), t.Context()
	started, err := keyless.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "ada@example.com", AgentName: "Ada's"})
	require.NoError(t, err)
	assert.Equal(t, "ada@example.com", started.HumanEmail)
	otp := srv.OTP(started.VerificationID)
	assert.Regexp(t, "^[0-9]{6}$", otp)

	wrong := "000000"
	if otp == wrong {
		wrong = "000001"
	}
	_, err = keyless.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: started.VerificationID, OTPCode: wrong})
	require.ErrorIs(t, err, agentphone.ErrBadRequest)
	account, err := keyless.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: started.VerificationID, OTPCode: otp})
	require.NoError(t, err)
	_, err = keyless.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: started.VerificationID, OTPCode: otp})
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	assert.Empty(t, srv.OTP(started.VerificationID))
	for _, r := range srv.Requests() {
		assert.Empty(t, r.Header.Get("Authorization"), "no key is sent")
	}

	ada := clientFor(t, srv, account.APIKey)
	agent, err := ada.Agents.Get(ctx, account.AgentID)
	require.NoError(t, err)
	assert.Equal(t, "Ada's", agent.Name)
	assert.Equal(t, account.PhoneNumber, agent.Numbers[0].PhoneNumber)
	assert.NotEqual(t, srv.PhoneNumber(), account.PhoneNumber)
	_, err = ada.Agents.Get(ctx, srv.AgentID())
	require.ErrorIs(t, err, agentphone.ErrNotFound)
	_, err = srv.Client().Agents.Get(ctx, account.AgentID)
	require.ErrorIs(t, err, agentphone.ErrNotFound)

	_, err = keyless.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "ADA@example.com"})
	require.ErrorIs(t, err, agentphone.ErrAccountExists)
	_, err = keyless.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: agentphonetest.StarterEmail})
	require.ErrorIs(t, err, agentphone.ErrAccountExists)
}

func TestSignup_OneEmailMakesOneAccount(t *testing.T) {
	srv := newServer(t)
	keyless, ctx := clientFor(t, srv, ""), t.Context()
	var ids []string
	for range 2 {
		started, err := keyless.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "ada@example.com"})
		require.NoError(t, err)
		ids = append(ids, started.VerificationID)
	}
	_, err := keyless.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: ids[0], OTPCode: srv.OTP(ids[0])})
	require.NoError(t, err)
	_, err = keyless.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: ids[1], OTPCode: srv.OTP(ids[1])})
	require.ErrorIs(t, err, agentphone.ErrConflict)
}

// Who guesses gets so far and no further: a million codes are not many.
func TestSignup_IsOverAfterFiveWrongCodes(t *testing.T) {
	srv := newServer(t)
	keyless, ctx := clientFor(t, srv, ""), t.Context()
	start := func() (id, wrong string) {
		started, err := keyless.Signup.Start(ctx, agentphone.SignupParams{HumanEmail: "ada@example.com"})
		require.NoError(t, err)
		wrong = "000000"
		if srv.OTP(started.VerificationID) == wrong {
			wrong = "000001"
		}
		return started.VerificationID, wrong
	}
	verify := func(id, code string) error {
		_, err := keyless.Signup.Verify(ctx, agentphone.VerifySignupParams{VerificationID: id, OTPCode: code})
		return err
	}
	id, wrong := start()
	right := srv.OTP(id)
	for range 5 {
		require.ErrorIs(t, verify(id, wrong), agentphone.ErrBadRequest)
	}
	require.ErrorIs(t, verify(id, right), agentphone.ErrNotFound)

	id, wrong = start()
	for range 4 {
		require.ErrorIs(t, verify(id, wrong), agentphone.ErrBadRequest)
	}
	require.NoError(t, verify(id, srv.OTP(id)))
}

func TestSignup_CodeExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		keyless := clientFor(t, srv, "")
		started, err := keyless.Signup.Start(t.Context(), agentphone.SignupParams{HumanEmail: "ada@example.com"})
		require.NoError(t, err)
		time.Sleep(time.Until(started.ExpiresAt.Time) + time.Second)
		_, err = keyless.Signup.Verify(t.Context(), agentphone.VerifySignupParams{VerificationID: started.VerificationID, OTPCode: srv.OTP(started.VerificationID)})
		require.ErrorIs(t, err, agentphone.ErrNotFound)
	})
}
