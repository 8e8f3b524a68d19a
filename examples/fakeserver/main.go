// Fakeserver serves the API in memory on a port, for clients in any language.
//
//	go run ./examples/fakeserver -addr 127.0.0.1:8787
//
// It prints one line of JSON to standard output, with the url, the apiKey, and the agentId and numberId of the account
// that the server begins with, and a line to standard error for each request. With port 0 it listens on a free port.
// With -rate-limits it keeps to the API's published rates, with -no-payment-method it refuses what costs something with
// 402. SIGINT and SIGTERM stop it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/agentphone/agentphone-go/agentphonetest"
)

func main() {
	log.SetFlags(log.Ltime)
	addr := flag.String("addr", "127.0.0.1:8787", "address to listen on; with port 0 a free port")
	rateLimits := flag.Bool("rate-limits", false, "keep to the API's published rates: 429 to what comes too soon")
	noPayment := flag.Bool("no-payment-method", false, "refuse what costs something with 402")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(flag.CommandLine.Output(), "fakeserver: unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var opts []agentphonetest.Option
	if *rateLimits {
		opts = append(opts, agentphonetest.WithRateLimits())
	}
	if *noPayment {
		opts = append(opts, agentphonetest.WithoutPaymentMethod())
	}
	if err := serve(ctx, *addr, opts); err != nil {
		log.Fatal("fakeserver: ", err)
	}
}

func serve(ctx context.Context, addr string, opts []agentphonetest.Option) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fake := agentphonetest.NewServer(opts...)
	first, err := json.Marshal(struct {
		URL      string `json:"url"`
		APIKey   string `json:"apiKey"`
		AgentID  string `json:"agentId"`
		NumberID string `json:"numberId"`
	}{"http://" + reachable(listener.Addr()), fake.APIKey(), fake.AgentID(), fake.NumberID()})
	if err != nil {
		return err
	}
	fmt.Println(string(first))

	server := &http.Server{Handler: logged(fake), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	fake.Close() // breaks off streams and requests that wait
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil { // a client has a connection open without a request
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// reachable returns an address that a client can connect to: instead of all interfaces the loopback interface.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return addr.String()
}

// logged logs each request.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		status := &statusWriter{ResponseWriter: w}
		defer func() { // even if the handler breaks the connection off
			outcome := "broken off"
			if status.status != 0 {
				outcome = strconv.Itoa(status.status)
			}
			log.Printf("%s %s %s %v", r.Method, r.URL.RequestURI(), outcome, time.Since(start).Round(time.Millisecond))
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
