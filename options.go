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

// Base URLs of the API. Both are the same API.
const (
	DefaultBaseURL = "https://api.agentphone.to"
	AltBaseURL     = "https://api.agentphone.ai"
)

// Version is this package's version, which is sent in the User-Agent header.
const Version = "0.1.0"

const (
	defaultMaxRetries    = 3
	defaultRetryWaitBase = 500 * time.Millisecond
	defaultRetryWaitMax  = 8 * time.Second
	defaultMaxRetryAfter = time.Minute
	defaultTimeout       = 30 * time.Second

	subAccountHeader = "X-Sub-Account-Id"
)

// config holds the settings of a Client. It is not changed once the Client exists.
type config struct {
	transport  transport.Client
	keyed      keyedConfig
	hooks      Hooks
	wrap       []func(http.RoundTripper) http.RoundTripper // innermost first
	key        func() apiKey
	keySource  func(context.Context) (string, error) // used instead of key, unless nil
	recent     func() *recentKeys                    // of keySource, in a function for the same reason as the key
	address    string                                // the base URL without a slash at its end
	maxRetries int
	timeout    time.Duration
	userAgent  string
	header     http.Header // of all requests; its slices are never written
	// A client for a sub-account whose id is empty must not act on the main account.
	scoped     bool
	subAccount string
}

func defaultConfig() *config {
	base, _ := url.Parse(DefaultBaseURL)
	return &config{
		transport: transport.Client{
			Base:          base,
			RetryWaitBase: defaultRetryWaitBase,
			RetryWaitMax:  defaultRetryWaitMax,
			MaxRetryAfter: defaultMaxRetryAfter,
			Pauses:        &transport.Pauses{},
		},
		keyed:      defaultKeyedConfig(),
		maxRetries: defaultMaxRetries,
		timeout:    defaultTimeout,
		userAgent:  fmt.Sprintf("agentphone-go/%s (%s; %s)", Version, runtime.Version(), runtime.GOOS),
	}
}

// Option configures a [Client]. [NewClient] returns a *[ValidationError] for an invalid one.
type Option func(*config) error

// WithBaseURL sets the API's base URL, [DefaultBaseURL] by default. It must be https; http is allowed for localhost and
// loopback addresses. It may have a path, but no user information, query or fragment. The key is sent to this scheme,
// host and port only.
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
	// Without an empty port, and in lower case, in which proxy rules have localhost.
	u.Host = strings.ToLower(strings.TrimSuffix(u.Host, ":"))
	return u, nil
}

// WithHTTPClient sets the client that sends the requests, [http.DefaultClient] by default. Its Transport and Jar are
// used, and its Timeout if that is shorter than [WithTimeout]. Its CheckRedirect is not used: redirects are followed
// for GET and HEAD within the API's origin only. The client is read for each request and never written, and its idle
// connections are left open. If it has no Transport, and [http.DefaultTransport] is Go's own, a connection pool that
// all clients of this package share is used, large enough for hundreds of goroutines.
//
// The Transport sees the key. One that sends a request again by itself can make a phone ring twice; that of
// go-retryablehttp is refused. A request whose body your RoundTripper has begun to read counts as sent, whatever error
// it returns. To wrap the connection pool instead of replacing it, use [WithRoundTripper]. An [http.Transport] of yours that is
// to give up an HTTP/2 connection which has gone silent, as the pool does, needs HTTP2.SendPingTimeout.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		switch {
		case client == nil:
			return &ValidationError{"HTTP client", "is nil"}
		case holdsNil(client.Transport) || holdsNil(client.Jar):
			return &ValidationError{"HTTP client", "has a Transport or a Jar that holds nil"}
		case transport.RetriesByItself(client.Transport):
			return &ValidationError{"HTTP client", "retries by itself, so that a phone may ring twice"}
		}
		c.transport.HTTPClient = client
		return nil
	}
}

