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
	name: "Calls.DownloadRecording", method: "GET", path: "/v1/calls/{call_id}/recording", idempotent: true, noKey: true,
	mediaType: "audio/wav", silence: 30 * time.Second, steady: 16 << 10,
}

// DownloadRecording writes the recording of a call, a WAV file, to w while it is received, and returns the number of
// bytes written. It sends no API key. (GET /v1/calls/{call_id}/recording)
//
// It fails with [ErrNotFound] if there is no recording, or none yet (see [RecordingGrace]), and with a *[DecodeError] if the response is not a recording.
// It is retried until the download begins. A download that breaks off, receives nothing for 30 seconds, or less than 16 KiB
// within an attempt's timeout ([WithTimeout], [WithRequestTimeout]; none if that is 0), is an error; what was received until
// then has been written to w. The time that w takes does not count. As a whole it is limited by ctx only.
func (s *CallsService) DownloadRecording(ctx context.Context, callID string, w io.Writer, opts ...RequestOption) (n int64, err error) {
	if isNil(w) {
		return 0, &ValidationError{"w", "is nil"}
	}
	svc := (*service)(s)
	res, operation, err := svc.stream(ctx, &opGetRecording, callID, opts)
	for graceEnd := time.Now().Add(recordingGrace(opts)); errors.Is(err, ErrNotFound) && time.Now().Before(graceEnd); {
		if sleep(ctx, min(recordingPoll, time.Until(graceEnd))) != nil {
			break // there is no recording yet
		}
		res, operation, err = svc.stream(ctx, &opGetRecording, callID, opts)
	}
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = res.Stream.Close()
		operation.finish(err)
	}()
	in := bufio.NewReader(res.Stream)
	begin, err := in.Peek(512) // what DetectContentType looks at
	switch {
	case len(begin) == 0 && err == io.EOF:
		return 0, svc.unreadable(&opGetRecording, res, errEmptyBody)
	case res.Header.Get("Content-Type") == "" && strings.HasPrefix(http.DetectContentType(begin), "text/"):
		return 0, svc.unreadable(&opGetRecording, res, errors.New("the body is text, want "+opGetRecording.mediaType))
	}
	size := riffSize(begin)
	n, err = io.Copy(w, in)
	if err == nil && res.EndsByClose && n < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return n, svc.streamError(&opGetRecording, res, err)
	}
	return n, nil
}

// riffSize returns the size in bytes that a WAV file has by its header, or 0 if the header has none, as in a file that
// was written during the recording.
func riffSize(begin []byte) int64 {
	if len(begin) < 8 || string(begin[:4]) != "RIFF" {
		return 0
	}
	const placeholder = 0x7ffff000 // written, or a larger size, by programs that do not know the size yet
	size := binary.LittleEndian.Uint32(begin[4:])
	if size >= placeholder {
		return 0
	}
	return int64(size) + 8
}
