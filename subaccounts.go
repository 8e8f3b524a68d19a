package agentphone

import (
	"cmp"
	"context"
	"iter"
)

// SubAccountsService manages sub-accounts, whose agents, numbers and messages are separate from the account's.
// [Client.ForSubAccount] returns a client that acts on one. A sub-account has no sub-accounts.
type SubAccountsService service

var (
	opListSubAccounts  = operation{method: "GET", path: "/v1/sub-accounts", idempotent: true}
	opCreateSubAccount = operation{method: "POST", path: "/v1/sub-accounts", find: findBy(findSubAccount)}
	opUpdateSubAccount = operation{method: "PATCH", path: "/v1/sub-accounts/{sub_account_id}", idempotent: true}
	opDeleteSubAccount = operation{method: "DELETE", path: "/v1/sub-accounts/{sub_account_id}", idempotent: true, emptyOK: true}
)

// SubAccount is a part of the account with agents, numbers and messages of its own.
type SubAccount struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Status    string    `json:"status"` // such as "active"
	CreatedAt Timestamp `json:"createdAt"`
}

const maxSubAccountsPage = 500

// ListSubAccountsParams are the parameters of [SubAccountsService.List] and [SubAccountsService.All].
type ListSubAccountsParams struct {
	Limit     int `url:"limit,omitempty"`      // page size, 1 to 500; if 0 the API decides, and it is 500 for All
	Offset    int `url:"offset,omitempty"`     // number of sub-accounts to skip
	StatsDays int `url:"stats_days,omitempty"` // number of days that the API's statistics cover; if 0 the API decides
}

func (p ListSubAccountsParams) validate() error {
	return firstOf(checkPage(p.Limit, maxSubAccountsPage, p.Offset), inRange("stats_days", p.StatsDays, 0))
}

// List returns one page of the account's sub-accounts. Retried. (GET /v1/sub-accounts)
func (s *SubAccountsService) List(ctx context.Context, params ListSubAccountsParams, opts ...RequestOption) (*Page[SubAccount], error) {
	return list[SubAccount](ctx, (*service)(s), &opListSubAccounts, nil, params, params.Offset, opts)
}

// All iterates over the account's sub-accounts, and requests one page at a time. Retried. (GET /v1/sub-accounts)
func (s *SubAccountsService) All(ctx context.Context, params ListSubAccountsParams, opts ...RequestOption) iter.Seq2[SubAccount, error] {
	return allByOffset(params.Offset, cmp.Or(params.Limit, maxSubAccountsPage), func(a *SubAccount) string { return a.ID },
		func(offset, limit int) (*Page[SubAccount], error) {
			return s.List(ctx, ListSubAccountsParams{Limit: limit, Offset: offset, StatsDays: params.StatsDays}, opts...)
		})
}

// CreateSubAccountParams are the parameters of [SubAccountsService.Create].
type CreateSubAccountParams struct {
	Name string `json:"name"` // required
}

func (p CreateSubAccountParams) validate() error { return required("name", p.Name) }

// Create creates a sub-account. (POST /v1/sub-accounts)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look for the name with
// [SubAccountsService.All] before you create the sub-account again.
func (s *SubAccountsService) Create(ctx context.Context, params CreateSubAccountParams, opts ...RequestOption) (*SubAccount, error) {
	return do[SubAccount](ctx, (*service)(s), &opCreateSubAccount, nil, params, opts)
}

// UpdateSubAccountParams are the parameters of [SubAccountsService.Update].
type UpdateSubAccountParams struct {
	Name string `json:"name"` // required
}

func (p UpdateSubAccountParams) validate() error { return required("name", p.Name) }

// Update renames a sub-account. Retried. (PATCH /v1/sub-accounts/{sub_account_id})
func (s *SubAccountsService) Update(ctx context.Context, subAccountID string, params UpdateSubAccountParams, opts ...RequestOption) (*SubAccount, error) {
	return do[SubAccount](ctx, (*service)(s), &opUpdateSubAccount, []string{subAccountID}, params, opts)
}

// Delete deletes a sub-account. Retried. (DELETE /v1/sub-accounts/{sub_account_id})
func (s *SubAccountsService) Delete(ctx context.Context, subAccountID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteSubAccount, []string{subAccountID}, nil, opts)
}
