package agentphone

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

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
	rc, err := c.cfg.requestConfig(opts)
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
		Once: op.once, NoKey: op.noKey, MaxRetries: rc.maxRetries, Timeout: rc.timeout,
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
		failed = &transport.Error{Err: err, MayHaveActed: op.once}
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

var (
	errEmptyAnswer = errors.New("it is empty")
	errForeign     = errors.New("it is an error's")
)

// isForeign: an error's body behind a 2xx, such as {"detail": "down for maintenance"}, of which nothing was read, for
// out has no field for it.
func isForeign(body []byte, out any) bool {
	v := reflect.ValueOf(out).Elem()
	var object map[string]json.RawMessage
	if body[0] != '{' || v.Kind() != reflect.Struct || !v.IsZero() || json.Unmarshal(body, &object) != nil {
		return false
	}
	for _, name := range []string{"detail", "error"} {
		if _, there := object[name]; there && !hasField(v.Type(), name) {
			return true
		}
	}
	return false
}

// hasField: does encoding/json read a name into the struct?
func hasField(t reflect.Type, name string) bool {
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return strings.EqualFold(cmp.Or(tag, f.Name), name)
	})
}

func (c *Client) decode(op *operation, res *transport.Response, out any) error {
	body := bytes.TrimSpace(res.Body)
	var err error
	if len(body) == 0 || string(body) == "null" {
		body = []byte("{}")
		if !op.emptyAnswer {
			err = errEmptyAnswer
		}
	}
	if err == nil {
		err = checkSize(body)
	}
	if err == nil {
		if d, ok := out.(interface{ decodeBody([]byte) error }); ok {
			err = d.decodeBody(body)
		} else {
			err = json.Unmarshal(body, out)
		}
	}
	if err == nil && !op.emptyAnswer && isForeign(body, out) {
		err = errForeign
	}
	if err == nil {
		return nil
	}
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) { // its text may quote the value
		err = fmt.Errorf("field %q is not of the type %v", mistyped.Field, mistyped.Type.Kind())
	}
	return &DecodeError{
		Operation: op.String(), StatusCode: res.Status, RequestID: res.Header.Get("X-Request-Id"),
		Attempts: res.Attempts, Body: withoutKey(res.Body, c.cfg.transport.Key()),
		Err: err, outcomeUnknown: op.once,
	}
}

// Do calls an endpoint that the package has no method for. path is below the base
// URL and escaped by the caller: "/v1/calls/" + url.PathEscape(id); add a query with
// [WithQuery]. in, unless nil, is sent as JSON with POST, PUT and PATCH, and must be nil with
// other methods; the answer is decoded into out, unless that is nil.
//
// The client's rules hold: the key, time-outs, errors, and retries, where a POST counts as an
// operation that acts once (see [ErrOutcomeUnknown]) and the other methods as safe. Errors
// and logs name the operation "GET {path}", for the path may hold a phone number.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...RequestOption) error {
	op := &operation{method: method, path: "{path}", once: method == http.MethodPost}
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

func checkDoPath(path string) error {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return &ValidationError{"path", `does not begin with one "/"`}
	}
	if strings.ContainsAny(path, "?#\\") || strings.ContainsFunc(path, isControl) {
		return &ValidationError{"path", "has a query, a fragment, a backslash or a control character"}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if s, err := url.PathUnescape(segment); err != nil || s == "." || s == ".." {
			return &ValidationError{"path", `has a "." or ".." segment or a bad escape`}
		}
	}
	return nil
}

// Response is what [WithResponse] fills in: the last answer as it came. It is
// filled in for an error answer too.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte // nil for a streamed answer
	Attempts  int    // requests made in all
	RequestID string // header X-Request-Id
}

func (r *Response) set(res *transport.Response) {
	if r != nil {
		*r = Response{res.Status, res.Header.Clone(), res.Body, res.Attempts, res.Header.Get("X-Request-Id")}
	}
}
