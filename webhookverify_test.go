package agentphone_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// knownSignature is the signature of a fixed request, computed with openssl:
//
//	printf '1776619211.{"event":"agent.message"}' | openssl dgst -sha256 -hmac whsec_0123456789
const knownSignature = "sha256=e61d0ab11cfb0855b34cbf97edbe767f28380b9f73158df098d3727b9f3174db"

func TestSignWebhook_SignsAsTheAPIDoes(t *testing.T) {
	h := agentphone.SignWebhook([]byte(`{"event":"agent.message"}`), apitest.Secret, time.Unix(1776619211, 999))
	assert.Equal(t, "1776619211", h.Get(agentphone.WebhookTimestampHeader))
	assert.Equal(t, knownSignature, h.Get(agentphone.WebhookSignatureHeader))
}

// bubbleStart is when every synctest bubble begins. In one that does not sleep, time stands still.
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestVerifyWebhook_AcceptsOnlyGenuineRequests(t *testing.T) {
	body := []byte(`{"event":"agent.message"}`)
	set := func(h http.Header, key, value string) http.Header {
		h = h.Clone()
		h.Set(key, value)
		return h
	}
	good := agentphone.SignWebhook(body, apitest.Secret, bubbleStart)
	signature := good.Get(agentphone.WebhookSignatureHeader)
	for name, tc := range map[string]struct {
		body   string
		header http.Header
		secret string
		want   error
	}{
		"genuine":                    {string(body), good, apitest.Secret, nil},
		"upper-case digits":          {string(body), set(good, agentphone.WebhookSignatureHeader, "sha256="+strings.ToUpper(signature[7:])), apitest.Secret, nil},
		"five minutes old":           {string(body), agentphone.SignWebhook(body, apitest.Secret, bubbleStart.Add(-5*time.Minute)), apitest.Secret, nil},
		"five minutes ahead":         {string(body), agentphone.SignWebhook(body, apitest.Secret, bubbleStart.Add(5*time.Minute)), apitest.Secret, nil},
		"over five minutes old":      {string(body), agentphone.SignWebhook(body, apitest.Secret, bubbleStart.Add(-301*time.Second)), apitest.Secret, agentphone.ErrWebhookTimestamp},
		"over five minutes ahead":    {string(body), agentphone.SignWebhook(body, apitest.Secret, bubbleStart.Add(301*time.Second)), apitest.Secret, agentphone.ErrWebhookTimestamp},
		"body changed":               {`{"event":"agent.reaction"}`, good, apitest.Secret, agentphone.ErrWebhookBadSignature},
		"body re-encoded":            {`{"event": "agent.message"}`, good, apitest.Secret, agentphone.ErrWebhookBadSignature},
		"time changed":               {string(body), set(good, agentphone.WebhookTimestampHeader, strconv.FormatInt(bubbleStart.Unix()+1, 10)), apitest.Secret, agentphone.ErrWebhookBadSignature},
		"other secret":               {string(body), agentphone.SignWebhook(body, "whsec_other", bubbleStart), apitest.Secret, agentphone.ErrWebhookBadSignature},
		"secret without its prefix":  {string(body), good, strings.TrimPrefix(apitest.Secret, "whsec_"), agentphone.ErrWebhookBadSignature},
		"empty secret":               {string(body), agentphone.SignWebhook(body, "", bubbleStart), "", agentphone.ErrWebhookNoSecret},
		"no headers":                 {string(body), http.Header{}, apitest.Secret, agentphone.ErrWebhookNoSignature},
		"nil headers":                {string(body), nil, apitest.Secret, agentphone.ErrWebhookNoSignature},
		"empty signature":            {string(body), set(good, agentphone.WebhookSignatureHeader, "sha256="), apitest.Secret, agentphone.ErrWebhookNoSignature},
		"signature without scheme":   {string(body), set(good, agentphone.WebhookSignatureHeader, signature[7:]), apitest.Secret, agentphone.ErrWebhookNoSignature},
		"signature of other scheme":  {string(body), set(good, agentphone.WebhookSignatureHeader, "sha1="+signature[7:]), apitest.Secret, agentphone.ErrWebhookNoSignature},
		"signature not hexadecimal":  {string(body), set(good, agentphone.WebhookSignatureHeader, "sha256="+strings.Repeat("z", 64)), apitest.Secret, agentphone.ErrWebhookNoSignature},
		"signature cut":              {string(body), set(good, agentphone.WebhookSignatureHeader, signature[:69]), apitest.Secret, agentphone.ErrWebhookNoSignature},
		"signature of one byte":      {string(body), set(good, agentphone.WebhookSignatureHeader, "sha256=00"), apitest.Secret, agentphone.ErrWebhookNoSignature},
		"white space around it":      {string(body), set(good, agentphone.WebhookSignatureHeader, "\t "+signature+" "), apitest.Secret, nil},
		"no timestamp":               {string(body), set(good, agentphone.WebhookTimestampHeader, ""), apitest.Secret, agentphone.ErrWebhookTimestamp},
		"timestamp not a number":     {string(body), set(good, agentphone.WebhookTimestampHeader, "now"), apitest.Secret, agentphone.ErrWebhookTimestamp},
		"timestamp that overflows":   {string(body), set(good, agentphone.WebhookTimestampHeader, "9223372036854775807"), apitest.Secret, agentphone.ErrWebhookTimestamp},
		"timestamp that wraps":       {string(body), set(good, agentphone.WebhookTimestampHeader, "-9223372036854775808"), apitest.Secret, agentphone.ErrWebhookTimestamp},
		"timestamp in milliseconds":  {string(body), set(good, agentphone.WebhookTimestampHeader, strconv.FormatInt(bubbleStart.UnixMilli(), 10)), apitest.Secret, agentphone.ErrWebhookTimestamp},
		"timestamp with white space": {string(body), set(good, agentphone.WebhookTimestampHeader, " "+good.Get(agentphone.WebhookTimestampHeader)), apitest.Secret, agentphone.ErrWebhookTimestamp},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := agentphone.VerifyWebhook([]byte(tc.body), tc.header, tc.secret)
				require.ErrorIs(t, err, tc.want)
				if err != nil {
					assert.NotContains(t, err.Error(), apitest.Secret)
				}
			})
		})
	}
}

