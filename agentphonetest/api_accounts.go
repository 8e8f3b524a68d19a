package agentphonetest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// account is all that one key gives access to. A sub-account is an account with a parent and
// without a key.
type account struct {
	id            string
	name          string
	email         string
	key           string
	parent        *account
	created       time.Time
	agents        store[*agent]
	numbers       store[*phone]
	conversations store[*conversation]
	messages      store[*message]
	calls         store[*call]
	contacts      store[*contact]
	webhook       *webhook
	deliveries    []*delivery
	subAccounts   store[*account]
	registration  *registration
}

func (a *account) ident() string { return a.id }

// openAccount makes an account as a verified sign-up does: with an agent, a number and a key. The caller
// holds s.mu, or is NewServer.
func (s *Server) openAccount(email, agentName string) *account {
	a := &account{id: s.id("acct"), email: strings.ToLower(email), created: now()}
	a.key = s.secret("sk_live")
	s.keys[a.key] = a
	s.accounts = append(s.accounts, a)
	if agentName == "" {
		agentName = "My agent"
	}
	starter := s.addAgent(a, object{
		"name": agentName, "voiceMode": "hosted",
		"systemPrompt": "You are a helpful assistant on the phone.",
	})
	s.addNumber(a, "US", "", starter.id)
	return a
}

func (s *Server) emailTaken(email string) bool {
	return slices.ContainsFunc(s.accounts, func(a *account) bool {
		return a.parent == nil && strings.EqualFold(a.email, email)
	})
}

// Ids and secrets look like the API's and are the same in each run.

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
