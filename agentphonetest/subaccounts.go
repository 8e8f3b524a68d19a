package agentphonetest

import (
	"net/http"
	"slices"
)

const subAccountPath = "/v1/sub-accounts/{sub_account_id}"

var subAccountName = fields{text("name").required().atLeast(1)}

var subAccountOperations = []*operation{
	get("/v1/sub-accounts", (*Server).listSubAccounts, append(page(500), integer("stats_days").atLeast(1))...),
	post("/v1/sub-accounts", (*Server).createSubAccount, subAccountName),
	patch(subAccountPath, (*Server).updateSubAccount, subAccountName),
	remove(subAccountPath, (*Server).deleteSubAccount),
}

func (a *account) subAccountView() object {
	return object{"id": a.id, "name": a.name, "status": "active", "createdAt": stamp(a.created)}
}

// oneLevel refuses sub-accounts of sub-accounts.
func (a *account) oneLevel() error {
	if a.parent != nil {
		return refuse(http.StatusForbidden, "A sub-account cannot have sub-accounts")
	}
	return nil
}

// addSubAccount makes an account with nothing in it, which is reached by its parent's key.
func (s *Server) addSubAccount(parent *account, name string) *account {
	sub := &account{id: s.id("sub"), name: name, parent: parent, created: now()}
	parent.subAccounts.add(sub)
	s.accounts = append(s.accounts, sub)
	return sub
}

func (s *Server) listSubAccounts(in *input) (any, error) {
	if err := in.account.oneLevel(); err != nil {
		return nil, err
	}
	return pageOf(in.account.subAccounts.list, in.query, defaultPage, (*account).subAccountView), nil
}

func (s *Server) createSubAccount(in *input) (any, error) {
	if err := in.account.oneLevel(); err != nil {
		return nil, err
	}
	return s.addSubAccount(in.account, in.body.text("name")).subAccountView(), nil
}

// subAccount finds the one that the path names.
func (in *input) subAccount() (*account, error) {
	if err := in.account.oneLevel(); err != nil {
		return nil, err
	}
	sub, ok := in.account.subAccounts.get(in.path("sub_account_id"))
	if !ok {
		return nil, notFound("Sub-account")
	}
	return sub, nil
}

func (s *Server) updateSubAccount(in *input) (any, error) {
	sub, err := in.subAccount()
	if err != nil {
		return nil, err
	}
	sub.name = in.body.text("name")
	return sub.subAccountView(), nil
}

// deleteSubAccount takes all that the sub-account holds with it.
func (s *Server) deleteSubAccount(in *input) (any, error) {
	sub, err := in.subAccount()
	if err != nil {
		return nil, err
	}
	in.account.subAccounts.remove(sub.id)
	s.accounts = slices.DeleteFunc(s.accounts, func(a *account) bool { return a == sub })
	return succeeded, nil
}
