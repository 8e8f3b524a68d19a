package agentphone

import (
	"cmp"
	"context"
	"iter"
)

// ContactsService manages the account's contacts.
type ContactsService service

var (
	opListContacts        = operation{name: "Contacts.List", method: "GET", path: "/v1/contacts", idempotent: true}
	opCreateContact       = operation{name: "Contacts.Create", method: "POST", path: "/v1/contacts", find: findBy(findContact)}
	opGetContact          = operation{name: "Contacts.Get", method: "GET", path: "/v1/contacts/{contact_id}", idempotent: true}
	opUpdateContact       = operation{name: "Contacts.Update", method: "PATCH", path: "/v1/contacts/{contact_id}", idempotent: true}
	opDeleteContact       = operation{name: "Contacts.Delete", method: "DELETE", path: "/v1/contacts/{contact_id}", idempotent: true, emptyOK: true}
	opContactCapabilities = operation{name: "Contacts.Capabilities", method: "GET", path: "/v1/contacts/capabilities", idempotent: true}
)

// Contact is a person in the account's address book. No two contacts have the same phone number.
type Contact struct {
	ID          string    `json:"id"`
	PhoneNumber string    `json:"phoneNumber"` // E.164
	Name        string    `json:"name"`
	Email       string    `json:"email"`
	Notes       string    `json:"notes"`
	CreatedAt   Timestamp `json:"createdAt"`
	UpdatedAt   Timestamp `json:"updatedAt"`
}

const maxContactsPage = 200

// ListContactsParams are the parameters of [ContactsService.List] and [ContactsService.All].
type ListContactsParams struct {
	Limit  int    `url:"limit,omitempty"`  // page size, 1 to 200; the default is 50, and 200 for All
	Offset int    `url:"offset,omitempty"` // number of contacts to skip
	Search string `url:"search,omitempty"`
}

func (p ListContactsParams) validate() error { return checkPage(p.Limit, maxContactsPage, p.Offset) }

// List returns one page of the account's contacts. Retried. (GET /v1/contacts)
func (s *ContactsService) List(ctx context.Context, params ListContactsParams, opts ...RequestOption) (*Page[Contact], error) {
	return list[Contact](ctx, (*service)(s), &opListContacts, nil, params, params.Offset, opts)
}

// All iterates over the account's contacts. Retried. (GET /v1/contacts)
func (s *ContactsService) All(ctx context.Context, params ListContactsParams, opts ...RequestOption) iter.Seq2[Contact, error] {
	return allByOffset(params.Offset, cmp.Or(params.Limit, maxContactsPage), func(c *Contact) string { return c.ID },
		func(offset, limit int) (*Page[Contact], error) {
			return s.List(ctx, ListContactsParams{Limit: limit, Offset: offset, Search: params.Search}, opts...)
		})
}

// Get returns a contact. It fails with [ErrNotFound] if there is none with that id. Retried.
// (GET /v1/contacts/{contact_id})
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

// Create creates a contact. It fails with [ErrConflict] if another contact has the number. (POST /v1/contacts)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look for the number with
// [ContactsService.List] before creating the contact again.
func (s *ContactsService) Create(ctx context.Context, params CreateContactParams, opts ...RequestOption) (*Contact, error) {
	return do[Contact](ctx, (*service)(s), &opCreateContact, nil, params, opts)
}

// UpdateContactParams are the parameters of [ContactsService.Update]. Absent fields are not changed.
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

// Update changes the fields of a contact that are set in params and leaves the others as they are. Retried.
// (PATCH /v1/contacts/{contact_id})
func (s *ContactsService) Update(ctx context.Context, contactID string, params UpdateContactParams, opts ...RequestOption) (*Contact, error) {
	return do[Contact](ctx, (*service)(s), &opUpdateContact, []string{contactID}, params, opts)
}

// Delete deletes a contact. Retried: after a lost response, a retry that finds nothing
// left to delete succeeds. (DELETE /v1/contacts/{contact_id})
func (s *ContactsService) Delete(ctx context.Context, contactID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteContact, []string{contactID}, nil, opts)
}

// ContactCapabilities says how a phone number can be messaged.
type ContactCapabilities struct {
	PhoneNumber  string          `json:"phoneNumber"` // E.164
	Capabilities CapabilityFlags `json:"capabilities"`
	CheckedAt    Timestamp       `json:"checkedAt"`
}

// CapabilityFlags report which channels reach a phone number.
type CapabilityFlags struct {
	IMessage bool `json:"imessage"`
	SMS      bool `json:"sms"`
}

type capabilitiesParams struct {
	PhoneNumber string `url:"phone_number"`
}

func (p capabilitiesParams) validate() error { return required("phone_number", p.PhoneNumber) }

// Capabilities returns by which channels a phone number can be messaged. The number should be in E.164 form and need
// not be that of a contact. The API accepts 60 requests a minute and 1,000 a day. Retried. (GET /v1/contacts/capabilities)
func (s *ContactsService) Capabilities(ctx context.Context, phoneNumber string, opts ...RequestOption) (*ContactCapabilities, error) {
	return do[ContactCapabilities](ctx, (*service)(s), &opContactCapabilities, nil, capabilitiesParams{phoneNumber}, opts)
}
