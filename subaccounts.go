package agentphone

import (
	"cmp"
	"context"
	"iter"
)

// SubAccountsService manages sub-accounts, whose agents, numbers and messages are apart from the
// account's. [Client.ForSubAccount] is a client for one. There is one level of them.
type SubAccountsService service

var (
	opListSubAccounts  = operation{method: "GET", path: "/v1/sub-accounts", idempotent: true}
	opCreateSubAccount = operation{method: "POST", path: "/v1/sub-accounts"}
	opUpdateSubAccount = operation{method: "PATCH", path: "/v1/sub-accounts/{sub_account_id}", idempotent: true}
	opDeleteSubAccount = operation{method: "DELETE", path: "/v1/sub-accounts/{sub_account_id}", idempotent: true, emptyOK: true}
)

// SubAccount is a part of the account.
type SubAccount struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Status    string    `json:"status"`
	CreatedAt Timestamp `json:"createdAt"`
}

const maxSubAccountsPage = 500

// ListSubAccountsParams are the parameters of [SubAccountsService.List] and All.
type ListSubAccountsParams struct {
	Limit     int `url:"limit,omitempty"` // 1 to 500; All asks for 500
	Offset    int `url:"offset,omitempty"`
	StatsDays int `url:"stats_days,omitempty"` // days that the API's statistics look back
}

func (p ListSubAccountsParams) validate() error {
	return firstOf(checkPage(p.Limit, maxSubAccountsPage, p.Offset), inRange("stats_days", p.StatsDays, 0))
}

// List returns one page of the sub-accounts. Retried. (GET /v1/sub-accounts)
func (s *SubAccountsService) List(ctx context.Context, params ListSubAccountsParams, opts ...RequestOption) (*Page[SubAccount], error) {
	return list[SubAccount](ctx, (*service)(s), &opListSubAccounts, nil, params, params.Offset, opts)
}

// All iterates over the sub-accounts. (GET /v1/sub-accounts)
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

// Create makes a sub-account. (POST /v1/sub-accounts)
//
// Acts once: after [ErrOutcomeUnknown] look for the name with List before creating it again.
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

// Delete deletes a sub-account. Retried: if the answer to a first attempt was lost, the error of the second
// is [ErrNotFound]. (DELETE /v1/sub-accounts/{sub_account_id})
func (s *SubAccountsService) Delete(ctx context.Context, subAccountID string, opts ...RequestOption) error {
	return call(ctx, (*service)(s), &opDeleteSubAccount, []string{subAccountID}, nil, opts)
}
