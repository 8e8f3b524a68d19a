package main

import (
	"log"
	"net/http"
	"strconv"
	"time"

	"github.com/agentphone/agentphone-go/devphone/internal/terminal"
)

// logged logs each request.
func logged(next http.Handler, logger *log.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		status := &statusWriter{ResponseWriter: w}
		defer func() { // even if the handler breaks the connection off
			outcome := "broken off"
			if status.status != 0 {
				outcome = strconv.Itoa(status.status)
			}
			logger.Printf("%s %s %s %v", r.Method, terminal.Line(r.URL.RequestURI(), 500), outcome, time.Since(start).Round(time.Millisecond))
		}()
		next.ServeHTTP(status, r)
	})
}

// statusWriter notes the status of the response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush a stream and reset a connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
