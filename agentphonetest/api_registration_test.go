package agentphonetest_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	agentphone "github.com/agentphone/agentphone-go"
)

func registration() fields {
	return fields{
		"registration_type": "sole_proprietor", "first_name": "Ada", "last_name": "L", "email": "ada@example.com",
		"phone_number": person, "street_address": "1 Main St", "city": "Oakland", "state": "CA", "zip_code": "94601",
		"description": strings.Repeat("d", 40), "use_cases": []string{"customer_care"}, "message_samples": []string{strings.Repeat("a", 20), strings.Repeat("b", 1024)},
		"consent_flow": strings.Repeat("c", 40), "opt_in_image_url": "https://example.com/opt-in.png",
	}
}

func TestRegistration_IsValidatedAndThenPending(t *testing.T) {
	client := newServer(t).Client()
	assert.Equal(t, "none", request(t, client, "GET", "/v1/register/status", nil)["campaign_status"])
	sample := strings.Repeat("s", 20)
	for _, samples := range [][]string{{sample[1:], sample}, {sample, strings.Repeat("s", 1025)}, {sample, sample, sample, sample, sample, sample}} {
		t.Run(fmt.Sprint(len(samples), " samples, the last of ", len(samples[len(samples)-1])), func(t *testing.T) {
			body := registration()
			body["message_samples"] = samples
			require.ErrorIs(t, refused(t, client, "POST", "/v1/register", body), agentphone.ErrValidation)
		})
	}
	for name, wrong := range map[string]any{
		"description": "short", "consent_flow": strings.Repeat("c", 39), "message_samples": []string{sample}, "use_cases": []string{},
		"registration_type": "big", "volume": "some", "includes": []string{"cats"}, "email": "ada", "phone_number": "1",
		"opt_in_image_url": "here", "city": nil, "organization_type": "club", "planned_numbers": 0,
	} {
		t.Run(name, func(t *testing.T) {
			body := registration()
			body[name] = wrong
			var apiErr *agentphone.APIError
			require.ErrorAs(t, refused(t, client, "POST", "/v1/register", body), &apiErr, name)
			assert.Equal(t, 422, apiErr.StatusCode, name)
			require.Len(t, apiErr.Details, 1, name)
			assert.True(t, strings.HasPrefix(apiErr.Details[0].Field, name), apiErr.Details[0].Field)
		})
	}
	brand := registration()
	brand["registration_type"] = "standard_brand"
	maps.Copy(brand, fields{
		"business_name": "Tea Ltd", "ein": "12-3456789", "organization_type": "llc", "contact_title": "ceo",
		"privacy_policy_url": "https://example.com/privacy", "terms_of_service_url": "https://example.com/terms", "create_sub_account": true,
	})
	for _, name := range []string{"business_name", "ein", "organization_type", "contact_title", "privacy_policy_url", "terms_of_service_url"} {
		t.Run("without "+name, func(t *testing.T) {
			without := maps.Clone(brand)
			delete(without, name)
			require.ErrorIs(t, refused(t, client, "POST", "/v1/register", without), agentphone.ErrValidation, name)
		})
	}
	made := request(t, client, "POST", "/v1/register", brand)
	id := made["sub_account_id"].(string)
	assert.Equal(t, "pending", request(t, client.ForSubAccount(id), "GET", "/v1/register/status", nil)["campaign_status"])

	own := registration()
	own["create_sub_account"] = false
	assert.Nil(t, request(t, client, "POST", "/v1/register", own)["sub_account_id"])
	assert.Equal(t, "pending", request(t, client, "GET", "/v1/register/status", nil)["campaign_status"])
	require.ErrorIs(t, refused(t, client, "POST", "/v1/register", own), agentphone.ErrConflict)
}

func TestRegistration_CreatesASubAccountByDefault(t *testing.T) {
	client := newServer(t).Client(agentphone.WithMaxRetries(0))
	made := request(t, client, "POST", "/v1/register", registration())
	assert.EqualValues(t, 2500, made["fee_cents"])
	id, _ := made["sub_account_id"].(string)
	require.NotEmpty(t, id)
	assert.Equal(t, "none", request(t, client, "GET", "/v1/register/status", nil)["campaign_status"])
	sub := client.ForSubAccount(id)
	assert.Equal(t, "pending", request(t, sub, "GET", "/v1/register/status", nil)["campaign_status"])
	require.ErrorIs(t, refused(t, sub, "POST", "/v1/register", registration()), agentphone.ErrConflict, "it cannot have sub-accounts, so it is registered itself")

	own := registration()
	own["create_sub_account"] = false
	assert.Nil(t, request(t, client, "POST", "/v1/register", own)["sub_account_id"])
}
