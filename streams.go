package agentphone

import (
	"context"
	"errors"
	"io"
	"mime"
	"time"

	"github.com/agentphone/agentphone-go/internal/transport"
)

// stream is do for an answer that is read as it comes. The caller closes it.
func (s *service) stream(ctx context.Context, op *operation, id string, opts []RequestOption) (*transport.Response, error) {
	if s == nil || s.client == nil {
		return nil, errNoClient
	}
	path, err := op.fill([]string{id})
	if err != nil {
		return nil, err
	}
	req, rc, err := s.client.newRequest(ctx, op, path, nil, opts)
	if err != nil {
		return nil, err
	}
	res, err := s.client.exchange(ctx, op, req, rc)
	if err != nil {
		return nil, err
	}
	// A page that somebody put in the way would pass for an empty stream or a broken recording.
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind == "text/html" || kind == "application/json" {
		_ = res.Stream.Close()
		return nil, &DecodeError{
			Operation: op.String(), StatusCode: res.Status, RequestID: res.Header.Get("X-Request-Id"),
			Attempts: res.Attempts, Err: errors.New("it is " + kind + ", not " + op.streams),
		}
	}
	return res, nil
}

// streamError is a stream that broke off.
func (s *service) streamError(op *operation, attempts int, err error) error {
	return s.client.transportError(op, &transport.Error{Err: err, Attempts: attempts})
}

var opGetRecording = operation{
	method: "GET", path: "/v1/calls/{call_id}/recording", noKey: true,
	streams: "audio/wav", silence: 30 * time.Second,
}

// DownloadRecording writes a call's recording, a WAV file, to w as it comes, and returns how many bytes
// it wrote. [ErrNotFound]: there is none. No key is sent. (GET /v1/calls/{call_id}/recording)
//
// It is retried until the download begins. A download that breaks off, or stands still for 30 s,
// is an error, and w has the part that came.
func (s *CallsService) DownloadRecording(ctx context.Context, callID string, w io.Writer, opts ...RequestOption) (int64, error) {
	if w == nil {
		return 0, &ValidationError{"w", "is nil"}
	}
	svc := (*service)(s)
	res, err := svc.stream(ctx, &opGetRecording, callID, opts)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Stream.Close() }()
	n, err := io.Copy(w, res.Stream)
	if err != nil {
		return n, svc.streamError(&opGetRecording, res.Attempts, err)
	}
	return n, nil
}
