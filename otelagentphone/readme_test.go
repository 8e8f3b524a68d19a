package otelagentphone_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// table returns the rows of a table of the README by their first cells, with the names in backquotes of each further cell.
func table(t *testing.T, page, header string) map[string][][]string {
	_, rest, ok := strings.Cut(page, "\n"+header+"\n")
	require.True(t, ok, header)
	rest, _, _ = strings.Cut(rest, "\n\n")
	rows := map[string][][]string{}
	for _, line := range strings.Split(rest, "\n")[1:] {
		cells := strings.Split(line, "|")
		first, _, _ := strings.Cut(strings.Trim(cells[1], " `"), ",")
		for _, cell := range cells[2 : len(cells)-1] {
			var names []string
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
				names = append(names, m[1])
			}
			rows[first] = append(rows[first], names)
		}
	}
	return rows
}

// provoke has everything happen that leaves an attribute.
func (x *telemetry) provoke(t *testing.T) {
	ctx := t.Context()
	srv := agentphonetest.NewServer()
	defer srv.Close()
	c := srv.Client(agentphone.WithHooks(x.hooks), agentphone.WithMaxRetries(1))
	srv.InjectFault(agentphonetest.Fault{Operation: "GET /v1/agents/{agent_id}", Reset: true})
	_, err := c.Agents.Get(ctx, srv.AgentID())
	require.NoError(t, err)
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Reset: true})
	for range 2 { // found in a list, and then recorded
		_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", Body: "hi"},
			agentphone.WithIdempotencyKey("k"))
		require.NoError(t, err)
	}
	require.Error(t, c.Do(ctx, http.MethodGet, "/v1/agents/agt_none", nil, nil))
	h := newHandler(t, agentphone.WebhookHandlerConfig{
		Hooks:     x.hooks,
		OnMessage: func(context.Context, *agentphone.Event, *agentphone.MessageData) error { return errors.New("down") },
		OnVoiceTurn: func(_ context.Context, _ *agentphone.Event, _ *agentphone.VoiceTurnData, v *agentphone.VoiceResponse) error {
			time.Sleep(300 * time.Millisecond)
			return v.Say("hello")
		},
	})
	apitest.Serve(h, apitest.SignedRequest(apitest.TextEvent, "whd_1"))
	apitest.Serve(h, apitest.SignedRequest(apitest.TurnEvent, "whd_2"))
}

func TestREADME_HasTheSpansAndTheMetrics(t *testing.T) {
	data, err := os.ReadFile("README.md")
	require.NoError(t, err)
	x := newTelemetry(t)
	synctest.Test(t, func(t *testing.T) { x.provoke(t) })

	kinds := map[string]trace.SpanKind{"operation": trace.SpanKindClient, "attempt": trace.SpanKindClient, "delivery": trace.SpanKindConsumer}
	rows := table(t, string(data), "| span | kind | attributes | and if there is one |")
	assert.Len(t, rows, len(kinds))
	always, ever := map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, s := range x.spans.Ended() {
		seen := attributes(s.Attributes())
		what := "attempt"
		switch {
		case s.SpanKind() == trace.SpanKindConsumer:
			what = "delivery"
		case seen["agentphone.operation"] != "":
			what = "operation"
		}
		assert.Equal(t, kinds[what], s.SpanKind())
		if ever[what] == nil {
			always[what], ever[what] = map[string]bool{}, map[string]bool{}
			for name := range seen {
				always[what][name] = true
			}
		}
		for name := range seen {
			ever[what][name] = true
		}
		maps.DeleteFunc(always[what], func(name string, _ bool) bool { _, ok := seen[name]; return !ok })
	}
	for what := range kinds {
		require.Len(t, rows[what], 3, what)
		for _, name := range rows[what][1] {
			assert.Contains(t, always[what], name, what)
		}
		assert.ElementsMatch(t, slices.Concat(rows[what][1], rows[what][2]), slices.Collect(maps.Keys(ever[what])), what)
	}

	metrics := map[string][]string{}
	for name, points := range x.metrics() {
		labels := map[string]bool{}
		for _, p := range points {
			for label := range strings.FieldsSeq(regexp.MustCompile(`=[^=]*( |$)`).ReplaceAllString(p.labels, " ")) {
				labels[label] = true
			}
		}
		metrics[name] = slices.Sorted(maps.Keys(labels))
	}
	promised := table(t, string(data), "| metric | kind | attributes |")
	assert.ElementsMatch(t, slices.Collect(maps.Keys(promised)), slices.Collect(maps.Keys(metrics)))
	for _, s := range x.spans.Ended() {
		assert.Equal(t, semconv.SchemaURL, s.InstrumentationScope().SchemaURL)
	}
	assert.Contains(t, string(data), "Semantic conventions "+path.Base(semconv.SchemaURL)+".")
	for name, cells := range promised {
		assert.ElementsMatch(t, cells[1], metrics[name], name)
		kind := "counter"
		if x.metricData()[name].Unit == "s" {
			kind = "histogram, s"
		}
		assert.Contains(t, string(data), "| `"+name+"` | "+kind+" |")
	}
}