// Timestamps that overflow, or that are not written as AgentPhone writes them, are refused even with a valid signature.
func TestVerifyWebhook_RefusesOddTimestampsThoughSigned(t *testing.T) {
	body := []byte(`{}`)
	now := bubbleStart.Unix()
	for _, seconds := range []string{
		"9223372036854775807", "9223371974719179007", "-9223372036854775808", "-62135596801", "99999999999", "18446744073709551616",
		"00" + strconv.FormatInt(now, 10), strings.Repeat("0", 20) + strconv.FormatInt(now, 10), strconv.FormatInt(now, 10) + ".0", "0x" + strconv.FormatInt(now, 16), "1e9", "1_000",
	} {
		t.Run(seconds, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mac := hmac.New(sha256.New, []byte(apitest.Secret))
				mac.Write([]byte(seconds + "." + string(body)))
				h := http.Header{}
				h.Set(agentphone.WebhookTimestampHeader, seconds)
				h.Set(agentphone.WebhookSignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
				require.ErrorIs(t, agentphone.VerifyWebhook(body, h, apitest.Secret), agentphone.ErrWebhookTimestamp)
			})
		})
	}
}

func TestWebhookVerifier_KeepsACopyOfItsSecrets(t *testing.T) {
	body, secrets := []byte(`{}`), []string{"whsec_new", "whsec_old"}
	v, err := agentphone.NewWebhookVerifier(secrets)
	require.NoError(t, err)
	h, err := agentphone.NewWebhookHandler(secrets, agentphone.WebhookHandlerConfig{Logger: quiet})
	require.NoError(t, err)
	copy(secrets, []string{"", "whsec_mallory"})
	for secret, want := range map[string]error{
		"whsec_new": nil, "whsec_old": nil, "whsec_mallory": agentphone.ErrWebhookBadSignature, "": agentphone.ErrWebhookBadSignature,
	} {
		require.ErrorIs(t, v.Verify(body, agentphone.SignWebhook(body, secret, time.Now())), want, secret)
		r := apitest.SignedRequest(apitest.TextEvent, "")
		r.Header = agentphone.SignWebhook([]byte(apitest.TextEvent), secret, time.Now())
		assert.Equal(t, want == nil, apitest.Serve(h, r).Code == 200, secret)
	}
}

