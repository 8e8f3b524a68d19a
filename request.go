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

	"github.com/agentphone/agentphone-go/internal/transport"
)

// do is the one way from a service method to the transport and back. params, if
// any, are the query of a GET and the JSON body of anything else.
func do[T any](ctx context.Context, s *service, op *operation, args []string, params any, opts []RequestOption) (*T, error) {
	out := new(T)
	if err := s.send(ctx, op, args, params, out, opts); err != nil {
		return nil, err
	}
	return out, nil
}

// call is do for an operation whose response says nothing but that it succeeded.
func call(ctx context.Context, s *service, op *operation, args []string, params any, opts []RequestOption) error {
	return s.send(ctx, op, args, params, &success{}, opts)
}

func (s *service) send(ctx context.Context, op *operation, args []string, params, out any, opts []RequestOption) error {
	if s == nil || s.client == nil {
		return errNoClient
	}
	path, err := op.fill(args)
	if err != nil {
		return err
	}
	return s.client.call(ctx, op, path, params, out, opts)
}

var errNoClient = errors.New("agentphone: the Client was not made by NewClient")

func (c *Client) call(ctx context.Context, op *operation, path string, params, out any, opts []RequestOption) error {
	req, rc, err := c.newRequest(ctx, op, path, params, opts)
	if err != nil {
		return err
	}
	res, err := c.exchange(ctx, op, req, rc)
	if err != nil || out == nil {
		return err
	}
	return c.decode(op, res, out)
}

// newRequest checks and encodes everything, so that what fails later is the network's.
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
	if c.cfg.transport.Key() == "" && !op.noKey {
		return nil, nil, fmt.Errorf("agentphone: %s: %w", op, ErrNoAPIKey)
	}
	if v := reflect.ValueOf(params); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil, &ValidationError{"params", "is a nil pointer"}
	}
	if v, ok := params.(interface{ validate() error }); ok {
		if err := v.validate(); err != nil {
			return nil, nil, err
		}
	}
	req := &transport.Request{
		Operation: op, Method: op.method, UserAgent: c.cfg.userAgent, Accept: "application/json", Header: rc.header,
		Idempotent: op.idempotent, NoKey: op.noKey, MaxRetries: rc.maxRetries, Timeout: rc.timeout,
		Stream: op.streams != "", Silence: op.silence,
	}
	if op.streams != "" {
		req.Accept = op.streams
		req.Header.Del("Accept")
	}
	if err := encode(req, rc, params); err != nil {
		return nil, nil, fmt.Errorf("agentphone: %s: the parameters cannot be encoded: %w", op, err)
	}
	// The base path and the escaped path are joined as text: JoinPath would clean, and so change, an id.
	req.URL, err = url.Parse(c.cfg.address + path)
	if err != nil || req.URL.Host != c.cfg.transport.Base.Host {
		return nil, nil, &ValidationError{"path", "is not a path below the base URL"}
	}
	req.URL.RawQuery = rc.query.Encode()
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

// exchange sends the request. Every answer outside 2xx and every failure is one of the
// package's errors.
func (c *Client) exchange(ctx context.Context, op *operation, req *transport.Request, rc *requestConfig) (*transport.Response, error) {
	rc.response.set(&transport.Response{})
	res, err := c.cfg.transport.Do(ctx, req)
	if err != nil {
		var failed *transport.Error
		if errors.As(err, &failed) && failed.Cut != nil {
			rc.response.set(failed.Cut)
		}
		return nil, c.transportError(op, err)
	}
	rc.response.set(res)
	if res.Status/100 != 2 {
		return nil, c.apiError(op, res)
	}
	return res, nil
}

func (c *Client) transportError(op *operation, err error) error {
	key := c.cfg.transport.Key()
	var failed *transport.Error
	if !errors.As(err, &failed) {
		failed = &transport.Error{Err: err, MayHaveActed: !op.idempotent}
	}
	if failed.Cut != nil {
		return &DecodeError{
			Operation: op.String(), StatusCode: failed.Cut.Status, RequestID: failed.Cut.Header.Get("X-Request-Id"),
			Attempts: failed.Attempts, Err: cleanCause(failed.Err, key), outcomeUnknown: failed.MayHaveActed, cut: true,
		}
	}
	e := &TransportError{
		Operation: op.String(), Attempts: failed.Attempts,
		Err: cleanCause(failed.Err, key), Last: cleanCause(failed.LastErr, key),
		outcomeUnknown: failed.MayHaveActed,
	}
	if failed.Last != nil {
		e.Last = c.apiError(op, failed.Last)
	}
	return e
}

func (c *Client) apiError(op *operation, res *transport.Response) *APIError {
	e := newAPIError(op, res, c.cfg.transport.Key())
	e.outcomeUnknown = res.MayHaveActed
	return e
}

// Do calls an endpoint that the package has no method for. path is below the base
// URL and escaped by the caller: "/v1/calls/" + url.PathEscape(id); add a query with
// [WithRequestQuery]. in, unless nil, is sent as JSON with POST, PUT and PATCH, and must be nil with
// other methods; the answer is decoded into out, unless that is nil.
//
// The client's rules hold: the key, time-outs, errors, and retries, where a POST counts as an
// operation that acts once (see [ErrOutcomeUnknown]) and the other methods as safe. Errors
// and logs name the operation "GET {path}", for the path may hold a phone number.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...RequestOption) error {
	op := &operation{method: method, path: "{path}", idempotent: method != http.MethodPost}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		if in != nil {
			return &ValidationError{"in", "a " + method + " has no body"}
		}
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return &ValidationError{"method", "is none of GET, HEAD, POST, PUT, PATCH, DELETE"}
	}
	if v := reflect.ValueOf(out); out != nil && (v.Kind() != reflect.Pointer || v.IsNil()) {
		return &ValidationError{"out", "is no pointer, or a nil one"}
	}
	if err := checkDoPath(path); err != nil {
		return err
	}
	return c.call(ctx, op, path, in, out, opts)
}
