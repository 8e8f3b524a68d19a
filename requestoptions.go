package agentphone

import (
	"maps"
	"net/http"
	"net/url"
	"time"
)

// RequestOption configures a single request. Every method takes request options as its last arguments; for a method
// that makes several requests, such as All, they apply to each. Those that are for some operations only, as the optional parameters
// of a method, such as [GetCallOptions], and [WithIdempotencyKey], apply to those of the requests that they are for; a method that makes
// none of these returns a *[ValidationError].
type RequestOption interface {
	apply(*requestConfig) error
}

type requestConfig struct {
	op         *operation   // that the options are for
	others     []*operation // whose requests the method makes too, with the same options
	header     http.Header  // nil without options, and so is query
	query      url.Values
	maxRetries int
	timeout    time.Duration
	timeoutSet bool          // by an option of this request
	serverWait time.Duration // how long the server may hold the response back
	response   responses
	unobserved bool      // it is part of another operation
	observed   *observed // nil without a hook

	idempotencyKey string
	recordingGrace time.Duration
}

type requestOption func(*requestConfig) error

func (o requestOption) apply(rc *requestConfig) error { return o(rc) }

// requestConfig returns the client's configuration with the options of one request applied.
func (c *config) requestConfig(op *operation, opts []RequestOption) (*requestConfig, error) {
	rc := &requestConfig{op: op, maxRetries: c.maxRetries, timeout: c.timeout}
	if len(opts) > 0 || c.scoped || len(c.header) > 0 {
		rc.header, rc.query = http.Header{}, url.Values{}
		maps.Copy(rc.header, c.header)
	}
	if c.scoped {
		if err := WithRequestSubAccount(c.subAccount).apply(rc); err != nil {
			return nil, err
		}
	}
	if err := rc.applyAll(opts); err != nil {
		return nil, err
	}
	if rc.idempotencyKey != "" && op.find != nil && len(rc.query) > 0 { // the look could read lists of others without it, and filtered ones with it
		return nil, &ValidationError{"WithRequestQuery", "is not for " + op.String() + " with an idempotency key: its effect could not be looked for"}
	}
	if rc.timeout > 0 && !rc.timeoutSet {
		rc.timeout = max(rc.timeout, rc.serverWait)
	}
	return rc, nil
}

func (rc *requestConfig) applyAll(opts []RequestOption) error {
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt.apply(rc); err != nil {
			return err
		}
	}
	return nil
}

// WithResponse stores the last response to the request in r, whether the method returns a result or an error. Given more than once, it
// is stored in each.
func WithResponse(r *Response) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.response = append(rc.response, r)
		return nil
	})
}

// WithRequestTimeout sets the timeout of each attempt of the request, as [WithTimeout] does for all requests.
func WithRequestTimeout(d time.Duration) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.timeout, rc.timeoutSet = d, true
		return notNegative("timeout", d)
	})
}

// WithRequestMaxRetries sets how often the request may be retried, as [WithMaxRetries] does for all requests.
func WithRequestMaxRetries(n int) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.maxRetries = n
		return notNegative("max retries", n)
	})
}

// WithRequestSubAccount makes the request act on a sub-account, as [WithSubAccount] does for all requests.
func WithRequestSubAccount(id string) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.header.Set(subAccountHeader, id)
		return checkSubAccount(id)
	})
}

// WithRequestQuery adds a parameter to the query of the request, for one that the method's parameters do not have. With an idempotency key
// it is a *[ValidationError] where the effect is looked for in lists: nobody knows what it would say to those.
func WithRequestQuery(key, value string) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.query.Add(key, value)
		return nil
	})
}

// WithRequestHeader sets a header of the request, and takes precedence over [WithHeader]. Headers of the connection and
// Authorization are refused, and so are Idempotency-Key and X-Idempotency-Key: the API ignores both, but net/http sends
// a POST that has one of them a second time if the connection breaks.
func WithRequestHeader(name, value string) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		name, err := checkHeader(name, value)
		if err != nil {
			return err
		}
		rc.header.Set(name, value)
		return nil
	})
}
