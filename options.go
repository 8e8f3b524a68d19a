package agentphone

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// Base URLs of the API. Both lead to the same API.
const (
	DefaultBaseURL = "https://api.agentphone.to"
	AltBaseURL     = "https://api.agentphone.ai"
)

// Version is this package's version, sent in the User-Agent header.
const Version = "0.1.0"

const (
	defaultMaxRetries    = 3
	defaultRetryWaitMin  = 500 * time.Millisecond
	defaultRetryWaitMax  = 8 * time.Second
	defaultMaxRetryAfter = time.Minute
	defaultTimeout       = 30 * time.Second

	subAccountHeader = "X-Sub-Account-Id"
)

// config holds the settings of a Client. It is not changed once the Client exists.
type config struct {
	transport  transport.Client
	key        func() apiKey
	keySource  func(context.Context) (string, error) // used instead, unless nil
	address    string                                // the base URL without a slash at its end
	maxRetries int
	timeout    time.Duration
	userAgent  string
	header     http.Header // of all requests; its slices are not changed
	// A client for a sub-account whose id is empty must not act on the main account.
	scoped     bool
	subAccount string
}

func defaultConfig() *config {
	base, _ := url.Parse(DefaultBaseURL)
	return &config{
		transport: transport.Client{
			Base:          base,
			RetryWaitMin:  defaultRetryWaitMin,
			RetryWaitMax:  defaultRetryWaitMax,
			MaxRetryAfter: defaultMaxRetryAfter,
		},
		maxRetries: defaultMaxRetries,
		timeout:    defaultTimeout,
		userAgent:  fmt.Sprintf("agentphone-go/%s (%s; %s)", Version, runtime.Version(), runtime.GOOS),
	}
}

// Option configures a [Client]. An invalid one is an error of [NewClient].
type Option func(*config) error

// WithBaseURL sets the API's base URL, [DefaultBaseURL] by default. It must be https; http is allowed for localhost and loopback
// addresses. It may have a path, but no user information, query or fragment. The key goes to this scheme, host and port only.
func WithBaseURL(baseURL string) Option {
	return func(c *config) error {
		u, err := parseBaseURL(baseURL)
		if err != nil {
			return err
		}
		c.transport.Base = u
		return nil
	}
}

func parseBaseURL(s string) (*url.URL, error) {
	invalid := func(reason string) error { return &ValidationError{"base URL", reason} }
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, invalid("is not an absolute URL such as " + DefaultBaseURL)
	case u.User != nil:
		return nil, invalid("has user information")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#"):
		return nil, invalid("has a query or a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, invalid("is not https (plain http is for loopback addresses only)")
	}
	u.Host = strings.ToLower(strings.TrimSuffix(u.Host, ":")) // without an empty port; in lower case, as proxy rules know localhost
	return u, nil
}

// WithHTTPClient sets the client that sends the requests, [http.DefaultClient] by default. Its Transport and Jar are used, and its
// Timeout if that is shorter than [WithTimeout]; its CheckRedirect is not, for the package has its own rule (GET and HEAD,
// within the API's origin). It is read at each call and never changed, and its idle connections are left open. If it has no
// Transport, and [http.DefaultTransport] is Go's own, a connection pool shared by all clients of this package is used, large
// enough for hundreds of goroutines.
//
// The Transport sees the key. One that sends requests again by itself can make a phone ring twice; that of go-retryablehttp is
// refused.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return &ValidationError{"HTTP client", "is nil"}
		}
		if transport.RetriesByItself(client.Transport) {
			return &ValidationError{"HTTP client", "retries by itself, so that a phone may ring twice"}
		}
		c.transport.HTTPClient = client
		return nil
	}
}

// WithMaxRetries sets how often a request may be retried, 3 by default: there are at most n+1 attempts. 0 turns retries off.
func WithMaxRetries(n int) Option {
	return func(c *config) error {
		c.maxRetries = n
		return notNegative("max retries", n)
	}
}

// WithRetryWait sets the bounds of the exponential backoff with full jitter that is used where a response has no Retry-After: the
// wait is random, up to lowest before the first retry, and this bound doubles with each retry, up to highest. The defaults
// are 500 ms and 8 s.
func WithRetryWait(lowest, highest time.Duration) Option {
	return func(c *config) error {
		if lowest < 0 || highest < lowest {
			return &ValidationError{"retry wait", "is negative, or highest is less than lowest"}
		}
		c.transport.RetryWaitMin, c.transport.RetryWaitMax = lowest, highest
		return nil
	}
}

// WithMaxRetryAfter sets the longest Retry-After that a call waits for, one minute by default. If the server asks for more, or
// for more than the context has left, the call returns the *[APIError] at once. [CallsService.Wait] and
// [CallsService.StreamTranscript], which wait anyway, accept up to 10 minutes.
func WithMaxRetryAfter(d time.Duration) Option {
	return func(c *config) error {
		c.transport.MaxRetryAfter = d
		return notNegative("max Retry-After", d)
	}
}

// WithTimeout sets how long one attempt may take, from connecting to the last byte of the response, 30 s by default; 0 is no limit.
// The whole call, with its retries and waits, is limited by its context. A body that is read as it comes may take longer: a
// recording as long as it goes on at a steady pace ([CallsService.DownloadRecording]), a live transcript as long as the call.
func WithTimeout(d time.Duration) Option {
	return func(c *config) error {
		c.timeout = d
		return notNegative("timeout", d)
	}
}

// WithKeySource sets a function that supplies the API key of each call, instead of the one given to [NewClient], which may be "":
// for keys that are rotated, or fetched from a vault. It is called once a call, with the call's context, and not for sign-up and
// recordings, which need no key; retries of the call use the same key. It must be safe for concurrent use and should cache what
// it fetches. If it fails, the call fails with its error and nothing is sent; a key of "" is [ErrNoAPIKey].
func WithKeySource(source func(ctx context.Context) (string, error)) Option {
	return func(c *config) error {
		if source == nil {
			return &ValidationError{"key source", "is nil"}
		}
		c.keySource = source
		return nil
	}
}

// WithUserAgent sets the User-Agent header instead of agentphone-go/VERSION.
func WithUserAgent(userAgent string) Option {
	return func(c *config) error {
		c.userAgent = userAgent
		return checkHeaderValue("user agent", userAgent)
	}
}

// WithHeader sets a header of all requests, for instance one that a gateway asks for. The same headers are refused as by
// [WithRequestHeader], which wins over it. It goes to the base URL's origin only, as the key does.
func WithHeader(name, value string) Option {
	return func(c *config) error {
		name, err := checkHeader(name, value)
		if err != nil {
			return err
		}
		if c.header == nil {
			c.header = http.Header{}
		}
		c.header[name] = []string{value}
		return nil
	}
}

// WithLogger sets a logger for each attempt (level Debug) and each retry (level Warn): operation, attempt, status, duration, wait,
// request id; never a URL, header, body, key or phone number. By default nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.transport.Logger = logger
		return nil
	}
}

// WithSubAccount makes every request act on a sub-account (header
// X-Sub-Account-Id). See also [Client.ForSubAccount].
func WithSubAccount(id string) Option {
	return func(c *config) error {
		c.scoped, c.subAccount = true, id
		return checkSubAccount(id)
	}
}
