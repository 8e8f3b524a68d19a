package agentphone

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/agentphone/agentphone-go/internal/redact"
)

// Client is a client of the API, made by [NewClient]. Each field is a service with the methods of one of the API's
// resources. A Client is safe for concurrent use. It does not change once it is made, and should be reused.
//
// Its key is not shown when it is printed, logged or encoded.
type Client struct {
	Signup        *SignupService
	Agents        *AgentsService
	Voices        *VoicesService
	Numbers       *NumbersService
	Verify        *VerifyService
	ContactCards  *ContactCardsService
	Messages      *MessagesService
	Conversations *ConversationsService
	Contacts      *ContactsService
	Calls         *CallsService
	Webhooks      *WebhooksService
	Usage         *UsageService
	SubAccounts   *SubAccountsService
	Registration  *RegistrationService
	Location      *LocationService

	cfg *config
}

// service is the type of which the services are made: type AgentsService service.
type service struct{ client *Client }

// owner returns the client of a service; nil if the service is nil, as in a zero Client.
func (s *service) owner() *Client {
	if s == nil {
		return nil
	}
	return s.client
}

// NewClient returns a client that uses an API key such as sk_live_.... The key may be "" to sign up ([SignupService]);
// methods that need a key then return [ErrNoAPIKey]. NewClient sends nothing.
//
// For a key that is no Bearer token (letters, digits and -._~+/, with = at the end), or an invalid option, it returns a
// *[ValidationError].
func NewClient(key string, opts ...Option) (*Client, error) {
	cfg := defaultConfig()
	k, err := newAPIKey(key)
	if err != nil {
		return nil, err
	}
	cfg.key = func() apiKey { return k }
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(cfg); err != nil {
			return nil, err
		}
	}
	if err := cfg.finish(); err != nil {
		return nil, err
	}
	if cfg.keyed.retention < 2*cfg.keyed.settle { // or an unknown outcome would be forgotten before it has settled
		return nil, &ValidationError{"key retention", "is shorter than twice the settle time"}
	}
	return newClient(cfg), nil
}

// NewClientFromEnv returns a client that uses the API key in AGENTPHONE_API_KEY and, if it is set, the base URL in
// AGENTPHONE_BASE_URL. Without a key it returns [ErrNoAPIKey]. Options take precedence over the environment.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	key := os.Getenv("AGENTPHONE_API_KEY")
	if key == "" {
		return nil, fmt.Errorf("%w: AGENTPHONE_API_KEY is not set", ErrNoAPIKey)
	}
	if base := os.Getenv("AGENTPHONE_BASE_URL"); base != "" {
		opts = append([]Option{WithBaseURL(base)}, opts...)
	}
	return NewClient(key, opts...)
}

func newClient(cfg *config) *Client {
	cfg.address = strings.TrimSuffix(cfg.transport.Base.String(), "/")
	c := &Client{cfg: cfg}
	s := service{c}
	c.Signup = (*SignupService)(&s)
	c.Agents = (*AgentsService)(&s)
	c.Voices = (*VoicesService)(&s)
	c.Numbers = (*NumbersService)(&s)
	c.Verify = (*VerifyService)(&s)
	c.ContactCards = (*ContactCardsService)(&s)
	c.Messages = (*MessagesService)(&s)
	c.Conversations = (*ConversationsService)(&s)
	c.Contacts = (*ContactsService)(&s)
	c.Calls = (*CallsService)(&s)
	c.Webhooks = (*WebhooksService)(&s)
	c.Usage = (*UsageService)(&s)
	c.SubAccounts = (*SubAccountsService)(&s)
	c.Registration = (*RegistrationService)(&s)
	c.Location = (*LocationService)(&s)
	return c
}

// ForSubAccount returns a client whose requests act on a sub-account (header X-Sub-Account-Id). It shares everything
// else with c and is cheap to make. If id is empty or cannot be an id, each of its methods returns a
// *[ValidationError]; no request acts on the main account.
func (c *Client) ForSubAccount(id string) *Client {
	if c == nil || c.cfg == nil {
		return &Client{}
	}
	cfg := *c.cfg
	cfg.scoped, cfg.subAccount = true, id
	return newClient(&cfg)
}

// String returns a text with the base URL and the sub-account, without the key.
func (c Client) String() string {
	var b strings.Builder
	b.WriteString("agentphone.Client{")
	if c.cfg != nil {
		b.WriteString(c.cfg.transport.Base.String())
		if c.cfg.scoped {
			b.WriteString(" sub-account " + c.cfg.subAccount)
		}
	}
	return b.String() + "}"
}

// Format writes what String returns, whatever the verb.
func (c Client) Format(f fmt.State, verb rune) { redact.Print(f, verb, c.String()) }

// LogValue returns what String returns.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns what String returns, so that a struct with a Client in it can be encoded, without the key.
func (c Client) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
