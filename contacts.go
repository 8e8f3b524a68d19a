package agentphone

import (
	"cmp"
	"context"
	"iter"
)

// ContactsService keeps the account's address book.
type ContactsService service

var (
	opListContacts        = operation{method: "GET", path: "/v1/contacts", idempotent: true}
	opCreateContact       = operation{method: "POST", path: "/v1/contacts"}
	opGetContact          = operation{method: "GET", path: "/v1/contacts/{contact_id}", idempotent: true}
	opUpdateContact       = operation{method: "PATCH", path: "/v1/contacts/{contact_id}", idempotent: true}
	opDeleteContact       = operation{method: "DELETE", path: "/v1/contacts/{contact_id}", idempotent: true, emptyOK: true}
	opContactCapabilities = operation{method: "GET", path: "/v1/contacts/capabilities", idempotent: true}
)

// Contact is a person with a phone number.
type Contact struct {
	ID          string    `json:"id"`
	PhoneNumber string    `json:"phoneNumber"`
	Name        string    `json:"name"`
	Email       string    `json:"email"`
	Notes       string    `json:"notes"`
	CreatedAt   Timestamp `json:"createdAt"`
	UpdatedAt   Timestamp `json:"updatedAt"`
}

const maxContactsPage = 200

// ListContactsParams are the parameters of [ContactsService.List] and All.
type ListContactsParams struct {
	Limit  int    `url:"limit,omitempty"` // 1 to 200; the API's default is 50, that of All 200
	Offset int    `url:"offset,omitempty"`
	Search string `url:"search,omitempty"`
}

func (p ListContactsParams) validate() error { return checkPage(p.Limit, maxContactsPage, p.Offset) }

// List returns one page of the contacts. Retried. (GET /v1/contacts)
func (s *ContactsService) List(ctx context.Context, params ListContactsParams, opts ...RequestOption) (*Page[Contact], error) {
	return list[Contact](ctx, (*service)(s), &opListContacts, nil, params, params.Offset, opts)
}

// All iterates over the contacts. (GET /v1/contacts)
func (s *ContactsService) All(ctx context.Context, params ListContactsParams, opts ...RequestOption) iter.Seq2[Contact, error] {
	return allByOffset(params.Offset, cmp.Or(params.Limit, maxContactsPage), func(c *Contact) string { return c.ID },
		func(offset, limit int) (*Page[Contact], error) {
			return s.List(ctx, ListContactsParams{Limit: limit, Offset: offset, Search: params.Search}, opts...)
		})
}

// Get returns a contact. Retried. (GET /v1/contacts/{contact_id})
func (s *ContactsService) Get(ctx context.Context, contactID string, opts ...RequestOption) (*Contact, error) {
	return do[Contact](ctx, (*service)(s), &opGetContact, []string{contactID}, nil, opts)
}

// CreateContactParams are the parameters of [ContactsService.Create].
type CreateContactParams struct {
	PhoneNumber string `json:"phoneNumber"` // required: E.164
	Name        string `json:"name"`        // required
	Email       string `json:"email,omitzero"`
	Notes       string `json:"notes,omitzero"`
}

func (p CreateContactParams) validate() error {
	return firstOf(requiredE164("phoneNumber", p.PhoneNumber), required("name", p.Name))
}

// Create adds a contact. [ErrConflict]: another one has the number. (POST /v1/contacts)
//
// Acts once: after [ErrOutcomeUnknown] look for the number with List before adding it again.
func (s *ContactsService) Create(ctx context.Context, params CreateContactParams, opts ...RequestOption) (*Contact, error) {
	return do[Contact](ctx, (*service)(s), &opCreateContact, nil, params, opts)
}

// UpdateContactParams are the parameters of [ContactsService.Update].
type UpdateContactParams struct {
	PhoneNumber Optional[string] `json:"phoneNumber,omitzero"` // E.164
	Name        Optional[string] `json:"name,omitzero"`
	Email       Optional[string] `json:"email,omitzero"`
	Notes       Optional[string] `json:"notes,omitzero"`
}

func (p UpdateContactParams) validate() error {
	number, _ := p.PhoneNumber.Get()
	return optionalE164("phoneNumber", number)
}

// Update changes the fields that are set and leaves the others. Retried.
// (PATCH /v1/contacts/{contact_id})
func (s *ContactsService) Update(ctx context.Context, contactID string, params UpdateContactParams, opts ...RequestOption) (*Contact, error) {
	return do[Contact](ctx, (*service)(s), &opUpdateContact, []string{contactID}, params, opts)
}

// Delete removes a contact. Retried: if the answer to a first attempt was lost, the error of the second
// is [ErrNotFound]. (DELETE /v1/contacts/{contact_id})
func (s *ContactsService) Delete(ctx context.Context, contactID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteContact, []string{contactID}, nil, opts)
}

// ContactCapabilities says how a phone number can be messaged.
type ContactCapabilities struct {
	PhoneNumber  string          `json:"phoneNumber"`
	Capabilities CapabilityFlags `json:"capabilities"`
	CheckedAt    Timestamp       `json:"checkedAt"`
}

// CapabilityFlags are the channels that reach a phone number.
type CapabilityFlags struct {
	IMessage bool `json:"imessage"`
	SMS      bool `json:"sms"`
}

type capabilitiesParams struct {
	PhoneNumber string `url:"phone_number"`
}

func (p capabilitiesParams) validate() error { return required("phone_number", p.PhoneNumber) }

// Capabilities asks whether a phone number, best in E.164 form, takes iMessages or only SMS. It need not
// be a contact's. Retried. (GET /v1/contacts/capabilities)
func (s *ContactsService) Capabilities(ctx context.Context, phoneNumber string, opts ...RequestOption) (*ContactCapabilities, error) {
	return do[ContactCapabilities](ctx, (*service)(s), &opContactCapabilities, nil, capabilitiesParams{phoneNumber}, opts)
}
