package agentphonetest

import (
	"cmp"
	"net/http"
)

// registration is an application to send texts to the United States. It stays pending: in
// truth people look at it, for days.
type registration struct{ stage string }

var registrationFields = fields{
	oneOf("registration_type", "sole_proprietor", "standard_brand").required(),
	text("first_name").required().atLeast(1),
	text("last_name").required().atLeast(1),
	text("email").required().like(email),
	text("phone_number").required().like(e164),
	text("business_name").orNull(),
	text("brand_name").orNull(),
	oneOf("organization_type", "sole_proprietor", "private_corporation", "public_corporation", "llc",
		"partnership", "non_profit", "co_op", "government").orNull(),
	oneOf("contact_title", "ceo", "cfo", "cto", "coo", "vp", "gm", "director", "other").orNull(),
	text("contact_title_other").orNull(),
	text("ein").orNull(),
	text("website_url").orNull().like(webAddress),
	text("industry").orNull(),
	list("business_regions", text("")),
	text("street_address").required().atLeast(1),
	text("street_address_2").orNull(),
	text("city").required().atLeast(1),
	text("state").required().atLeast(1),
	text("zip_code").required().atLeast(1),
	text("country"),
	integer("planned_numbers").atLeast(1),
	text("description").required().atLeast(40),
	list("use_cases", oneOf("", "account_notification", "customer_care", "delivery_notification", "fraud_alert",
		"higher_education", "marketing", "polling_voting", "public_service_announcement", "security_alert",
		"two_factor_authentication")).required().atLeast(1).atMost(5),
	oneOf("volume", "low", "high"),
	list("message_samples", text("").atLeast(20).atMost(1024)).required().atLeast(2).atMost(5),
	text("consent_flow").required().atLeast(40),
	text("privacy_policy_url").orNull().like(webAddress),
	text("terms_of_service_url").orNull().like(webAddress),
	text("opt_in_image_url").required().like(webAddress),
	list("includes", oneOf("", "links", "phone_numbers", "age_gated", "direct_lending")),
	text("link_sample").orNull(),
	boolean("create_sub_account"),
}

var registrationOperations = []*operation{
	post("/v1/register", (*Server).register, registrationFields),
	get("/v1/register/status", (*Server).registrationStatus),
}

const registrationFee = 2500 // cents

// register registers a new sub-account, unless it is told not to. A sub-account has none and
// registers itself.
func (s *Server) register(in *input) (any, error) {
	kind := in.body.text("registration_type")
	if kind == "standard_brand" {
		for _, name := range []string{"business_name", "ein", "organization_type", "contact_title", "privacy_policy_url", "terms_of_service_url"} {
			if in.body.text(name) == "" {
				return nil, badField(name, name+" is required for a standard_brand")
			}
		}
	}
	a := in.account
	_, told := in.body["create_sub_account"]
	var subAccountID any
	switch {
	case in.body.flag("create_sub_account") || !told && a.parent == nil:
		if err := a.oneLevel(); err != nil {
			return nil, err
		}
		name := in.body.text("first_name") + " " + in.body.text("last_name")
		a = s.addSubAccount(a, cmp.Or(in.body.text("brand_name"), in.body.text("business_name"), name))
		subAccountID = a.id
	case a.registration != nil:
		return nil, refuse(http.StatusConflict, "A registration exists already")
	}
	a.registration = &registration{stage: "campaign_review"}
	return object{
		"ok": true, "message": "Registration submitted.", "campaign_status": "pending",
		"sub_account_id": subAccountID, "fee_cents": registrationFee,
	}, nil
}

func (s *Server) registrationStatus(in *input) (any, error) {
	if r := in.account.registration; r != nil {
		return object{"campaign_status": "pending", "message": "The registration is in review.", "stage": r.stage}, nil
	}
	return object{"campaign_status": "none", "message": "There is no registration.", "stage": nil}, nil
}
