// Reminders sends reminders, each once, however often it is run and whenever it is killed: a file has their keys. It is
// for one process at a time, and to be read; for more, a Store does the same by itself, as in examples/campaign.
//
//	go run ./examples/reminders                                                                 # in memory
//	AGENTPHONE_API_KEY=sk_live_... go run ./examples/reminders -agent agt_... -reminders FILE   # real texts
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/examples/internal/app"
)

func main() {
	agentID := flag.String("agent", "", "the agent that texts (required with AGENTPHONE_API_KEY)")
	csvFile := flag.String("reminders", "", "CSV file of keys, numbers and texts (required with AGENTPHONE_API_KEY)")
	keyFile := flag.String("keys", "reminders.keys", "file of the keys, with AGENTPHONE_API_KEY")
	app.Main("reminders", func(ctx context.Context) error {
		if app.InMemory() {
			return rehearse(ctx)
		}
		client, err := agentphone.NewClientFromEnv()
		if err != nil {
			return err
		}
		reminders, err := os.ReadFile(*csvFile)
		if err != nil {
			return fmt.Errorf("-reminders: %w", err)
		}
		return remind(ctx, client, *agentID, string(reminders), *keyFile)
	})
}

// rehearse sends the reminders twice, in memory. The response to the first is lost.
func rehearse(ctx context.Context) error {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	keys, err := os.CreateTemp("", "reminders")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(keys.Close(), os.Remove(keys.Name())) }()
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true})
	reminders := "ada-monday,+14155550101,See you on Monday at 9!\nben-monday,+14155550102,See you on Monday at 10!\n"
	for range 2 {
		if err := remind(ctx, srv.Client(), srv.AgentID(), reminders, keys.Name()); err != nil {
			return err
		}
	}
	fmt.Println("texts sent:", len(srv.Messages()))
	return nil
}

func remind(ctx context.Context, client *agentphone.Client, agentID, reminders, keyFile string) error {
	in := csv.NewReader(strings.NewReader(reminders))
	in.FieldsPerRecord = 3
	rows, err := in.ReadAll()
	if err != nil {
		return err
	}
	keys, err := os.OpenFile(keyFile, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = keys.Close() }()
	past, err := io.ReadAll(keys)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		params := agentphone.SendMessageParams{AgentID: agentID, ToNumber: row[1], Body: row[2]}
		outcome, sendErr := send(context.WithoutCancel(ctx), client, row[0], params, keys, string(past)) // a Ctrl-C breaks off no text
		if sendErr != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", row[0], sendErr))
			continue
		}
		fmt.Printf("%s: %s\n", row[0], outcome)
	}
	return err
}

// send sends a reminder, unless the key file or the API says that it was sent. A line of the file is a key, what
// happened (a text was begun, sent or certainly not sent) and when.
func send(ctx context.Context, client *agentphone.Client, key string, params agentphone.SendMessageParams, keys *os.File, past string) (string, error) {
	note := func(what string) error { // on the disk, before anything else is done; the last line may have been cut off by a crash
		_, err := fmt.Fprintf(keys, "\n%q %s %s\n", key, what, time.Now().UTC().Format(time.RFC3339))
		return errors.Join(err, keys.Sync())
	}
	last, since := "", time.Time{}
	for line := range strings.Lines(past) {
		var of, what, when string
		if n, _ := fmt.Sscanf(line, "%q %s %s", &of, &what, &when); n == 3 && of == key {
			if at, err := time.Parse(time.RFC3339, when); err == nil {
				last, since = what, at
			}
		}
	}
	switch last {
	case "sent":
		return "was sent before", nil
	case "begun": // and then the process was killed, or the response was lost
		found, err := client.Messages.FindSent(ctx, params, since)
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return "was sent before, as the API says", note("sent")
		}
		if time.Since(since) < 10*time.Minute { // the API may take that long to show it
			return "may have been sent: run this again in ten minutes", nil
		}
	}
	if err := note("begun"); err != nil {
		return "", err
	}
	_, err := client.Messages.Send(ctx, params, agentphone.WithIdempotencyKey(key)) // which looks for a text whose response was lost
	if err != nil && !errors.Is(err, agentphone.ErrOutcomeUnknown) {
		err = errors.Join(err, note("unsent"))
	}
	if err != nil {
		return "", err
	}
	return "sent", note("sent")
}