func TestWebhookVerifier_ZeroValueRefusesEverything(t *testing.T) {
	body := []byte(`{}`)
	for _, v := range []*agentphone.WebhookVerifier{nil, {}} {
		require.ErrorIs(t, v.Verify(body, agentphone.SignWebhook(body, "", time.Now())), agentphone.ErrWebhookNoSecret)
	}
}

func FuzzVerifyWebhook_AcceptsOnlyWhatIsSigned(f *testing.F) {
	f.Add([]byte(`{}`), "sha256="+strings.Repeat("0", 64), "1776619211")
	f.Add([]byte(``), "sha256=", "")
	f.Fuzz(func(t *testing.T, body []byte, signature, timestamp string) {
		h := http.Header{agentphone.WebhookSignatureHeader: {signature}, agentphone.WebhookTimestampHeader: {timestamp}}
		if agentphone.VerifyWebhook(body, h, apitest.Secret) == nil {
			t.Fatal("an invalid signature is accepted")
		}
		if err := agentphone.VerifyWebhook(body, agentphone.SignWebhook(body, apitest.Secret, time.Now()), apitest.Secret); err != nil {
			t.Fatal(err)
		}
	})
}

func TestVerifyWebhook_RefusesInvalidSecrets(t *testing.T) {
	for _, secret := range []string{" ", "whsec_a\n", " whsec_b"} {
		t.Run(fmt.Sprintf("%q", secret), func(t *testing.T) {
			_, err := agentphone.NewWebhookVerifier([]string{secret})
			assert.Error(t, err)
			assert.ErrorIs(t, agentphone.VerifyWebhook(nil, nil, secret), agentphone.ErrValidation)
		})
	}
}

func TestWebhookVerifier_AcceptsEachOfItsSecrets(t *testing.T) {
	body := []byte(`{"event":"x"}`)
	v, err := agentphone.NewWebhookVerifier([]string{"whsec_new", "whsec_old"})
	require.NoError(t, err)
	for secret, want := range map[string]error{"whsec_new": nil, "whsec_old": nil, "whsec_older": agentphone.ErrWebhookBadSignature} {
		require.ErrorIs(t, v.Verify(body, agentphone.SignWebhook(body, secret, time.Now())), want, secret)
	}
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", v, v, v), "whsec_")

	short, err := agentphone.NewWebhookVerifier([]string{"s"}, agentphone.WithWebhookTolerance(time.Second), nil)
	require.NoError(t, err)
	require.ErrorIs(t, short.Verify(body, agentphone.SignWebhook(body, "s", time.Now().Add(-time.Minute))), agentphone.ErrWebhookTimestamp)

	for _, secrets := range [][]string{nil, {}, {""}, {"s", ""}} {
		_, err := agentphone.NewWebhookVerifier(secrets)
		require.ErrorIs(t, err, agentphone.ErrWebhookNoSecret)
	}
	_, err = agentphone.NewWebhookVerifier([]string{"s"}, agentphone.WithWebhookTolerance(0))
	require.ErrorIs(t, err, agentphone.ErrValidation)
	var zero *agentphone.WebhookVerifier
	require.ErrorIs(t, zero.Verify(body, nil), agentphone.ErrWebhookNoSecret)
}
