package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// text is a job: a text to a person. All that is sent is in it, so that it is the same at each attempt.
type text struct {
	Campaign string `json:"campaign" river:"unique"`
	To       string `json:"to" river:"unique"`
	AgentID  string `json:"agent_id"`
	Body     string `json:"body"`
}

// Kind is the name of the job in the queue.
func (text) Kind() string { return "text" }

// queue is the River queue of a campaign.
type queue struct {
	*river.Client[*sql.Tx]
	db   *database
	name string
}

func newQueue(db *database, c config, w *worker) (*queue, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	client, err := river.NewClient(db.driver, &river.Config{
		Queues: map[string]river.QueueConfig{c.name: {
			MaxWorkers:        min(max(int(c.rate), 1), 16),
			FetchCooldown:     20 * time.Millisecond,
			FetchPollInterval: 100 * time.Millisecond,
		}},
		Workers: workers,
		// A job whose process was killed starts again within a minute. Were it running still, it would do no harm: its
		// key is in use.
		JobTimeout:           30 * time.Second,
		RescueStuckJobsAfter: 31 * time.Second,
		SoftStopTimeout:      20 * time.Second, // on Ctrl-C
		// Who got a text is known for as long as the jobs are kept.
		CompletedJobRetentionPeriod: -1,
		CancelledJobRetentionPeriod: -1,
		DiscardedJobRetentionPeriod: -1,
		Logger:                      slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return nil, err
	}
	return &queue{client, db, c.name}, nil
}

// insert puts the texts into the queue that are not in it, in one transaction: all or, if the process is killed, none.
// To text people just when something else of yours commits, such as their booking, insert the job in that transaction.
func (q *queue) insert(ctx context.Context, texts []text) error {
	if len(texts) == 0 {
		return nil
	}
	var jobs []river.InsertManyParams
	for _, t := range texts {
		jobs = append(jobs, river.InsertManyParams{Args: t, InsertOpts: &river.InsertOpts{
			Queue: q.name, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()},
		}})
	}
	tx, err := q.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := q.InsertManyTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("inserting the jobs: %w", err)
	}
	return tx.Commit()
}

// work works on the jobs, beside other processes that do, until all are done or ctx ends.
func (q *queue) work(ctx context.Context) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	if err := q.Start(working); err != nil {
		return err
	}
	err := q.watch(ctx)
	stop() // what is being sent is finished
	<-q.Stopped()
	return err
}

// decodeText returns the text of a job.
func decodeText(row *rivertype.JobRow) (t text, err error) {
	return t, json.Unmarshal(row.EncodedArgs, &t)
}
