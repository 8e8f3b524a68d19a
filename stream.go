package agentphone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// stream is do for an answer that is read as it comes. The caller closes it.
func (s *service) stream(ctx context.Context, op *operation, id string, opts []RequestOption) (*transport.Response, error) {
	path, err := op.fill([]string{id})
	if err != nil {
		return nil, err
	}
	res, err := s.owner().send(ctx, op, path, nil, opts)
	if err != nil {
		return nil, err
	}
	if err := op.checkStreamed(res); err != nil {
		_ = res.Stream.Close()
		return nil, s.unreadable(op, res, err)
	}
	return res, nil
}

// checkStreamed refuses what would pass for an empty stream or a broken recording: a page that somebody put in the
// way, a part, or nothing.
func (op *operation) checkStreamed(res *transport.Response) error {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch family, _, _ := strings.Cut(op.mediaType, "/"); {
	case res.Status != http.StatusOK:
		return errors.New("only a 200 has what was asked for")
	case kind == op.mediaType:
		return nil
	case family == "audio" && (kind == "" || kind == "application/octet-stream" || strings.HasPrefix(kind, "audio/")):
		return nil
	}
	return fmt.Errorf("it is %s, not %s", cmp.Or(kind, "of no media type"), op.mediaType)
}

// unreadable reports a stream that cannot be decoded.
func (s *service) unreadable(op *operation, res *transport.Response, err error) error {
	return s.client.decodeError(op, res, err)
}

// streamError is a stream that broke off.
func (s *service) streamError(op *operation, attempts int, err error) error {
	return s.client.transportError(op, &transport.Error{Err: err, Attempts: attempts})
}
