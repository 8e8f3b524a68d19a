package agentphone

import "context"

// RegistrationService registers the account for business texting in the US (A2P 10DLC), without
// which carriers filter its messages.
type RegistrationService service

var (
	opRegister           = operation{method: "POST", path: "/v1/register"}
	opRegistrationStatus = operation{method: "GET", path: "/v1/register/status", idempotent: true}
)

// RegistrationType is who registers.
type RegistrationType string

const (
	RegistrationSoleProprietor RegistrationType = "sole_proprietor"
	RegistrationStandardBrand  RegistrationType = "standard_brand"
)

// OrganizationType is the legal form of a business.
type OrganizationType string

const (
	OrganizationSoleProprietor     OrganizationType = "sole_proprietor"
	OrganizationPrivateCorporation OrganizationType = "private_corporation"
	OrganizationPublicCorporation  OrganizationType = "public_corporation"
	OrganizationLLC                OrganizationType = "llc"
	OrganizationPartnership        OrganizationType = "partnership"
	OrganizationNonProfit          OrganizationType = "non_profit"
	OrganizationCoOp               OrganizationType = "co_op"
	OrganizationGovernment         OrganizationType = "government"
)

// ContactTitle is the position of the person who registers.
type ContactTitle string

const (
	ContactTitleCEO      ContactTitle = "ceo"
	ContactTitleCFO      ContactTitle = "cfo"
	ContactTitleCTO      ContactTitle = "cto"
	ContactTitleCOO      ContactTitle = "coo"
	ContactTitleVP       ContactTitle = "vp"
	ContactTitleGM       ContactTitle = "gm"
	ContactTitleDirector ContactTitle = "director"
	ContactTitleOther    ContactTitle = "other" // name it in RegisterParams.ContactTitleOther
)

// UseCase is what the messages are for.
type UseCase string

const (
	UseCaseAccountNotification       UseCase = "account_notification"
	UseCaseCustomerCare              UseCase = "customer_care"
	UseCaseDeliveryNotification      UseCase = "delivery_notification"
	UseCaseFraudAlert                UseCase = "fraud_alert"
	UseCaseHigherEducation           UseCase = "higher_education"
	UseCaseMarketing                 UseCase = "marketing"
	UseCasePollingVoting             UseCase = "polling_voting"
	UseCasePublicServiceAnnouncement UseCase = "public_service_announcement"
	UseCaseSecurityAlert             UseCase = "security_alert"
	UseCaseTwoFactorAuthentication   UseCase = "two_factor_authentication"
)

// MessageVolume is how much is sent.
type MessageVolume string

const (
	MessageVolumeLow  MessageVolume = "low"
	MessageVolumeHigh MessageVolume = "high"
)

// MessageContent is something that carriers want to know of in messages.
type MessageContent string

const (
	MessageContentLinks         MessageContent = "links"
	MessageContentPhoneNumbers  MessageContent = "phone_numbers"
	MessageContentAgeGated      MessageContent = "age_gated"
	MessageContentDirectLending MessageContent = "direct_lending"
)

// RegisterParams are the parameters of [RegistrationService.Register].
type RegisterParams struct {
	RegistrationType RegistrationType `json:"registration_type"` // required

	FirstName         string       `json:"first_name"`   // required
	LastName          string       `json:"last_name"`    // required
	Email             string       `json:"email"`        // required
	PhoneNumber       string       `json:"phone_number"` // required
	ContactTitle      ContactTitle `json:"contact_title,omitzero"`
	ContactTitleOther string       `json:"contact_title_other,omitzero"`

	BusinessName     string           `json:"business_name,omitzero"`
	BrandName        string           `json:"brand_name,omitzero"`
	OrganizationType OrganizationType `json:"organization_type,omitzero"`
	EIN              string           `json:"ein,omitzero"` // the US tax number of a business
	WebsiteURL       string           `json:"website_url,omitzero"`
	Industry         string           `json:"industry,omitzero"`
	BusinessRegions  []string         `json:"business_regions,omitzero"`

	StreetAddress  string `json:"street_address"` // required
	StreetAddress2 string `json:"street_address_2,omitzero"`
	City           string `json:"city"`     // required
	State          string `json:"state"`    // required
	ZipCode        string `json:"zip_code"` // required
	Country        string `json:"country,omitzero"`

	PlannedNumbers    int              `json:"planned_numbers,omitzero"`
	Description       string           `json:"description"`     // required, 40 characters or more: what the messages are about
	UseCases          []UseCase        `json:"use_cases"`       // required: 1 to 5
	Volume            MessageVolume    `json:"volume,omitzero"` // MessageVolumeLow or High
	MessageSamples    []string         `json:"message_samples"` // required: 2 to 5, of 20 to 1024 characters each, with the brand's name
	ConsentFlow       string           `json:"consent_flow"`    // required, 40 characters or more: how people agree to be messaged
	PrivacyPolicyURL  string           `json:"privacy_policy_url,omitzero"`
	TermsOfServiceURL string           `json:"terms_of_service_url,omitzero"`
	OptInImageURL     string           `json:"opt_in_image_url"` // required: a picture of where they agree
	Includes          []MessageContent `json:"includes,omitzero"`
	LinkSample        string           `json:"link_sample,omitzero"`

	// CreateSubAccount registers a new sub-account (the API's default) or, if false, the account itself.
	CreateSubAccount *bool `json:"create_sub_account,omitzero"`
}

func (p RegisterParams) validate() error {
	for _, f := range []struct{ name, value string }{
		{"registration_type", string(p.RegistrationType)},
		{"first_name", p.FirstName}, {"last_name", p.LastName}, {"email", p.Email}, {"phone_number", p.PhoneNumber},
		{"street_address", p.StreetAddress}, {"city", p.City}, {"state", p.State}, {"zip_code", p.ZipCode},
		{"description", p.Description}, {"consent_flow", p.ConsentFlow}, {"opt_in_image_url", p.OptInImageURL},
	} {
		if err := required(f.name, f.value); err != nil {
			return err
		}
	}
	switch {
	case len(p.UseCases) == 0:
		return &ValidationError{"use_cases", "is required"}
	case len(p.MessageSamples) == 0:
		return &ValidationError{"message_samples", "is required"}
	}
	return inRange("planned_numbers", p.PlannedNumbers, 0)
}

// Registration is the answer to [RegistrationService.Register].
type Registration struct {
	OK             bool   `json:"ok"`
	Message        string `json:"message"`
	CampaignStatus string `json:"campaign_status"`
	SubAccountID   string `json:"sub_account_id"` // "" if none was created
	FeeCents       int    `json:"fee_cents"`      // US cents charged for the registration
}

// Register hands in a registration, which may cost a fee; carriers decide on it within days.
// (POST /v1/register)
//
// Acts once: after [ErrOutcomeUnknown] look with Status before registering again.
func (s *RegistrationService) Register(ctx context.Context, params RegisterParams, opts ...RequestOption) (*Registration, error) {
	return do[Registration](ctx, (*service)(s), &opRegister, nil, params, opts)
}

// RegistrationStatus is how far a registration is.
type RegistrationStatus struct {
	CampaignStatus string `json:"campaign_status"`
	Message        string `json:"message"`
	Stage          string `json:"stage"` // "" if unknown
}

// Status returns how far the registration is. Retried. (GET /v1/register/status)
func (s *RegistrationService) Status(ctx context.Context, opts ...RequestOption) (*RegistrationStatus, error) {
	return do[RegistrationStatus](ctx, (*service)(s), &opRegistrationStatus, nil, nil, opts)
}
