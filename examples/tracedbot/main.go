// Tracedbot replies to texts and answers calls with what a model says, and shows with OpenTelemetry what goes on. Any number of
// replicas share a store, so that each text is replied to once.
//
//	go run .                                                # two replicas, people and a model in memory
//	AGENTPHONE_API_KEY=sk_live_... AGENTPHONE_WEBHOOK_SECRET=whsec_... OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 \
//		go run . -addr :8080 -model http://localhost:9000/chat
//
// Prometheus scrapes http://localhost:9464/metrics; traces and metrics go to the endpoint, if one is set.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/examples/internal/app"
	"github.com/agentphone/agentphone-go/sqlstore"
)

func main() {
	var s service
	flag.StringVar(&s.addr, "addr", "", "address to serve the webhook at, such as :8080 (needs AGENTPHONE_API_KEY and AGENTPHONE_WEBHOOK_SECRET)")
	flag.StringVar(&s.metrics, "metrics", "localhost:9464", "address to serve /metrics at")
	flag.StringVar(&s.store, "store", "tracedbot.db", "SQLite file that the replicas share")
	flag.StringVar(&s.model, "model", "", `URL of the model: a POST of {"text": "..."} is responded to with {"reply": "..."}`)
	app.Main("tracedbot", func(ctx context.Context) error {
		if s.addr == "" {
			return rehearse(ctx)
		}
		return s.serve(ctx)
	})
}

// service is a replica, as the flags say.
type service struct{ addr, metrics, store, model string }

// serve replies to real texts until ctx ends.
func (s *service) serve(ctx context.Context) (err error) {
	if s.model == "" {
		return errors.New("-model is not set")
	}
	secrets, err := app.WebhookSecrets()
	if err != nil {
		return err
	}
	store, err := sqlstore.OpenSQLite(ctx, s.store)
	if err != nil {
		return err
	}
	telemetry, err := newTelemetry(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, telemetry.shutdown(ctx)) }()
	client, err := agentphone.NewClientFromEnv(agentphone.WithStore(store), agentphone.WithHooks(telemetry.hooks))
	if err != nil {
		return err
	}
	bot, err := newBot(client, store, s.model, telemetry, secrets...)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", telemetry.metrics)
	metrics := &http.Server{Addr: s.metrics, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer func() { _ = metrics.Close() }()
	go func() {
		if err := metrics.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Printf("no metrics: %v", err)
		}
	}()
	return app.Serve(ctx, s.addr, bot)
}
