package agentphonetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// StarterEmail is the email address of the account that a new [Server] has. A sign-up with it is refused with 409.
const StarterEmail = "starter@example.com"

// Server is the AgentPhone API in memory. Create one with [NewServer]. It is safe for concurrent use.
type Server struct {
	mux           *http.ServeMux // see newMux
	webhookClient *http.Client   // delivers events
	starter       *account
	agentID       string       // of the starter account, as it began; it may have been deleted since
	number        *phoneNumber // likewise
	idSeed        string
	apiKey        string // of the starter account; "" if it is made up
	webhookSecret string // see WithWebhookSecret; "" if it is made up

	port port

	// mu guards all that follows and everything that accounts hold. It is never held while waiting.
	mu mutex
	settings
	feed        *feed // nil until ControlHandler is called
	closed      bool
	ids         int
	numbersSold int
	lastMessage time.Time // see addMessage
	keys        map[string]*account
	emails      map[string]bool         // of accounts, in lower case
	accounts    store[*account]         // including sub-accounts
	numbers     map[string]*phoneNumber // of all accounts, by E.164 form; see numberWith
	groups      map[string]*conversation
	signups     map[string]*signup
	locations   map[string]*place // by phone number
	lineTypes   map[string]string // by phone number
	scripts     []CallScript
	faults      []*fault
	requests    requestLog
	calls       store[*call]     // of all accounts
	messages    store[*message]  // of all accounts
	deliveries  store[*delivery] // of all accounts
	ends        ends             // see deliverEnds
	unfinished  int              // deliveries that may be attempted again
	receiver    http.Handler
	cancels     map[*context.CancelFunc]bool // of attempts that are being made; see untilClose
	waiting     waiters                      // all that wait; see pause
	idle        waiters                      // those that wait until no delivery is unfinished

	verifications store[*verification] // of all accounts
	charges       []Charge
	turns         []*turnRecord           // see keepTurn
	redeliveries  []*redeliveryRecord     // see keepRedelivery
	counted       map[rateKey][]time.Time // when requests came that count for a rate limit
}

// settings are what options set.
type settings struct {
	pauses          []time.Duration
	deliveryTimeout time.Duration
	endDelay        time.Duration
	listDelay       time.Duration
	ringing         bool
	numberLimit     int
	echoes          bool
	rateLimits      bool
	noPayment       bool
}

// Option configures a [Server].
type Option func(*Server)

// WithNumberLimit sets how many phone numbers an account may hold. The default is 10.
func WithNumberLimit(n int) Option {
	return func(s *Server) { s.numberLimit = n }
}

// WithRateLimits holds each account to the API's published rates, such as 120 calls a minute, 60 verifications sent and
// 20 numbers bought. What comes too soon is refused with 429 and a Retry-After, has no effect and does not count. The
// rates are not published for all operations: texts have none. Without this option there are no limits.
func WithRateLimits() Option {
	return func(s *Server) { s.rateLimits = true }
}

// WithoutPaymentMethod refuses what costs something with 402: calls, texts, numbers, lookups, verifications and
// registrations. What the starter account began with stays.
func WithoutPaymentMethod() Option {
	return func(s *Server) { s.noPayment = true }
}

// WithIDSeed has the ids, keys and codes of what is created later differ from those of servers with another seed. The
// starter account, its key, agent and number are the same for all seeds. It is for a program that meets several servers
// one after the other: it takes a delivery for a duplicate if one of an earlier server had the same id.
func WithIDSeed(seed string) Option {
	return func(s *Server) { s.idSeed = seed }
}

// WithAPIKey sets the API key of the starter account, which is otherwise the same for all servers: for a server that
// others can reach.
func WithAPIKey(key string) Option {
	return func(s *Server) { s.apiKey = key }
}

// WithWebhookSecret sets the secret of each webhook of the starter account and its sub-accounts, which otherwise gets one
// of its own when it is set, as with the API: for a receiver that is started with its secret.
func WithWebhookSecret(secret string) Option {
	return func(s *Server) { s.webhookSecret = secret }
}

