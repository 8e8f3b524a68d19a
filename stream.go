package agentphone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/agentphone/agentphone-go/internal/redact"
	"github.com/agentphone/agentphone-go/internal/transport"
)

// stream sends op, with id in its path, and returns the response with its body unread. Unless there is an error the caller
// closes its Stream and finishes its operation.
func (s *service) stream(ctx context.Context, op *operation, id string, opts []RequestOption) (*transport.Response, *observed, error) {
	path, err := op.fill([]string{id})
	if err != nil {
		return nil, nil, err
	}
	c := s.owner()
	ctx, req, rc, err := c.begin(ctx, op, path, nil, opts)
	if err != nil {
		return nil, nil, err
	}
	res, err := c.exchange(ctx, op, req, rc)
	if err == nil {
		if err = op.checkStream(res); err == nil {
			return res, rc.observed, nil
		}
		_ = res.Stream.Close()
		err = s.unreadable(op, res, err)
	}
	rc.observed.finish(err)
	return nil, nil, err
}

// checkStream returns an error for a 2xx that is not the stream: a proxy's HTML, a part of it (206), or no content.
func (op *operation) checkStream(res *transport.Response) error {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch family, _, _ := strings.Cut(op.mediaType, "/"); {
	case res.Status != http.StatusOK:
		return errors.New("want status 200")
	case kind == op.mediaType:
		return nil
	case family == "audio" && (kind == "" || kind == "application/octet-stream" || strings.HasPrefix(kind, "audio/")):
		return nil
	}
	return fmt.Errorf("the content type is %s, want %s", cmp.Or(redact.Line(redact.Text(kind, res.Key), maxName), "missing"), op.mediaType)
}

// unreadable returns the error of a stream that cannot be decoded.
func (s *service) unreadable(op *operation, res *transport.Response, err error) error {
	return s.client.decodeError(op, res, err)
}

// streamError returns the error of a stream that broke off.
func (s *service) streamError(op *operation, res *transport.Response, err error) error {
	return s.client.transportError(op, &transport.Error{Err: err, Attempts: res.Attempts, Key: res.Key})
}
