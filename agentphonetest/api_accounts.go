package agentphonetest

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// account is what one API key gives access to. A sub-account is an account that has a parent and no key.
type account struct {
	id            string
	name          string
	email         string
	key           string
	parent        *account
	created       time.Time
	agents        store[*agent]
	numbers       store[*phoneNumber] // even released ones
	active        store[*phoneNumber] // those that are not released
	conversations store[*conversation]
	between       map[parties]*conversation
	latest        chronology // of all conversations
	messages      store[*message]
	calls         store[*call]
	contacts      store[*contact]
	byPhone       map[string]*contact
	verifications store[*verification]
	webhook       *webhook
	deliveries    []*delivery
	byStatus      map[string]int // how many deliveries have a status
	subAccounts   store[*account]
	registered    bool   // to send texts
	published     []byte // its view; see publishAccount
}

func (a *account) ident() string { return a.id }

// openAccount creates an account as a verified sign-up does: with an agent, a phone number and a key, which is made up if
// it is "". The caller holds s.mu, or is NewServer.
func (s *Server) openAccount(email, agentName, key string) *account {
	a := &account{id: s.id("acct"), email: strings.ToLower(email), created: now()}
	a.key = cmp.Or(key, s.secret("sk_live"))
	s.keys[a.key] = a
	s.emails[a.email] = true
	s.accounts.add(a)
	if agentName == "" {
		agentName = "My agent"
	}
	starter := s.addAgent(a, schema.Values{
		"name": agentName, "voiceMode": "hosted",
		"systemPrompt": "You are a helpful assistant on the phone.",
	})
	s.addNumber(a, "US", "", starter.id)
	s.publishAccount(a)
	return a
}

// emailTaken reports whether an account has the email address, in upper or lower case.
func (s *Server) emailTaken(email string) bool { return s.emails[strings.ToLower(email)] }

// exists reports whether an account was not deleted.
func (s *Server) exists(a *account) bool {
	_, ok := s.accounts.get(a.id)
	return ok
}

const subAccountPath = "/v1/sub-accounts/{sub_account_id}"

var subAccountName = schema.Fields{schema.Text("name").Required().Min(1)}

var subAccountOperations = []*operation{
	get("/v1/sub-accounts", (*Server).listSubAccounts, pageQuery(500, schema.Integer("stats_days").Min(1))...),
	post("/v1/sub-accounts", (*Server).createSubAccount, subAccountName),
	patch(subAccountPath, (*Server).updateSubAccount, subAccountName),
	remove(subAccountPath, (*Server).deleteSubAccount),
}

func (a *account) subAccountView() object {
	return object{"id": a.id, "name": a.name, "status": "active", "createdAt": stamp(a.created)}
}

// checkParent refuses sub-accounts of sub-accounts.
func (a *account) checkParent() error {
	if a.parent != nil {
		return refuse(http.StatusForbidden, "A sub-account cannot have sub-accounts")
	}
	return nil
}

// addSubAccount creates an empty account that is reached with its parent's key.
func (s *Server) addSubAccount(parent *account, name string) *account {
	sub := &account{id: s.id("sub"), name: name, parent: parent, created: now()}
	parent.subAccounts.add(sub)
	s.accounts.add(sub)
	s.publishAccount(sub)
	return sub
}

func (s *Server) listSubAccounts(in *input) (any, error) {
	if err := in.account.checkParent(); err != nil {
		return nil, err
	}
	return pageOf(in.account.subAccounts.list, in.query, defaultPage, (*account).subAccountView), nil
}

func (s *Server) createSubAccount(in *input) (any, error) {
	if err := in.account.checkParent(); err != nil {
		return nil, err
	}
	return s.addSubAccount(in.account, in.body.Text("name")).subAccountView(), nil
}

// subAccount returns the sub-account that the path names.
func (in *input) subAccount() (*account, error) {
	if err := in.account.checkParent(); err != nil {
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
	sub.name = in.body.Text("name")
	s.publishAccount(sub)
	return sub.subAccountView(), nil
}

// deleteSubAccount deletes a sub-account and all that it holds. The server's records keep it.
func (s *Server) deleteSubAccount(in *input) (any, error) {
	sub, err := in.subAccount()
	if err != nil {
		return nil, err
	}
	in.account.subAccounts.remove(sub.id)
	s.accounts.remove(sub.id)
	s.publish("accountDeleted", func() object { return object{"id": sub.id} })
	return succeeded, nil
}
