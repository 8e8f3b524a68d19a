// Reminders sends reminders, each once, however often it is run and whenever it is killed: a file has their keys. It is
// for one process at a time, and to be read; for more, a Store does the same by itself, as in examples/campaign.
//
// After a crash it knows a text by its number and words. A Store also knows one that was edited since, and tells two with the same
// number and words apart.
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

func remind(ctx context.Context, client *agentphone.Client, agentID, reminders, keyFile string) error {
	in := csv.NewReader(strings.NewReader(reminders))
	in.FieldsPerRecord = 3
	rows, err := in.ReadAll()
	if err != nil {
		return err
	}
	last, since := map[string]string{}, map[string]time.Time{} // by key: whether its text was begun, sent or certainly not sent, and when
	for _, row := range rows {
		if _, twice := last[row[0]]; twice {
			return fmt.Errorf("the key %q is there twice", row[0])
		}
		last[row[0]] = ""
	}
	keys, err := os.OpenFile(keyFile, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = keys.Close() }()
	text, err := io.ReadAll(keys)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		var key, what, when string
		_, _ = fmt.Sscanf(line, "%q %s %s", &key, &what, &when)
		if at, err := time.Parse(time.RFC3339, when); err == nil && last[key] != "sent" { // which is final
			last[key], since[key] = what, at
		}
	}
	for _, row := range rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		params := agentphone.SendMessageParams{AgentID: agentID, ToNumber: row[1], Body: row[2]}
		if outcome, failed := send(context.WithoutCancel(ctx), client, row[0], params, keys, last[row[0]], since[row[0]]); failed != nil { // a Ctrl-C breaks off no text
			err = errors.Join(err, fmt.Errorf("%s: %w", row[0], failed))
		} else {
			fmt.Printf("%s: %s\n", row[0], outcome)
		}
	}
	return err
}

// send sends a reminder, unless the key file, by its last line of the key, or the API says that it was sent.
func send(ctx context.Context, client *agentphone.Client, key string, params agentphone.SendMessageParams, keys *os.File, last string, since time.Time) (string, error) {
	note := func(what string) error { // on the disk, before anything else is done; the last line may have been cut off by a crash
		_, err := fmt.Fprintf(keys, "\n%q %s %s\n", key, what, time.Now().UTC().Format(time.RFC3339))
		return errors.Join(err, keys.Sync())
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
	if err == nil {
		return "sent", note("sent")
	}
	if !errors.Is(err, agentphone.ErrOutcomeUnknown) && !errors.Is(err, agentphone.ErrIdempotencyKeyReused) { // it may be that of a text which was sent
		err = errors.Join(err, note("unsent"))
	}
	return "", err
}
