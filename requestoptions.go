package agentphone

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// RequestOption changes one call. Every method takes them last. The optional parameters of a few methods, such as
// [GetCallOptions], are request options too; other methods refuse those.
type RequestOption interface {
	apply(*requestConfig) error
}

type requestConfig struct {
	op         *operation  // that the options are for
	header     http.Header // nil, as query, without options
	query      url.Values
	maxRetries int
	timeout    time.Duration
	timeoutSet bool          // by an option of this call
	serverWait time.Duration // how long the server may hold the response back
	response   *Response

	idempotencyKey string
}

type requestOption func(*requestConfig) error

func (o requestOption) apply(rc *requestConfig) error { return o(rc) }

// requestConfig is the client's configuration with one call's options over it.
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
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt.apply(rc); err != nil {
			return nil, err
		}
	}
	if rc.timeout > 0 && !rc.timeoutSet {
		rc.timeout = max(rc.timeout, rc.serverWait)
	}
	return rc, nil
}

// only refuses an option that belongs to one operation where it is given to another, which would ignore it.
func (rc *requestConfig) only(name string, operations ...*operation) error {
	if !slices.Contains(operations, rc.op) {
		return &ValidationError{name, "is not an option of " + rc.op.String()}
	}
	return nil
}

// WithResponse stores the last response, be it a result or an error, in r.
func WithResponse(r *Response) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.response = r
		return nil
	})
}

// WithRequestTimeout is [WithTimeout] for one call.
func WithRequestTimeout(d time.Duration) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.timeout, rc.timeoutSet = d, true
		return notNegative("timeout", d)
	})
}

// WithRequestMaxRetries is [WithMaxRetries] for one call.
func WithRequestMaxRetries(n int) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.maxRetries = n
		return notNegative("max retries", n)
	})
}

// WithRequestSubAccount makes one call act on a sub-account.
func WithRequestSubAccount(id string) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.header.Set(subAccountHeader, id)
		return checkSubAccount(id)
	})
}

// WithRequestQuery adds a query parameter that the method's parameters do not have.
func WithRequestQuery(key, value string) RequestOption {
	return requestOption(func(rc *requestConfig) error {
		rc.query.Add(key, value)
		return nil
	})
}

// WithRequestHeader sets a header of the request, in place of one set by [WithHeader]. Headers of the connection and Authorization are refused, and so are
// Idempotency-Key and X-Idempotency-Key: the API knows neither, but Go's net/http sends a POST that has one a second time when
// a connection breaks.
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