// NewServer returns a server with one account, as a sign-up leaves it: a hosted agent with the default voice, and a US
// number attached to it. A nil option is ignored.
func NewServer(opts ...Option) *Server {
	s := &Server{
		mux:       newMux(),
		settings:  settings{pauses: defaultPauses, deliveryTimeout: defaultDeliveryTimeout, numberLimit: 10},
		cancels:   map[*context.CancelFunc]bool{},
		keys:      map[string]*account{},
		emails:    map[string]bool{},
		numbers:   map[string]*phoneNumber{},
		groups:    map[string]*conversation{},
		signups:   map[string]*signup{},
		locations: map[string]*place{},
		lineTypes: map[string]string{},
		counted:   map[rateKey][]time.Time{},
		waiting:   waiters{},
		idle:      waiters{},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	s.webhookClient = newWebhookClient(s)
	s.starter = s.openAccount(StarterEmail, "", s.apiKey)
	s.agentID, s.number = s.starter.agents.list[0].id, s.starter.numbers.list[0]
	return s
}

// APIKey returns the API key of the starter account.
func (s *Server) APIKey() string { return s.starter.key }

// HasAPIKey reports whether an account has an API key: for a handler in front of the server that lets nobody else in.
func (s *Server) HasAPIKey(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[key] != nil
}

// AgentID returns the id of the agent that the starter account began with.
func (s *Server) AgentID() string { return s.agentID }

// NumberID returns the id of the phone number that the starter account began with.
func (s *Server) NumberID() string { return s.number.id }

// PhoneNumber returns the phone number that the starter account began with, in E.164 form.
func (s *Server) PhoneNumber() string { return s.number.e164 }

// Client returns a client of the starter account that uses the server in memory ([Server.Transport]). The options are
// applied after those that make it so: [agentphone.WithHTTPClient] with another transport takes it off the server. It
// panics if an option is invalid.
func (s *Server) Client(opts ...agentphone.Option) *agentphone.Client {
	inMemory := agentphone.WithHTTPClient(&http.Client{Transport: s.Transport()})
	client, err := agentphone.NewClient(s.APIKey(), append([]agentphone.Option{inMemory}, opts...)...)
	if err != nil {
		panic("agentphonetest: Client: " + err.Error())
	}
	return client
}

// OTP returns the code that was sent by email for a sign-up, by the verification id that [agentphone.SignupService.Start]
// returned. It is "" if there is no such sign-up, or it is over.
func (s *Server) OTP(verificationID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if su := s.signups[verificationID]; su != nil {
		return su.otp
	}
	return ""
}

// VerificationCode returns the code that was texted for a verification, by the verification id that
// POST /v1/verify/send responded with. It is "" if there is no such verification.
func (s *Server) VerificationCode(verificationID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.verifications.get(verificationID); ok {
		return v.code
	}
	return ""
}

// SetLineType sets what GET /v1/numbers/lookup says about a phone number: "mobile", "landline", "voip", or "" for
// unknown. Without it a number that an account of the server has is voip, and any other mobile.
func (s *Server) SetLineType(phoneNumber, lineType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lineTypes[phoneNumber] = lineType
	s.publishSetup()
}

// SetLocation makes a phone share its location, in degrees. The API reports the status "unavailable" for any other
// phone, without latitude and longitude.
func (s *Server) SetLocation(phoneNumber string, latitude, longitude float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locations[phoneNumber] = &place{latitude, longitude, now()}
	s.publishSetup()
}

// misused is the error of a method that was called with what the server does not have or cannot do. Most methods panic
// with it, since it is a mistake in a test.
type misused struct{ text string }

func (e *misused) Error() string { return e.text }

func misuse(format string, args ...any) error { return &misused{fmt.Sprintf(format, args...)} }

func panicIfMisused(method string, err error) {
	if err != nil {
		panic("agentphonetest: " + method + ": " + err.Error())
	}
}

// Close shuts the server down. It closes the port and breaks off streams and requests that wait, gives up deliveries,
// and waits until no attempt is being made. Later requests find no connection. Close may be called more than once.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for cancel := range s.cancels {
		(*cancel)()
	}
	s.waiting.wake()
	s.mu.Unlock()
	s.awaitDeliveries(context.Background())
	s.port.close()
}

// Ids and secrets look like the API's. They are hashes of a counter, so that they are the same in each run
// ([WithIDSeed]). The caller holds s.mu.

func (s *Server) id(prefix string) string { return prefix + "_" + s.digest(prefix)[:24] }

func (s *Server) secret(prefix string) string { return prefix + "_" + s.digest(prefix)[:48] }

// sixDigits returns a code for a person to read.
func (s *Server) sixDigits(of string) string {
	var code uint32
	for _, b := range []byte(s.digest(of)[:6]) {
		code = code*31 + uint32(b)
	}
	return fmt.Sprintf("%06d", code%1e6)
}

func (s *Server) digest(of string) string {
	s.ids++
	seed := s.idSeed
	if s.starter == nil { // its ids are being made
		seed = ""
	}
	sum := sha256.Sum256(fmt.Append(nil, seed, of, s.ids))
	return hex.EncodeToString(sum[:])
}
