package agentphone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"

	"github.com/google/go-querystring/query"

	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

// do sends op, with args in its path, and decodes the response into a new T. params, unless nil, are the query of a GET
// or DELETE, and the JSON body of any other request.
func do[T any](ctx context.Context, s *service, op *operation, args []string, params any, opts []RequestOption) (*T, error) {
	out := new(T)
	if err := s.send(ctx, op, args, params, out, opts); err != nil {
		return nil, err
	}
	return out, nil
}

// call sends an operation whose response says only that it succeeded.
func call(ctx context.Context, s *service, op *operation, args []string, params any, opts []RequestOption) error {
	return s.send(ctx, op, args, params, &success{}, opts)
}

// send sends op, with args in its path, and decodes the response into out.
func (s *service) send(ctx context.Context, op *operation, args []string, params, out any, opts []RequestOption) error {
	path, err := op.fill(args)
	if err != nil {
		return err
	}
	return s.owner().call(ctx, op, path, params, out, opts)
}

// call sends a request and decodes its response into out, unless that is nil.
func (c *Client) call(ctx context.Context, op *operation, path string, params, out any, opts []RequestOption) error {
	ctx, req, rc, err := c.begin(ctx, op, path, params, opts)
	if err == nil {
		err = c.complete(ctx, op, req, rc, params, out)
		rc.observed.finish(err)
	}
	return err
}

// begin makes a request and begins its operation, which the caller finishes unless there is an error.
func (c *Client) begin(
	ctx context.Context, op *operation, path string, params any, opts []RequestOption,
) (context.Context, *transport.Request, *requestConfig, error) {
	req, rc, err := c.newRequest(ctx, op, path, params, opts)
	if err != nil {
		return ctx, nil, nil, err
	}
	ctx, rc.observed = c.observe(transport.PlainContext(ctx), op, req, rc)
	if err := c.cfg.authorize(ctx, op, req); err != nil {
		rc.observed.finish(err)
		return ctx, nil, nil, err
	}
	return ctx, req, rc, nil
}

// complete sends a request that has been begun, and decodes its response into out, unless that is nil.
func (c *Client) complete(ctx context.Context, op *operation, req *transport.Request, rc *requestConfig, params, out any) error {
	if req.Keyed {
		return c.newKeyedCall(op, req, rc, params).do(ctx, out)
	}
	res, err := c.exchange(ctx, op, req, rc)
	if err != nil {
		return err
	}
	return c.decode(ctx, op, res, out)
}

var errNoClient = errors.New("agentphone: the Client was not made by NewClient")

// exchange sends a request, with retries, and returns its response, which is a 2xx. For any other response it returns
// an *APIError. All requests of the package are sent here.
func (c *Client) exchange(ctx context.Context, op *operation, req *transport.Request, rc *requestConfig) (*transport.Response, error) {
	res, err := c.cfg.transport.Do(ctx, req)
	rc.observed.received(res, err)
	if err != nil {
		rc.response.setLast(err)
		return nil, c.transportError(op, err)
	}
	rc.response.set(res)
	if result := op.resultOf(res); result != nil {
		res.Body = result
		return res, nil
	}
	if res.Status/100 == 2 {
		return res, nil
	}
	failed := c.apiError(op, res)
	if op.method == http.MethodDelete && res.Status == http.StatusNotFound && res.Repeats && failed.isAPIs {
		res.Status, res.Body = http.StatusOK, []byte(`{"success":true}`) // an earlier attempt deleted it
		return res, nil
	}
	return nil, failed
}

