package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/agentphone/agentphone-go"
)

// tally is how far a campaign is.
type tally struct{ sent, refused, unknown, left int }

func (t tally) done() int { return t.sent + t.refused + t.unknown }

func (q *queue) count(ctx context.Context) (t tally, err error) {
	rows, err := q.db.QueryContext(ctx, `SELECT CAST(state AS TEXT), count(*) FROM river_job WHERE queue = $1 GROUP BY state`, q.name)
	if err != nil {
		return t, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var state rivertype.JobState
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return t, err
		}
		switch state {
		case rivertype.JobStateCompleted:
			t.sent += n
		case rivertype.JobStateCancelled:
			t.refused += n
		case rivertype.JobStateDiscarded: // River has given up
			t.unknown += n
		default:
			t.left += n
		}
	}
	return t, rows.Err()
}

// watch shows the progress, in place on a terminal and else now and then, until nothing is left or ctx ends.
func (q *queue) watch(ctx context.Context) error {
	const interval = 250 * time.Millisecond
	pace, format := 20, "%s\n"
	if out, err := os.Stdout.Stat(); err == nil && out.Mode()&os.ModeCharDevice != 0 {
		pace, format = 1, "\r%s\033[K"
		defer fmt.Println()
	}
	first, err := q.count(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	for n := 0; ; n++ {
		now, err := q.count(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil && (n%pace == 0 || now.left == 0) {
			fmt.Printf(format, progressLine(now, now.done()-first.done(), time.Since(start)))
		}
		if err == nil && now.left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(interval):
		}
	}
}

// progressLine is a bar, the number of texts a second, of this and the other workers, and the time that is left at this
// pace.
func progressLine(t tally, doneNow int, elapsed time.Duration) string {
	const width = 30
	total := t.done() + t.left
	full := width
	if total > 0 {
		full = width * t.done() / total
	}
	line := fmt.Sprintf("[%s%s] %d/%d", strings.Repeat("#", full), strings.Repeat("-", width-full), t.done(), total)
	if doneNow > 0 && elapsed > 0 {
		perSecond := float64(doneNow) / elapsed.Seconds()
		line += fmt.Sprintf("  %.0f/s", perSecond)
		if t.left > 0 {
			line += fmt.Sprintf("  %v left", time.Duration(float64(t.left)/perSecond*float64(time.Second)).Round(time.Second))
		}
	}
	return line
}

// report says what became of the texts, and of the lines that had none.
func (q *queue) report(ctx context.Context, problems []string) error {
	t, err := q.count(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("sent     %5d\n", t.sent)
	fmt.Printf("refused  %5d\n", t.refused)
	if err := q.printJobs(ctx, rivertype.JobStateCancelled); err != nil {
		return err
	}
	fmt.Printf("unknown  %5d\n", t.unknown)
	if err := q.printJobs(ctx, rivertype.JobStateDiscarded); err != nil {
		return err
	}
	fmt.Printf("no text  %5d\n", len(problems))
	for _, problem := range problems {
		fmt.Println("  " + problem)
	}
	return nil
}

// printJobs prints to whom the texts of a state were, and the last error.
func (q *queue) printJobs(ctx context.Context, state rivertype.JobState) error {
	params := river.NewJobListParams().Queues(q.name).States(state).OrderBy(river.JobListOrderByID, river.SortOrderAsc).First(1000)
	for {
		page, err := q.JobList(ctx, params)
		if err != nil {
			return err
		}
		for _, row := range page.Jobs {
			to, why := "?", ""
			if job, err := decodeText(row); err == nil {
				to = agentphone.E164(job.To).Redacted()
			}
			if n := len(row.Errors); n > 0 {
				why = row.Errors[n-1].Error
			}
			fmt.Printf("  %s: %s\n", to, why)
		}
		if page.LastCursor == nil || len(page.Jobs) < 1000 {
			return nil
		}
		params = params.After(page.LastCursor)
	}
}
