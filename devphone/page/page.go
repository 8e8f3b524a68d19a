// Package page is a phone in the browser: a page on top of the API in memory and its control API.
package page

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed static
var files embed.FS

// ControlPath is where the control API is (docs/control.md).
const ControlPath = "/_control"

// ScenarioPath is where what was done is a file for `devphone test`: all of it, or with ?person=, ?number= or ?call= a part.
const ScenarioPath = "/_scenario"

const staticPath = "/_page"

// recordingPattern is what the SDKs send no key to: who knows the id of the call knows the recording.
const recordingPattern = "GET /v1/calls/{call_id}/recording"

// Server is the API in memory, an [agentphonetest.Server].
type Server interface {
	http.Handler
	ControlHandler() http.Handler
	HasAPIKey(key string) bool
}

// Handler serves the page at /, the control API below [ControlPath], what was done at [ScenarioPath], and everything else by
// api, which serves srv.
func Handler(srv Server, api http.Handler, guard Guard) http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // it is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("/", guard.withKey(srv, api))
	mux.Handle(recordingPattern, withoutBody(api))
	mux.Handle("/{$}", guard.withToken(index(static)))
	mux.Handle(staticPath+"/", guard.withToken(fresh(http.StripPrefix(staticPath, http.FileServerFS(static)))))
	control := srv.ControlHandler()
	mux.Handle(ControlPath+"/", guard.withToken(http.StripPrefix(ControlPath, control)))
	mux.Handle("GET "+ScenarioPath, guard.withToken(saved(control)))
	return guard.SameSite(mux)
}

// withoutBody reads no body, which those who have neither key nor token would fill the memory with.
func withoutBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = http.NoBody, 0
		next.ServeHTTP(w, r)
	})
}

// index serves the page itself.
func index(static fs.FS) http.Handler {
	return fresh(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		http.ServeFileFS(w, r, static, "index.html")
	}))
}

// fresh has browsers ask each time: the next devphone at this address may be another version.
func fresh(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}
