package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The server is a process of its own, this program with serverEnv set, so that the CPU time of the
// measuring process is that of the client alone.
const serverEnv = "AGENTPHONE_BENCH_SERVER"

const acceptedPath = "/accepted" // how many connections the server has accepted

// serveIfAsked serves until standard input ends, if this process is the server, and does not return.
func serveIfAsked() {
	if os.Getenv(serverEnv) == "" {
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fatal(err)
	}
	var accepted atomic.Int64
	mux := http.NewServeMux()
	mux.Handle("/", &api{calls: listedPage})
	for name, h := range webhookHandlers() {
		mux.Handle(webhookPaths[name], h)
	}
	mux.HandleFunc(acceptedPath, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, accepted.Load()) })
	server := http.Server{
		Handler: mux, ReadHeaderTimeout: timeout,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				accepted.Add(1)
			}
		},
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the measuring process, however that ends
		os.Exit(0)
	}()
	fatal(server.Serve(listener))
}

// server is the other process.
type server struct {
	url     string
	process *exec.Cmd
	stdin   io.Closer
}

func startServer(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{process: exec.CommandContext(ctx, self)}
	s.process.Env = append(os.Environ(), serverEnv+"=1")
	s.process.Stderr = os.Stderr
	stdin, err := s.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	s.stdin = stdin
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the server does not say its address: %w", err)
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

func (s *server) stop() {
	_ = s.stdin.Close()
	_ = s.process.Wait()
}

// accepted returns how many connections the server accepted. It uses one of its own, which is counted.
func (s *server) accepted(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+acceptedPath, nil)
	if err != nil {
		return 0, err
	}
	asking := &http.Transport{DisableKeepAlives: true}
	resp, err := asking.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(body))
	return n - 1, err
}

// pool makes a connection pool as large as the SDK's own. Each client has one.
func pool() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 512
	t.MaxIdleConnsPerHost = 256
	t.IdleConnTimeout = 30 * time.Second
	return t
}