// newRequest checks and encodes everything but the key.
func (c *Client) newRequest(ctx context.Context, op *operation, path string, params any, opts []RequestOption) (*transport.Request, *requestConfig, error) {
	if c == nil || c.cfg == nil {
		return nil, nil, errNoClient
	}
	if ctx == nil {
		return nil, nil, &ValidationError{"ctx", "is nil"}
	}
	rc, err := c.cfg.requestConfig(op, opts)
	if err != nil {
		return nil, nil, err
	}
	if v := reflect.ValueOf(params); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil, &ValidationError{"params", "is a nil pointer"}
	}
	if err := checkParams(params); err != nil {
		return nil, nil, err
	}
	req := &transport.Request{
		Subject: transport.Subject{Operation: op, Keyed: rc.idempotencyKey != ""}, Method: op.method, UserAgent: c.cfg.userAgent, Accept: "application/json", Header: rc.header,
		Idempotent: op.idempotent, Alone: op.untyped, MaxRetries: rc.maxRetries, Timeout: rc.timeout,
		Stream: op.mediaType != "", Silence: op.silence, Steady: op.steady,
	}
	if op.mediaType != "" {
		req.Accept = op.mediaType
		req.Header.Del("Accept")
	}
	if err := encode(req, rc, params); err != nil {
		return nil, nil, fmt.Errorf("agentphone: %s: the parameters cannot be encoded: %w", op, err)
	}
	// The base URL and the escaped path are joined as text, because JoinPath would clean the path, and so change an id.
	req.URL, err = url.Parse(c.cfg.address + path)
	if err != nil || req.URL.Host != c.cfg.transport.Base.Host {
		return nil, nil, &ValidationError{"path", "is not a path below the base URL"}
	}
	req.URL.RawQuery, req.Server = rc.query.Encode(), req.URL.Host
	return req, rc, nil
}

func encode(req *transport.Request, rc *requestConfig, params any) (err error) {
	if !hasBody(req.Method) {
		if params == nil {
			return nil
		}
		values, err := query.Values(params)
		if err != nil {
			return err
		}
		for key, list := range rc.query {
			values[key] = append(values[key], list...)
		}
		rc.query = values
		return nil
	}
	req.Body = []byte("{}")
	if params != nil {
		req.Body, err = json.Marshal(params)
	}
	return err
}

func (c *Client) transportError(op *operation, err error) error {
	var failed *transport.Error
	if !errors.As(err, &failed) {
		failed = &transport.Error{Err: err, OutcomeUnknown: !op.idempotent}
	}
	if failed.Cut != nil {
		return &DecodeError{
			Operation: op.String(), StatusCode: failed.Cut.Status, RequestID: requestID(failed.Cut),
			Attempts: failed.Attempts, Err: causedBy(failed.Err, failed.Key), outcomeUnknown: failed.OutcomeUnknown, cut: true,
		}
	}
	e := &TransportError{
		Operation: op.String(), Attempts: failed.Attempts,
		Err: causedBy(failed.Err, failed.Key), Last: causedBy(failed.LastErr, failed.Key),
		outcomeUnknown: failed.OutcomeUnknown, temporary: failed.Temporary,
	}
	if failed.Last != nil {
		e.Last = c.apiError(op, failed.Last)
	}
	return e
}

// requestID returns the header X-Request-Id, redacted.
func requestID(res *transport.Response) string {
	return redact.Text(res.Header.Get("X-Request-Id"), res.Key)
}

func (c *Client) apiError(op *operation, res *transport.Response) *APIError {
	e := newAPIError(op, res)
	e.repeats = res.Repeats
	e.outcomeUnknown = res.OutcomeUnknown
	return e
}

// Do sends a request to an endpoint that the package has no method for. path is relative to the base URL and escaped by
// the caller, as in "/v1/calls/" + url.PathEscape(id); [WithRequestQuery] adds a query. in is sent as JSON if method is
// POST, PUT or PATCH ({} if in is nil), and must be nil for GET, HEAD and DELETE. The response is decoded into out,
// unless that is nil.
//
// Key, timeouts, retries and errors are those of the client's methods. A POST counts as not idempotent (see
// [ErrOutcomeUnknown]), other methods as idempotent. Errors and logs name the operation as "GET {path}", since the path
// may contain a phone number.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...RequestOption) error {
	op := &operation{name: ".Do", method: method, path: "{path}", idempotent: method != http.MethodPost, untyped: true}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		if in != nil {
			return &ValidationError{"in", "a " + method + " request has no body"}
		}
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return &ValidationError{"method", "is not one of GET, HEAD, POST, PUT, PATCH, DELETE"}
	}
	if v := reflect.ValueOf(out); out != nil && (v.Kind() != reflect.Pointer || v.IsNil()) {
		return &ValidationError{"out", "is not a pointer, or is nil"}
	}
	if err := checkDoPath(path); err != nil {
		return err
	}
	return c.call(ctx, op, path, in, out, opts)
}
