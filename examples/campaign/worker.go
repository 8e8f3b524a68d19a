package main

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"github.com/agentphone/agentphone-go"
)

// worker sends texts.
type worker struct {
	river.WorkerDefaults[text]
	client *agentphone.Client
	stop   context.CancelCauseFunc // ends the campaign
}

// Work sends a text. The key makes it safe to do that however often, after whatever happened to this process or
// another.
func (w *worker) Work(ctx context.Context, job *river.Job[text]) error {
	_, err := w.client.Messages.Send(ctx, agentphone.SendMessageParams{
		AgentID: job.Args.AgentID, ToNumber: job.Args.To, Body: job.Args.Body,
	}, agentphone.WithIdempotencyKey(job.Args.Campaign+"/"+job.Args.To))
	return w.next(ctx, err)
}

// next tells the queue what to do with a job: it is done, comes again after a while, or is refused for good.
func (w *worker) next(ctx context.Context, err error) error {
	var pending *agentphone.PendingError
	var apiErr *agentphone.APIError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, agentphone.ErrUnauthorized), errors.Is(err, agentphone.ErrPaymentRequired):
		w.stop(err) // it would be the same with all others
		return river.JobSnooze(time.Second)
	case errors.As(err, &pending) && pending.RetryAfter > 0: // not known yet whether it was sent
		return river.JobSnooze(pending.RetryAfter)
	case errors.Is(err, agentphone.ErrTemporary):
		wait := time.Second
		if errors.As(err, &apiErr) {
			wait = max(wait, apiErr.RetryAfter)
		}
		return river.JobSnooze(wait)
	case errors.Is(err, agentphone.ErrOutcomeUnknown):
		return err // River tries again, later each time
	case ctx.Err() != nil: // before anything was sent
		return river.JobSnooze(0)
	}
	return river.JobCancel(err)
}
