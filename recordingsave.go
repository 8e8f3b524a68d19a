package agentphone

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// RecordingGrace is how long [CallsService.DownloadRecording] and [CallsService.SaveRecording] wait for a recording while there is
// none yet, as for some moments after the call has ended: they ask for it every two seconds. It is given as a request option;
// without it they fail with [ErrNotFound] at once. A call that never gets a recording, or does not exist, is ErrNotFound after
// the grace.
type RecordingGrace time.Duration

func (g RecordingGrace) apply(rc *requestConfig) error {
	return firstOf(rc.only("RecordingGrace", &opGetRecording), notNegative("RecordingGrace", time.Duration(g)))
}

const recordingPoll = 2 * time.Second

// recordingGrace returns the grace among options.
func recordingGrace(opts []RequestOption) time.Duration {
	var grace RecordingGrace
	for _, opt := range opts {
		if g, ok := opt.(RecordingGrace); ok {
			grace = g
		}
	}
	return time.Duration(grace)
}

// SaveRecording downloads the recording of a call to a file and returns its size in bytes. The file is whole, or it is not there:
// it is written under another name in the same folder, and renamed when all of it is on the disk. A file of that name is
// replaced; if the download fails, it stays as it was. Otherwise SaveRecording is as [CallsService.DownloadRecording].
// (GET /v1/calls/{call_id}/recording)
func (s *CallsService) SaveRecording(ctx context.Context, callID, path string, opts ...RequestOption) (n int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return 0, fmt.Errorf("agentphone: save recording: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	n, err = s.DownloadRecording(ctx, callID, file, opts...)
	if err != nil {
		_ = file.Close()
		return n, err
	}
	const readable = 0o644 // as os.Create makes a file; CreateTemp makes it private
	if err = errors.Join(file.Chmod(readable), file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return n, fmt.Errorf("agentphone: save recording: %w", err)
	}
	return n, nil
}
