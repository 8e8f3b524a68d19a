package networktest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func bodyOf(err error) []byte {
	var a *agentphone.APIError
	var d *agentphone.DecodeError
	switch {
	case errors.As(err, &a):
		return a.Body
	case errors.As(err, &d):
		return d.Body
	}
	return nil
}

// The key is quoted once whole, so that the redacted body is shorter than MaxBody, and once across the cut.
func TestErrors_BodyHoldsNoPartOfTheKey(t *testing.T) {
	key := apitest.Key
	for name, tc := range map[string]struct {
		status, end int
		whole       int
	}{
		"error": {400, 64 << 10, 1}, "decode": {200, 64<<10 + len(key), 2},
	} {
		t.Run(name, func(t *testing.T) {
			head := strings.Repeat(key+" ", tc.whole)
			body := head + strings.Repeat("x", tc.end-len(head)-(len(key)-1)) + key + "tail"
			c, _ := apitest.NewClient(t, apitest.Always(tc.status, body), apitest.NoWait)
			b := bodyOf(apitest.GetAgent(t.Context(), c))
			if left := key[:len(key)-1]; bytes.Contains(b, []byte(left)) {
				t.Errorf("%d bytes, ends with %q: all of the key but one character", len(b), b[len(b)-30:])
			}
		})
	}
}

// A key of a KeySource was sent in an earlier request; the server quotes it to a request that needs no key, or after a rotation.
func TestErrors_NeverHoldAKeyThatWasReplaced(t *testing.T) {
	key := apitest.Key
	quote := func(w http.ResponseWriter) {
		w.Header().Set("X-Request-Id", key)
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"detail":"`+key+`"}`)
	}
	keys := []string{key, "sk_live_rotated0000000"}
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { quote(w) }))
	defer srv.Close()
	c, err := agentphone.NewClient("", agentphone.WithBaseURL(srv.URL), agentphone.WithKeySource(func(context.Context) (string, error) {
		k := keys[min(n, 1)]
		n++
		return k, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := apitest.GetAgent(t.Context(), c); strings.Contains(err.Error(), key) {
		t.Error("first", err)
	}
	if err := apitest.GetAgent(t.Context(), c); strings.Contains(err.Error(), key) {
		t.Error("after rotation:", err)
	}
	if _, err := c.Calls.DownloadRecording(t.Context(), "c", io.Discard); strings.Contains(err.Error(), key) {
		t.Error("recording:", err)
	}
}

// A response that quotes the key is still what it was, but for the key: an error has its message, and the record of a result
// with an idempotency key can be read.
func TestRedaction_LeavesTheRestOfAResponse(t *testing.T) {
	for n := range 6 {
		text, err := json.Marshal("use " + strings.Repeat(`\`, n) + apitest.Key + ` \`)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := apitest.NewClient(t, apitest.Always(400, `{"detail":`+string(text)+`}`))
		err = apitest.GetAgent(t.Context(), c)
		var refused *agentphone.APIError
		if want := "use " + strings.Repeat(`\`, n) + `[REDACTED] \`; !errors.As(err, &refused) || refused.Message != want {
			t.Errorf("%d backslashes: %v, want %q", n, err, want)
		}
		c, s := apitest.NewClient(t, apitest.Always(200, `{"id":"agt_1","name":`+string(text)+`}`))
		for range 2 {
			agent, err := c.Agents.Create(t.Context(), agentphone.CreateAgentParams{Name: "x"}, agentphone.WithIdempotencyKey("k"))
			if err != nil || agent.ID != "agt_1" {
				t.Errorf("%d backslashes: %v", n, err)
			}
		}
		if len(s.Requests()) != 1 {
			t.Errorf("%d requests", len(s.Requests()))
		}
	}
}

// A typed error of a RoundTripper, and json.
type typedError struct {
	Header http.Header
}

func (e *typedError) Error() string { return "rate limited by the gateway" }

func TestErrors_EncodedAsJSONHoldNoKey(t *testing.T) {
	c := apitest.NewClientOver(t, apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		return nil, &typedError{r.Header}
	}), apitest.NoWait)
	err := apitest.GetAgent(t.Context(), c)
	b, jerr := json.Marshal(err)
	if strings.Contains(string(b), apitest.Key) {
		t.Errorf("json.Marshal: %s %v", b, jerr)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Error("x", "err", err)
	slog.New(slog.NewTextHandler(&log, nil)).Error("x", "err", err)
	slog.New(slog.NewJSONHandler(&log, nil)).Error("x", "err", struct{ E error }{err})
	_, _ = fmt.Fprintf(&log, "%v %+v %#v %q %s %d", err, err, err, err, err, err)
	_, _ = fmt.Fprintf(&log, "%+v", struct{ e error }{err})
	if strings.Contains(log.String(), apitest.Key) {
		t.Errorf("%s", log.String())
	}
}

// A sub-account whose id is white space.
func TestForSubAccount_WhiteSpaceNeverActsOnTheMainAccount(t *testing.T) {
	for _, id := range []string{" ", "   ", " sub_1 "} {
		var seen []string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, fmt.Sprintf("%q", r.Header.Get("X-Sub-Account-Id")))
			_, _ = io.WriteString(w, `{"id":"x"}`)
		}))
		c, _ := agentphone.NewClient(apitest.Key, agentphone.WithBaseURL(srv.URL), apitest.NoWait)
		err := apitest.CreateCall(t.Context(), c.ForSubAccount(id))
		if err == nil {
			t.Errorf("id %q: accepted; the server sees X-Sub-Account-Id %v", id, seen)
		}
		srv.Close()
	}
	c, _ := apitest.NewClient(t, apitest.Always(200, `{"id":"x"}`))
	if err := apitest.Err(c.ForSubAccount("sub_1").Agents.Get(t.Context(), "a", agentphone.WithRequestHeader("X-Sub-Account-Id", ""))); err == nil {
		t.Error(`WithRequestHeader("X-Sub-Account-Id", "") lifts the scope of ForSubAccount`)
	}
}
