package agentphonetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// StarterEmail is the email of the account that a new Server has. To sign up with it is a
// conflict.
const StarterEmail = "starter@example.com"

// Server is the API. Make one with [NewServer]. It is safe for concurrent use.
type Server struct {
	mux         *http.ServeMux  // finds the operation of a request
	webhooks    *http.Client    // delivers to webhooks
	pauses      []time.Duration // before each further attempt
	numberLimit int
	starter     *account
	agentID     string // of the starter account, as it began; they may be gone by now
	number      *phone

	port port

	// mu guards all that follows and all that accounts hold. It is never held while waiting.
	mu          sync.Mutex
	closed      bool
	ids         int
	phones      int       // numbers sold
	lastMessage time.Time // no two messages bear the same time
	keys        map[string]*account
	accounts    []*account // sub-accounts too
	signUps     map[string]*signUp
	locations   map[string]*place // by phone number
	scripts     []CallScript
	faults      []*Fault
	requests    []*Request
	calls       []*call     // of all accounts, as they were placed
	messages    []*message  // of all accounts, as they were sent and received
	deliveries  []*delivery // of all accounts, as they were made
	unsettled   int         // deliveries that are not at their end
	receiver    http.Handler
	cancels     map[*context.CancelFunc]bool // of attempts under way
	changes     int                          // see changed
	waiting     map[chan struct{}]bool
}

// Option configures a [Server].
type Option func(*Server)

// WithNumberLimit sets how many numbers an account may hold, 10 by default.
func WithNumberLimit(n int) Option {
	return func(s *Server) { s.numberLimit = n }
}

// NewServer makes a server with one account, as after a sign-up: a hosted agent with the
// default voice, and a US number attached to it.
func NewServer(opts ...Option) *Server {
	s := &Server{
		pauses:      defaultPauses,
		cancels:     map[*context.CancelFunc]bool{},
		numberLimit: 10,
		keys:        map[string]*account{},
		signUps:     map[string]*signUp{},
		locations:   map[string]*place{},
		waiting:     map[chan struct{}]bool{},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	s.webhooks = newWebhookClient(s)
	s.mux = newMux()
	s.starter = s.openAccount(StarterEmail, "")
	s.agentID, s.number = s.starter.agents.list[0].id, s.starter.numbers.list[0]
	return s
}

// APIKey is the key of the starter account.
func (s *Server) APIKey() string { return s.starter.key }

// AgentID is the id of the agent that the starter account began with.
func (s *Server) AgentID() string { return s.agentID }

// NumberID is the id of the number that the starter account began with.
func (s *Server) NumberID() string { return s.number.id }

// PhoneNumber is the number that the starter account began with, in E.164 form.
func (s *Server) PhoneNumber() string { return s.number.phone }

// Client is a client of the starter account that uses the server in memory. opts come after
// those that make it so. It panics if an option is an error.
func (s *Server) Client(opts ...agentphone.Option) *agentphone.Client {
	inMemory := agentphone.WithHTTPClient(&http.Client{Transport: s.Transport()})
	client, err := agentphone.NewClient(s.APIKey(), append([]agentphone.Option{inMemory}, opts...)...)
	if err != nil {
		panic("agentphonetest: Client: " + err.Error())
	}
	return client
}

// Close stops the server: its port is closed, streams break off, requests that wait get no answer and
// later ones no connection. Deliveries that are under way are given up. It may be called more than once.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for cancel := range s.cancels {
		(*cancel)()
	}
	s.changed()
	s.mu.Unlock()
	s.settled()
	s.port.close()
}

func (s *Server) id(prefix string) string { return prefix + "_" + s.digest(prefix)[:24] }

func (s *Server) secret(prefix string) string { return prefix + "_" + s.digest(prefix)[:48] }

func (s *Server) digest(of string) string {
	s.ids++
	sum := sha256.Sum256(fmt.Append(nil, of, s.ids))
	return hex.EncodeToString(sum[:])
}

// SetLocation says where a phone is that shares its location. Of other phones the API knows none: the
// status is "unavailable", latitude and longitude are null.
func (s *Server) SetLocation(phoneNumber string, latitude, longitude float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locations[phoneNumber] = &place{latitude, longitude, now()}
}

// OTP is the code that a sign-up's email had in it. It is "" if there is no such sign-up, or it
// was verified.
func (s *Server) OTP(verificationID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if su := s.signUps[verificationID]; su != nil {
		return su.otp
	}
	return ""
}
