package page

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/agentphone/agentphone-go/devphone/record"
)

// saved serves what was done as a scenario.
func saved(control http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		recording, err := record.Of(control, record.Selection{Call: query.Get("call"), Person: query.Get("person"), Number: query.Get("number")})
		var file bytes.Buffer
		if err == nil {
			err = recording.Write(&file)
		}
		w.Header().Set("Cache-Control", "no-store")
		if err != nil {
			status := http.StatusUnprocessableEntity // such as a file that is too large
			if errors.Is(err, record.ErrNothing) {
				status = http.StatusNotFound
			}
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(err.Error() + "\n"))
			return
		}
		w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="`+recording.FileName()+`"`)
		_, _ = w.Write(file.Bytes())
	})
}
