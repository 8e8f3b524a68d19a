package networktest

import (
	"net"
	"sync"
	"time"
)

// weatherPort is what the servers down to the bytes have in common: a listener and its connections.
type weatherPort struct {
	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	accepted int
	closing  time.Time
}

func (p *weatherPort) accept(serve func(net.Conn)) {
	defer p.running.Done()
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.accepted++
		p.conns[c] = true
		if !p.closing.IsZero() {
			_ = c.SetReadDeadline(p.closing)
		}
		p.running.Add(1)
		p.mu.Unlock()
		go func() {
			defer p.running.Done()
			serve(c)
			_ = c.Close()
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
		}()
	}
}

func (p *weatherPort) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// drain waits for requests that come late, then closes.
func (p *weatherPort) drain() {
	p.mu.Lock()
	p.closing = time.Now().Add(weatherLate)
	for c := range p.conns {
		_ = c.SetReadDeadline(p.closing)
	}
	p.mu.Unlock()
	time.Sleep(weatherLate)
	p.close()
}

func (p *weatherPort) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for c := range p.conns {
		_ = c.SetDeadline(time.Unix(1, 0))
	}
	p.closing = time.Unix(1, 0)
	p.mu.Unlock()
	p.running.Wait()
}
