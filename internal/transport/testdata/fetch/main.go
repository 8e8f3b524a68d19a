// Command fetch makes requests with an agentphone.Client where net/http sends them with fetch. Its arguments are the base URL and
// a list of requests, each "METHOD path" or "STREAM id of a call". It prints a line of JSON for each: fetch_test.go reads them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
)

type result struct {
	Err            string
	OutcomeUnknown bool
	Timeout        bool
	Canceled       bool
	Attempts       int
	Events         int // of a stream
}

func main() {
	client, err := agentphone.NewClient("sk_test_0123456789", agentphone.WithBaseURL(os.Args[1]), agentphone.WithMaxRetries(1),
		agentphone.WithRetryWait(0, 0), agentphone.WithHeader("X-Name", "Zoë 日本"))
	if err != nil {
		panic(err)
	}
	for _, request := range os.Args[2:] {
		out := run(client, request)
		if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
			panic(err)
		}
	}
}

func run(client *agentphone.Client, request string) (out result) {
	method, path, _ := strings.Cut(request, " ")
	var err error
	if method == "STREAM" {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		for _, err = range client.Calls.StreamTranscript(ctx, path) {
			if err != nil {
				break
			}
			if out.Events++; out.Events == 2 {
				time.AfterFunc(100*time.Millisecond, cancel) // while it waits for the third
			}
		}
	} else {
		var got agentphone.Response
		opts := []agentphone.RequestOption{agentphone.WithResponse(&got)}
		if strings.HasSuffix(path, "hangs") {
			opts = append(opts, agentphone.WithRequestTimeout(time.Second))
		}
		err = client.Do(context.Background(), method, path, nil, nil, opts...)
		out.Attempts = got.Attempts
	}
	if err != nil {
		out.Err = err.Error()
	}
	out.OutcomeUnknown = errors.Is(err, agentphone.ErrOutcomeUnknown)
	out.Timeout = errors.Is(err, context.DeadlineExceeded)
	out.Canceled = errors.Is(err, context.Canceled)
	return out
}
