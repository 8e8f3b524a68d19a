package networktest

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// A server that reads nothing, and sends pings among its data, blocks the client's acknowledgments, and with them what net/http does to
// end a request.
func TestConnections_ServerThatReadsNothingHoldsNoRequest(t *testing.T) {
	t.Parallel()
	if !inOwnProcess(t) {
		return
	}
	const timeout, late = time.Second, 15 * time.Second
	srv := newHTTP2Server(t, false, func(r *http2Stream) {
		r.header("200")
		ended := time.Now().Add(timeout + late)
		for time.Now().Before(ended) { // the server reads nothing while it responds
			r.data("     ", 0)
			for range 1000 {
				r.frame(h2Ping, 0, 0, make([]byte, 8))
			}
		}
	})
	trust(t, &tls.Config{RootCAs: srv.cert.roots})
	c := newClient(t, srv.url, agentphone.WithTimeout(timeout), agentphone.WithMaxRetries(0))
	began := time.Now()
	err := apitest.CreateCall(t.Context(), c)
	require.ErrorIs(t, err, agentphone.ErrOutcomeUnknown)
	t.Log(time.Since(began))
	assert.Less(t, time.Since(began), timeout+12*time.Second)
}
