package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/agentphone/agentphone-go/agentphonetest"
)

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
