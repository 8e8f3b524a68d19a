package agentphone

import "context"

// RegistrationService registers the account for business messaging in the US (A2P 10DLC), without which carriers filter
// its messages.
type RegistrationService service

var (
	opRegister           = operation{name: "Registration.Register", method: "POST", path: "/v1/register"}
	opRegistrationStatus = operation{name: "Registration.Status", method: "GET", path: "/v1/register/status", idempotent: true}
)

// RegistrationType is the kind of business that registers.
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

// ContactTitle is the position of the person whom carriers may contact.
type ContactTitle string

const (
	ContactTitleCEO      ContactTitle = "ceo"
	ContactTitleCFO      ContactTitle = "cfo"
	ContactTitleCTO      ContactTitle = "cto"
	ContactTitleCOO      ContactTitle = "coo"
	ContactTitleVP       ContactTitle = "vp"
	ContactTitleGM       ContactTitle = "gm"
	ContactTitleDirector ContactTitle = "director"
	ContactTitleOther    ContactTitle = "other" // named by [RegisterParams].ContactTitleOther
)

// UseCase is a purpose of the messages.
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

// MessageVolume is the volume of messages that is expected.
type MessageVolume string

const (
	MessageVolumeLow  MessageVolume = "low"
	MessageVolumeHigh MessageVolume = "high"
)

// MessageContent is a kind of content that carriers require to be declared.
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
	PhoneNumber       string       `json:"phone_number"` // required: E.164
	ContactTitle      ContactTitle `json:"contact_title,omitzero"`
	ContactTitleOther string       `json:"contact_title_other,omitzero"` // for ContactTitleOther

	BusinessName     string           `json:"business_name,omitzero"`
	BrandName        string           `json:"brand_name,omitzero"`
	OrganizationType OrganizationType `json:"organization_type,omitzero"`
	EIN              string           `json:"ein,omitzero"` // US Employer Identification Number of a business
	WebsiteURL       string           `json:"website_url,omitzero"`
	Industry         string           `json:"industry,omitzero"`
	BusinessRegions  []string         `json:"business_regions,omitzero"`

	StreetAddress  string `json:"street_address"` // required
	StreetAddress2 string `json:"street_address_2,omitzero"`
	City           string `json:"city"`     // required
	State          string `json:"state"`    // required
	ZipCode        string `json:"zip_code"` // required
	Country        string `json:"country,omitzero"`

	PlannedNumbers    int              `json:"planned_numbers,omitzero"` // how many phone numbers will send
	Description       string           `json:"description"`              // required: what the messages are about, in 40 characters or more
	UseCases          []UseCase        `json:"use_cases"`                // required: 1 to 5
	Volume            MessageVolume    `json:"volume,omitzero"`          // MessageVolumeLow or MessageVolumeHigh
	MessageSamples    []string         `json:"message_samples"`          // required: 2 to 5 of 20 to 1,024 characters each, which name the brand
	ConsentFlow       string           `json:"consent_flow"`             // required: how people consent to the messages, in 40 characters or more
	PrivacyPolicyURL  string           `json:"privacy_policy_url,omitzero"`
	TermsOfServiceURL string           `json:"terms_of_service_url,omitzero"`
	OptInImageURL     string           `json:"opt_in_image_url"`     // required: URL of an image that shows where people consent
	Includes          []MessageContent `json:"includes,omitzero"`    // content that the messages have
	LinkSample        string           `json:"link_sample,omitzero"` // for MessageContentLinks

	// CreateSubAccount says whether to register a new sub-account, the default, or the account itself.
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

// Registration is the result of [RegistrationService.Register].
type Registration struct {
	OK             bool   `json:"ok"`
	Message        string `json:"message"`
	CampaignStatus string `json:"campaign_status"`
	SubAccountID   string `json:"sub_account_id"` // "" if none was created
	FeeCents       int    `json:"fee_cents"`      // US cents charged for the registration
}

// Register submits a registration, for which the account may be charged: see [Registration].FeeCents. Carriers decide on it within
// days.
// (POST /v1/register)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look for the registration with
// [RegistrationService.Status] before submitting it again.
func (s *RegistrationService) Register(ctx context.Context, params RegisterParams, opts ...RequestOption) (*Registration, error) {
	return do[Registration](ctx, (*service)(s), &opRegister, nil, params, opts)
}

// RegistrationStatus is the progress of a registration.
type RegistrationStatus struct {
	CampaignStatus string `json:"campaign_status"`
	Message        string `json:"message"`
	Stage          string `json:"stage"` // "" if unknown
}

// Status returns the progress of the registration. Retried. (GET /v1/register/status)
func (s *RegistrationService) Status(ctx context.Context, opts ...RequestOption) (*RegistrationStatus, error) {
	return do[RegistrationStatus](ctx, (*service)(s), &opRegistrationStatus, nil, nil, opts)
}
