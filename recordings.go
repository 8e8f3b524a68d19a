package agentphone

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

var opGetRecording = operation{
	method: "GET", path: "/v1/calls/{call_id}/recording", idempotent: true, noKey: true,
	mediaType: "audio/wav", silence: 30 * time.Second,
}

// DownloadRecording writes a call's recording, a WAV file, to w as it comes, and returns how many bytes
// it wrote. [ErrNotFound]: there is none. No key is sent. (GET /v1/calls/{call_id}/recording)
//
// It is retried until the download begins. A download that breaks off, or stands still for 30 s,
// is an error, and w has the part that came. An answer that is no recording is a *[DecodeError].
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
	in := bufio.NewReader(res.Stream)
	begin, err := in.Peek(512)
	switch {
	case len(begin) == 0 && err == io.EOF:
		return 0, svc.unreadable(&opGetRecording, res, errEmptyBody)
	case res.Header.Get("Content-Type") == "" && strings.HasPrefix(http.DetectContentType(begin), "text/"):
		return 0, svc.unreadable(&opGetRecording, res, errors.New("it is a text, not "+opGetRecording.mediaType))
	}
	whole := riffSize(begin)
	n, err := io.Copy(w, in)
	if err == nil && res.EndsByClose && n < whole {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return n, svc.streamError(&opGetRecording, res.Attempts, err)
	}
	return n, nil
}

// riffSize is how long a WAV file says that it is; 0 if it does not say, as one that was written while it was recorded.
func riffSize(begin []byte) int64 {
	if len(begin) < 8 || string(begin[:4]) != "RIFF" {
		return 0
	}
	const placeholder = 0x7ffff000 // those in use are above
	size := binary.LittleEndian.Uint32(begin[4:])
	if size >= placeholder {
		return 0
	}
	return int64(size) + 8
}
