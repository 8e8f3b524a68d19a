// Campaign texts many people, each once, and can be killed and started again at any moment. README.md says how it
// works.
//
//	go run .                                                                      # in memory
//	AGENTPHONE_API_KEY=sk_live_... go run . -people people.csv -agent agt_... -text 'Hi {{.name}}, ...'
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/time/rate"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/examples/internal/app"
)

type config struct {
	name     string
	people   string // a CSV file
	text     string // a template
	country  string
	agentID  string
	database string
	rate     float64
	settle   time.Duration
}

func main() {
	var c config
	flag.StringVar(&c.name, "name", "reminder", "name of the campaign: of one name each person gets one text, ever; letters, digits, _ and -")
	flag.StringVar(&c.people, "people", "", "CSV file with a header and a column number (required with AGENTPHONE_API_KEY)")
	flag.StringVar(&c.text, "text", "Hi {{.name}}, see you on {{.day}}!", "template for the text; its fields are the columns")
	flag.StringVar(&c.country, "country", "1", "calling code of numbers without one")
	flag.StringVar(&c.agentID, "agent", "", "the agent that texts (required with AGENTPHONE_API_KEY)")
	flag.StringVar(&c.database, "database", "", "SQLite file, or postgres://... for workers on many machines (NAME.db by default)")
	flag.Float64Var(&c.rate, "rate", 10, "requests a second, of this worker")
	flag.DurationVar(&c.settle, "settle", 10*time.Minute, "how long the API's lists may take to show a text")
	app.Main("campaign", func(ctx context.Context) error { return start(ctx, c) })
}

//go:embed people.csv
var somePeople []byte

// start runs the campaign on the API that the environment names.
func start(ctx context.Context, c config) error {
	if c.rate <= 0 {
		return errors.New("-rate must be more than 0")
	}
	var people io.Reader = bytes.NewReader(somePeople)
	if c.people != "" {
		file, err := os.Open(c.people)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		people = file
	}
	newClient := agentphone.NewClientFromEnv
	switch {
	case app.InMemory():
		api := newUnreliableAPI()
		defer api.Close()
		newClient, c.agentID, c.settle = api.newClient, api.AgentID(), time.Second
		if c.database == "" { // what was sent is forgotten when the process ends, so what is to be sent should be, too
			folder, err := os.MkdirTemp("", "campaign")
			if err != nil {
				return err
			}
			defer func() { _ = os.RemoveAll(folder) }()
			c.database = filepath.Join(folder, "campaign.db")
		}
	case c.people == "" || c.agentID == "":
		return errors.New("AGENTPHONE_API_KEY is set, so this texts real people: name them with -people, and the agent with -agent")
	case c.database == "":
		c.database = c.name + ".db"
	}
	return run(ctx, c, people, newClient)
}

// run puts the texts into the queue, unless they are in it, and sends all that are there.
func run(ctx context.Context, c config, people io.Reader, newClient func(...agentphone.Option) (*agentphone.Client, error)) error {
	texts, problems, err := readTexts(c, people)
	if err != nil {
		return err
	}
	db, err := open(ctx, c.database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	client, err := newClient(agentphone.WithStore(db.store), agentphone.WithSettleTime(c.settle),
		agentphone.WithRateLimiter(rate.NewLimiter(rate.Limit(c.rate), 1)))
	if err != nil {
		return err
	}

	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	queue, err := newQueue(db, c, &worker{client: client, stop: stop})
	if err != nil {
		return err
	}
	if err := queue.insert(ctx, texts); err != nil {
		return err
	}
	if err := queue.work(working); err != nil {
		fmt.Println("Not all is done. Run it again to go on.")
		if working.Err() != nil && ctx.Err() == nil {
			return context.Cause(working) // why the worker stopped it
		}
		return err
	}
	return queue.report(ctx, problems)
}
