package agentphone

import (
	"net/http"
	"time"
)

// bodyTimeout is how long reading the body of a webhook request may take.
const bodyTimeout = 10 * time.Second

// readDeadline sets the read deadline of a webhook request: the server itself may have none for the body, and anybody
// can send a byte now and then. A response writer without deadlines, or that hides them, is left alone.
type readDeadline struct{ rc *http.ResponseController }

// setForBody leaves time for the body, or what the ReadTimeout of the server leaves if that is shorter.
func (d readDeadline) setForBody(r *http.Request) {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if ok && server.ReadTimeout > 0 && server.ReadTimeout <= bodyTimeout {
		return
	}
	_ = d.rc.SetReadDeadline(time.Now().Add(bodyTimeout))
}

// clear removes the deadline. It is called when the body has been read to its end: then net/http reads on to see whether the sender hangs
// up, and would take the end of the deadline for that. If the body was not read the deadline stays, because net/http reads
// the rest before it responds.
func (d readDeadline) clear() { _ = d.rc.SetReadDeadline(time.Time{}) }
