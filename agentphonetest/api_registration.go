package agentphonetest

import (
	"cmp"
	"net/http"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// registrationFields describe an application to send texts in the United States.
var registrationFields = schema.Fields{
	schema.Enum("registration_type", "sole_proprietor", "standard_brand").Required(),
	schema.Text("first_name").Required().Min(1),
	schema.Text("last_name").Required().Min(1),
	schema.Text("email").Required().Format(schema.Email),
	schema.Text("phone_number").Required().Format(e164Format),
	schema.Text("business_name").Nullable(),
	schema.Text("brand_name").Nullable(),
	schema.Enum("organization_type", "sole_proprietor", "private_corporation", "public_corporation", "llc",
		"partnership", "non_profit", "co_op", "government").Nullable(),
	schema.Enum("contact_title", "ceo", "cfo", "cto", "coo", "vp", "gm", "director", "other").Nullable(),
	schema.Text("contact_title_other").Nullable(),
	schema.Text("ein").Nullable(),
	schema.Text("website_url").Nullable().Format(schema.URL),
	schema.Text("industry").Nullable(),
	schema.List("business_regions", schema.Text("")),
	schema.Text("street_address").Required().Min(1),
	schema.Text("street_address_2").Nullable(),
	schema.Text("city").Required().Min(1),
	schema.Text("state").Required().Min(1),
	schema.Text("zip_code").Required().Min(1),
	schema.Text("country"),
	schema.Integer("planned_numbers").Min(1),
	schema.Text("description").Required().Min(40),
	schema.List("use_cases", schema.Enum("", "account_notification", "customer_care", "delivery_notification", "fraud_alert",
		"higher_education", "marketing", "polling_voting", "public_service_announcement", "security_alert",
		"two_factor_authentication")).Required().Min(1).Max(5),
	schema.Enum("volume", "low", "high"),
	schema.List("message_samples", schema.Text("").Min(20).Max(1024)).Required().Min(2).Max(5),
	schema.Text("consent_flow").Required().Min(40),
	schema.Text("privacy_policy_url").Nullable().Format(schema.URL),
	schema.Text("terms_of_service_url").Nullable().Format(schema.URL),
	schema.Text("opt_in_image_url").Required().Format(schema.URL),
	schema.List("includes", schema.Enum("", "links", "phone_numbers", "age_gated", "direct_lending")),
	schema.Text("link_sample").Nullable(),
	schema.Boolean("create_sub_account"),
}

var registrationOperations = []*operation{
	post("/v1/register", (*Server).register, registrationFields),
	get("/v1/register/status", (*Server).registrationStatus),
}

const registrationFee = 2500 // cents

// register registers a new sub-account, unless create_sub_account is false. A sub-account, which cannot have
// sub-accounts, registers itself.
func (s *Server) register(in *input) (any, error) {
	kind := in.body.Text("registration_type")
	if kind == "standard_brand" {
		for _, name := range []string{"business_name", "ein", "organization_type", "contact_title", "privacy_policy_url", "terms_of_service_url"} {
			if in.body.Text(name) == "" {
				return nil, invalidField(name, name+" is required for a standard_brand")
			}
		}
	}
	a := in.account
	_, given := in.body["create_sub_account"]
	var subAccountID any
	switch {
	case in.body.Bool("create_sub_account") || !given && a.parent == nil:
		if err := a.checkParent(); err != nil {
			return nil, err
		}
		name := in.body.Text("first_name") + " " + in.body.Text("last_name")
		a = s.addSubAccount(a, cmp.Or(in.body.Text("brand_name"), in.body.Text("business_name"), name))
		subAccountID = a.id
	case a.registered:
		return nil, refuse(http.StatusConflict, "A registration exists already")
	}
	s.charge("POST /v1/register", 1, registrationFee*10)
	a.registered = true
	return object{
		"ok": true, "message": "Registration submitted.", "campaign_status": "pending",
		"sub_account_id": subAccountID, "fee_cents": registrationFee,
	}, nil
}

// registrationStatus is pending once there is a registration, and stays so: people review it, which takes days.
func (s *Server) registrationStatus(in *input) (any, error) {
	if in.account.registered {
		return object{"campaign_status": "pending", "message": "The registration is in review.", "stage": "campaign_review"}, nil
	}
	return object{"campaign_status": "none", "message": "There is no registration.", "stage": nil}, nil
}