// WithMaxRetries sets how often a request may be retried, 3 by default: it is sent in at most n+1 attempts. 0 turns
// retries off.
func WithMaxRetries(n int) Option {
	return func(c *config) error {
		c.maxRetries = n
		return notNegative("max retries", n)
	}
}

// WithRetryWait sets the waits before retries, which use exponential backoff with full jitter: the nth wait is random
// between 0 and min(maximum, base*2^(n-1)). After a response with Retry-After the wait is that, plus a random time of
// up to base/2. The defaults are 500 ms and 8 s.
func WithRetryWait(base, maximum time.Duration) Option {
	return func(c *config) error {
		if base < 0 || maximum < base {
			return &ValidationError{"retry wait", "base is negative, or maximum is less than base"}
		}
		c.transport.RetryWaitBase, c.transport.RetryWaitMax = base, maximum
		return nil
	}
}

// WithMaxRetryAfter sets the longest Retry-After that is waited for, one minute by default. If the server asks for a
// longer wait, or for one that the context does not allow, the method returns the *[APIError] at once.
// [CallsService.Wait] and [CallsService.StreamTranscript], which wait anyway, accept up to 10 minutes. While one request
// waits because of a 429, others of its operation do: see [WithRateLimiter].
func WithMaxRetryAfter(d time.Duration) Option {
	return func(c *config) error {
		c.transport.MaxRetryAfter = d
		return notNegative("max Retry-After", d)
	}
}

// WithTimeout sets the timeout of each attempt, from connecting to the last byte of the response, 30 s by default; 0
// means no timeout. The context limits the whole request, with its retries and waits.
//
// A body that is read while it is received may take longer: a recording as long as it comes at a steady pace
// ([CallsService.DownloadRecording]), a live transcript as long as the call. With [GetCallOptions].Wait, for which the
// server holds the response back, the timeout is at least TimeoutSeconds plus 30 s, unless [WithRequestTimeout] sets
// another.
func WithTimeout(d time.Duration) Option {
	return func(c *config) error {
		c.timeout = d
		return notNegative("timeout", d)
	}
}

// WithKeySource sets a function that returns the API key for each request, instead of the key given to [NewClient],
// which may then be "". It is for keys that are rotated, or fetched from a vault. It is called once for each request,
// with the request's context, and not for sign-up and recordings, which need no key; retries use the same key. It must
// be safe for concurrent use and should cache what it fetches. If it fails, nothing is sent, and the request fails
// with its error, redacted, which is [ErrTemporary]; a key of "" is [ErrNoAPIKey].
func WithKeySource(source func(ctx context.Context) (string, error)) Option {
	return func(c *config) error {
		if source == nil {
			return &ValidationError{"key source", "is nil"}
		}
		recent := &recentKeys{}
		c.keySource, c.recent = source, func() *recentKeys { return recent }
		return nil
	}
}

// WithUserAgent sets the User-Agent header. The default is agentphone-go/VERSION with the versions of Go and of the
// system, such as "agentphone-go/0.1.0 (go1.25.0; linux)".
func WithUserAgent(userAgent string) Option {
	return func(c *config) error {
		c.userAgent = userAgent
		return checkHeaderValue("user agent", userAgent)
	}
}

// WithHeader sets a header of all requests, such as one that a gateway requires. It is sent to the base URL's origin
// only, as the key is. [WithRequestHeader] takes precedence, and says which headers are refused.
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

// WithLogger sets a logger, which gets a record of each attempt (level Debug) and of each retry (level Warn):
// operation, attempt, status, duration, wait and request id; never a URL, header, body, key or phone number. By default
// nothing is logged but a hook that panics. docs/observability.md lists the records: their messages and attributes are stable.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.transport.Logger = logger
		return nil
	}
}

// WithSubAccount makes all requests act on a sub-account (header X-Sub-Account-Id). See also [Client.ForSubAccount].
func WithSubAccount(id string) Option {
	return func(c *config) error {
		c.scoped, c.subAccount = true, id
		return checkSubAccount(id)
	}
}
