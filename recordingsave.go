package agentphone

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"time"
)

// RecordingGrace is how long [CallsService.DownloadRecording] and [CallsService.SaveRecording] wait for a recording while there is
// none yet, as for some moments after the call has ended: they ask for it every two seconds. It is given as a request option;
// without it they fail with [ErrNotFound] at once. A call that never gets a recording, or does not exist, is ErrNotFound after
// the grace.
type RecordingGrace time.Duration

func (g RecordingGrace) apply(rc *requestConfig) error {
	if is, err := rc.isFor("RecordingGrace", &opGetRecording); !is {
		return err
	}
	rc.recordingGrace = time.Duration(g)
	return notNegative("RecordingGrace", rc.recordingGrace)
}

const recordingPoll = 2 * time.Second

// recordingGrace returns the grace among options, whose errors the request returns.
func recordingGrace(opts []RequestOption) time.Duration {
	rc := &requestConfig{op: &opGetRecording, header: http.Header{}, query: url.Values{}}
	_ = rc.applyAll(opts)
	return rc.recordingGrace
}

// SaveRecording downloads the recording of a call to a file and returns its size in bytes. The file is whole, or it is not there:
// it is written under another name in the same folder, and renamed when all of it is on the disk. A file of that name is
// replaced by one with the same permissions; if the download fails, it stays as it was. A new file has the permissions of one
// that [os.Create] makes. Otherwise SaveRecording is as [CallsService.DownloadRecording].
// (GET /v1/calls/{call_id}/recording)
func (s *CallsService) SaveRecording(ctx context.Context, callID, path string, opts ...RequestOption) (n int64, err error) {
	file, err := createPart(path)
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
	if err = errors.Join(file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return n, fmt.Errorf("agentphone: save recording: %w", err)
	}
	return n, nil
}

// createPart creates a file beside path. It has the permissions of the file that is to be replaced, or else those that the
// umask leaves: a recording is not to be read by more people than the program lets read its files.
func createPart(path string) (*os.File, error) {
	mode := fs.FileMode(0o666)
	old, notThere := os.Stat(path)
	if notThere == nil {
		mode = old.Mode().Perm()
	}
	file, err := os.OpenFile(path+"."+rand.Text()[:10]+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err == nil && notThere == nil {
		err = file.Chmod(mode) // of which the umask may have left less
	}
	if err != nil && file != nil {
		_, _ = file.Close(), os.Remove(file.Name())
	}
	return file, err
}
