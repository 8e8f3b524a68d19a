package app

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
)

// WebhookSecrets returns the secrets in AGENTPHONE_WEBHOOK_SECRET, which are separated by commas.
func WebhookSecrets() ([]string, error) {
	secrets := strings.FieldsFunc(os.Getenv("AGENTPHONE_WEBHOOK_SECRET"), func(r rune) bool { return r == ',' || r == ' ' })
	if len(secrets) == 0 {
		return nil, errors.New("AGENTPHONE_WEBHOOK_SECRET is not set")
	}
	return secrets, nil
}

// Serve serves a webhook at http://ADDR/webhook until ctx ends, and then waits for the callbacks that are running.
func Serve(ctx context.Context, addr string, handler *agentphone.WebhookHandler) error {
	mux := http.NewServeMux()
	mux.Handle("/webhook", handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second} // the handler sets the other timeouts
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	log.Printf("serving http://%s/webhook", listener.Addr())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	// The handler waits also for callbacks whose sender has gone away, which the server knows nothing of.
	return errors.Join(handler.Shutdown(ctx), server.Shutdown(ctx))
}

// Rehearse returns the API in memory, and the secret of a webhook that is set there. The caller gives its handler to
// SetReceiver and plays the part of people.
func Rehearse(ctx context.Context) (srv *agentphonetest.Server, secret string, err error) {
	srv = agentphonetest.NewServer(agentphonetest.WithEchoes())
	webhook, err := srv.Client().Webhooks.Set(ctx, agentphone.SetWebhookParams{URL: "https://example.com/webhook"})
	if err != nil {
		srv.Close()
		return nil, "", err
	}
	return srv, webhook.Secret, nil
}
