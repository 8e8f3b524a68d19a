package agentphonetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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

func (s *Server) id(prefix string) string { return prefix + "_" + s.digest(prefix)[:24] }

func (s *Server) secret(prefix string) string { return prefix + "_" + s.digest(prefix)[:48] }

func (s *Server) digest(of string) string {
	s.ids++
	sum := sha256.Sum256(fmt.Append(nil, of, s.ids))
	return hex.EncodeToString(sum[:])
}

// store keeps things by id, in the order in which they were added.
type store[T interface{ ident() string }] struct {
	byID map[string]T
	list []T
}

func (st *store[T]) add(item T) {
	if st.byID == nil {
		st.byID = map[string]T{}
	}
	st.byID[item.ident()] = item
	st.list = append(st.list, item)
}

func (st *store[T]) get(id string) (T, bool) {
	item, ok := st.byID[id]
	return item, ok
}

func (st *store[T]) remove(id string) {
	delete(st.byID, id)
	st.list = slices.DeleteFunc(st.list, func(item T) bool { return item.ident() == id })
}

// where returns the items for which keep is true.
func (st *store[T]) where(keep func(T) bool) []T {
	var out []T
	for _, item := range st.list {
		if keep(item) {
			out = append(out, item)
		}
	}
	return out
}

// newestFirst is a copy of items, last first.
func newestFirst[T any](items []T) []T {
	out := slices.Clone(items)
	slices.Reverse(out)
	return out
}

const defaultPage = 20

// cut returns the page that a query asks for.
func cut[T any](items []T, query object, defaultLimit int) []T {
	from := min(query.integer("offset", 0), len(items))
	return items[from:min(from+query.integer("limit", defaultLimit), len(items))]
}

// pageOf answers with a page of a list.
func pageOf[T any](items []T, query object, defaultLimit int, view func(T) object) object {
	shown := cut(items, query, defaultLimit)
	return object{
		"data":    views(shown, view),
		"hasMore": query.integer("offset", 0)+len(shown) < len(items),
		"total":   len(items),
	}
}
