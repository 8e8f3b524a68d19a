package networktest

import (
	"cmp"
	"context"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// discardLog drops what a server logs about its broken connections.
var discardLog = log.New(io.Discard, "", 0)

// chaosProxy is a handler before another that fails requests as networks and proxies do.
type chaosProxy struct {
	behind http.Handler
	// resets is how many broken requests there are to one that resets its connection. Over HTTP/2 that ends all other
	// requests on the connection.
	resets int

	mu          sync.Mutex
	rand        *rand.Rand
	requests    int
	connections int
	conns       map[net.Conn]bool // that are open
	faults      map[string]int
}

// chaosConn is the context key for the connection of a request.
type chaosConn struct{}

func newChaosProxy(behind http.Handler, seed uint64, resets int) *chaosProxy {
	return &chaosProxy{
		behind: behind, resets: resets, rand: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // faults need no secure randomness
		conns: map[net.Conn]bool{}, faults: map[string]int{},
	}
}

// chaosFaults are the kinds of faults: how often each occurs in proportion to the others, and what it does. dice is a
// random number below 1<<20.
var chaosFaults = []struct {
	name   string
	weight int
	serve  func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int)
}{
	{"none", 60, (*chaosProxy).forward},
	{"slow", 8, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int) {
		time.Sleep(time.Duration(dice%20) * time.Millisecond)
		p.forward(w, r, dice)
	}},
	{"refused", 8, func(_ *chaosProxy, w http.ResponseWriter, _ *http.Request, dice int) {
		// These responses promise that the request was not processed.
		status := []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[dice%2]
		after := []string{"0", "0.01", time.Now().UTC().Format(http.TimeFormat), ""}[dice/2%4]
		if after != "" || status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", cmp.Or(after, "0"))
		}
		w.WriteHeader(status)
	}},
	{"error before processing", 5, func(_ *chaosProxy, w http.ResponseWriter, _ *http.Request, dice int) { respondLikeProxy(w, dice) }},
	{"error after processing", 5, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int) {
		p.behind.ServeHTTP(httptest.NewRecorder(), r)
		respondLikeProxy(w, dice)
	}},
	{"broken before processing", 3, func(p *chaosProxy, _ http.ResponseWriter, r *http.Request, dice int) { p.breakOff(r, dice) }},
	{"broken after processing", 4, func(p *chaosProxy, _ http.ResponseWriter, r *http.Request, dice int) {
		p.behind.ServeHTTP(httptest.NewRecorder(), r)
		p.breakOff(r, dice)
	}},
	{"truncated", 4, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int) {
		response := httptest.NewRecorder()
		p.behind.ServeHTTP(response, r)
		body := response.Body.Bytes()
		w.Header().Set("Content-Type", "application/json")
		if dice%2 == 0 {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(response.Code)
		_, _ = w.Write(body[:dice%max(1, len(body))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}},
	{"garbled", 1, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, _ int) {
		p.behind.ServeHTTP(httptest.NewRecorder(), r)
		_, _ = w.Write([]byte("<html>200, but not JSON</html>"))
	}},
	{"connection reset meanwhile", 2, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int) {
		if dice/4096%p.resets == 0 {
			time.AfterFunc(time.Duration(dice%4096)*time.Microsecond, func() { resetConnection(r) })
		}
		p.forward(w, r, dice)
	}},
}

func (p *chaosProxy) forward(w http.ResponseWriter, r *http.Request, _ int) { p.behind.ServeHTTP(w, r) }

// respondLikeProxy responds with an error that does not tell whether the server processed the request.
func respondLikeProxy(w http.ResponseWriter, dice int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader([]int{500, 502, 503, 504, 408}[dice%5])
	_, _ = w.Write([]byte("<html>Bad Gateway</html>"))
}

// breakOff resets the connection, with all requests on it, or aborts this request only.
func (p *chaosProxy) breakOff(r *http.Request, dice int) {
	if dice%p.resets == 0 {
		resetConnection(r)
	}
	panic(http.ErrAbortHandler)
}

func resetConnection(r *http.Request) { resetConn(r.Context().Value(chaosConn{}).(net.Conn), nil) }

func (p *chaosProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	total := 0
	for _, kind := range chaosFaults {
		total += kind.weight
	}
	roll, dice, kind := p.rand.IntN(total), p.rand.IntN(1<<20), chaosFaults[0]
	for _, kind = range chaosFaults {
		if roll -= kind.weight; roll < 0 {
			break
		}
	}
	p.requests++
	p.faults[kind.name]++
	p.mu.Unlock()
	// A server goes on processing when the client has gone.
	kind.serve(p, w, r.WithContext(context.WithoutCancel(r.Context())), dice)
}

// count keeps account of the connections. It is the server's ConnState hook.
func (p *chaosProxy) count(c net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(p.conns, c)
		return
	}
	if state == http.StateNew {
		p.connections++
	}
	p.conns[c] = true
}

// open returns the number of open connections.
func (p *chaosProxy) open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// chaosListener closes one connection in ten before anything is read from it.
type chaosListener struct {
	net.Listener
	proxy *chaosProxy
}

func (l chaosListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.proxy.mu.Lock()
		closeNow := l.proxy.rand.IntN(10) == 0
		if closeNow {
			l.proxy.faults["closed before the handshake"]++
		}
		l.proxy.mu.Unlock()
		if !closeNow {
			return c, nil
		}
		_ = c.Close()
	}
}
