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

var quietLog = log.New(io.Discard, "", 0)

// chaosProxy stands before a handler and does to requests what networks and proxies do.
type chaosProxy struct {
	behind http.Handler
	// resets is one in how many broken requests takes its connection with it: over HTTP/2 that is
	// the end of all others on it.
	resets int

	mu          sync.Mutex
	rand        *rand.Rand
	requests    int
	connections int
	states      map[net.Conn]http.ConnState
	weather     map[string]int
}

// chaosConn is the context key of a request's connection.
type chaosConn struct{}

func newChaosProxy(behind http.Handler, seed uint64, resets int) *chaosProxy {
	return &chaosProxy{
		behind: behind, resets: resets, rand: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // it is weather
		states: map[net.Conn]http.ConnState{}, weather: map[string]int{},
	}
}

// chaosFaults: the weight of each kind, and what it does.
var chaosFaults = []struct {
	name   string
	weight int
	serve  func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int)
}{
	{"fair", 60, (*chaosProxy).forward},
	{"slow", 8, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int) {
		time.Sleep(time.Duration(dice%20) * time.Millisecond)
		p.forward(w, r, dice)
	}},
	{"put off", 8, func(_ *chaosProxy, w http.ResponseWriter, _ *http.Request, dice int) {
		// What a proxy answers without asking the server: these promise that nothing was done.
		status := []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[dice%2]
		after := []string{"0", "0.01", time.Now().UTC().Format(http.TimeFormat), ""}[dice/2%4]
		if after != "" || status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", cmp.Or(after, "0"))
		}
		w.WriteHeader(status)
	}},
	{"fails before", 5, func(_ *chaosProxy, w http.ResponseWriter, _ *http.Request, dice int) { failAsAProxy(w, dice) }},
	{"fails after", 5, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int) {
		p.behind.ServeHTTP(httptest.NewRecorder(), r)
		failAsAProxy(w, dice)
	}},
	{"broken before", 3, func(p *chaosProxy, _ http.ResponseWriter, r *http.Request, dice int) { p.breakOff(r, dice) }},
	{"broken after", 4, func(p *chaosProxy, _ http.ResponseWriter, r *http.Request, dice int) {
		p.behind.ServeHTTP(httptest.NewRecorder(), r)
		p.breakOff(r, dice)
	}},
	{"truncated", 4, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int) {
		answer := httptest.NewRecorder()
		p.behind.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		w.Header().Set("Content-Type", "application/json")
		if dice%2 == 0 {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body[:dice%max(1, len(body))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}},
	{"garbled", 1, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, _ int) {
		p.behind.ServeHTTP(httptest.NewRecorder(), r)
		_, _ = w.Write([]byte("<html>200 and yet no answer</html>"))
	}},
	{"connection lost soon", 2, func(p *chaosProxy, w http.ResponseWriter, r *http.Request, dice int) {
		if dice/4096%p.resets == 0 {
			time.AfterFunc(time.Duration(dice%4096)*time.Microsecond, func() { resetConnection(r) })
		}
		p.forward(w, r, dice)
	}},
}

func (p *chaosProxy) forward(w http.ResponseWriter, r *http.Request, _ int) { p.behind.ServeHTTP(w, r) }

// failAsAProxy answers as one that asked, or did not ask, the server: which, nobody knows.
func failAsAProxy(w http.ResponseWriter, dice int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader([]int{500, 502, 503, 504, 408}[dice%5])
	_, _ = w.Write([]byte("<html>Bad Gateway</html>"))
}

// breakOff resets the connection, with all that is on it, or the request alone.
func (p *chaosProxy) breakOff(r *http.Request, dice int) {
	if dice%p.resets == 0 {
		resetConnection(r)
	}
	panic(http.ErrAbortHandler)
}

func resetConnection(r *http.Request) {
	conn := r.Context().Value(chaosConn{}).(net.Conn)
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

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
	p.weather[kind.name]++
	p.mu.Unlock()
	// A server works on when the client has gone.
	kind.serve(p, w, r.WithContext(context.WithoutCancel(r.Context())), dice)
}

// count keeps an account of the connections.
func (p *chaosProxy) count(c net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(p.states, c)
		return
	}
	if state == http.StateNew {
		p.connections++
	}
	p.states[c] = state
}

func (p *chaosProxy) open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.states)
}

// chaosListener closes a connection now and then before anything was said on it.
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
		cut := l.proxy.rand.IntN(10) == 0
		if cut {
			l.proxy.weather["handshake cut"]++
		}
		l.proxy.mu.Unlock()
		if !cut {
			return c, nil
		}
		_ = c.Close()
	}
}
