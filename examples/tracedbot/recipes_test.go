package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// promServer is a real Prometheus server that scrapes the replicas.
type promServer struct{ url string }

func startPrometheus(t *testing.T, scraped []string) *promServer {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("prometheus is not installed, and the gate must not skip this test")
		}
		t.Skip("prometheus is not installed: apt-get install prometheus")
	}
	folder := t.TempDir()
	config := filepath.Join(folder, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil,
		"global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs: [{job_name: tracedbot, static_configs: [{targets: ['%s']}]}]\n",
		strings.Join(scraped, "', '")), 0o600))
	addr := apitest.FreeAddress(t)
	start(t, exec.CommandContext(t.Context(), binary,
		"--config.file", config, "--storage.tsdb.path", filepath.Join(folder, "data"), "--web.listen-address", addr))
	p := &promServer{"http://" + addr}
	require.Eventually(t, func() bool {
		res, err := http.Get(p.url + "/-/ready")
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil && res.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { // five seconds after its start it begins to scrape
		return p.query(t, "sum(up)")[""] == float64(len(scraped))
	}, 20*time.Second, 50*time.Millisecond)
	return p
}

// start starts a program that is ended with the test, and whose output is shown if that fails.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s\n%s", cmd, &said)
		}
	})
}

// query returns the values of an expression by the values of their labels, which are in order of their names.
func (p *promServer) query(t *testing.T, expression string) map[string]float64 {
	t.Helper()
	res, err := http.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(expression))
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var response struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     []struct {
				Metric map[string]string
				Value  [2]any // the time, and the value as a string
			}
		}
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&response))
	require.Equal(t, "success", response.Status, "%s: %s", expression, response.Error)
	require.Equal(t, "vector", response.Data.ResultType, expression)
	values := map[string]float64{}
	for _, r := range response.Data.Result {
		data, err := json.Marshal(r.Metric) // in order of the names
		require.NoError(t, err)
		var of []string
		for _, m := range regexp.MustCompile(`"[^"]*":"([^"]*)"`).FindAllStringSubmatch(string(data), -1) {
			of = append(of, m[1])
		}
		value, err := strconv.ParseFloat(r.Value[1].(string), 64)
		require.NoError(t, err)
		values[strings.Join(of, " ")] = value
	}
	return values
}

// recipes returns the PromQL in the README of otelagentphone by its comments.
func recipes(t *testing.T) map[string]string {
	page, err := os.ReadFile("../../otelagentphone/README.md")
	require.NoError(t, err)
	out := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)```promql\n# ([^\n]*)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// The trace, and the numbers, of two replicas: what the README of otelagentphone promises.
func TestRecipes_ShowWhatTwoReplicasDo(t *testing.T) {
	collector := startCollector(t)
	d := deploy(t, "OTEL_SERVICE_NAME=tracedbot", "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.url,
		"OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_METRIC_EXPORT_INTERVAL=500")
	p := startPrometheus(t, d.scraped)
	did := d.run(t, 30, 10)
	const operations = "agentphone_operation_duration_seconds_count"
	require.EventuallyWithT(t, func(c *assert.CollectT) { // all has been scraped
		assert.EqualValues(c, 2*did.texts, p.query(t, "sum("+operations+")")[""], "%v", p.query(t, operations))
	}, 10*time.Second, 100*time.Millisecond)
	time.Sleep(time.Second) // a rate is that of several scrapes

	t.Run("PromQL", func(t *testing.T) { checkRecipes(t, p, did) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, p) })
	d.stop() // which flushes what is left
	t.Run("trace", func(t *testing.T) { checkTrace(t, collector, d, did) })
	t.Run("metrics over OTLP", func(t *testing.T) { checkPushed(t, collector, did) })
}

func checkRecipes(t *testing.T, p *promServer, did traffic) {
	checks := map[string]func(map[string]float64){
		"The part of the operations that failed.": func(v map[string]float64) {
			assert.InDelta(t, float64(did.refused+did.unknown)/float64(2*did.texts), v[""], 0.06)
		},
		"Operations of unknown outcome in five minutes: alert if there is one.": func(v map[string]float64) {
			assert.Equal(t, map[string]float64{"POST /v1/messages/{message_id}/reactions": float64(did.unknown)}, v)
		},
		"95 of 100 callers hear the first words within so many seconds.": func(v map[string]float64) {
			assert.Greater(t, v[""], 0.25, "between the bounds that %v is between", thinking)
			assert.LessOrEqual(t, v[""], 0.5)
		},
		"Deliveries that failed, a second, by event and outcome.": func(v map[string]float64) {
			assert.Contains(t, v, "agent.message failed")
			assert.Len(t, v, 1)
		},
	}
	found := recipes(t)
	assert.Len(t, found, len(checks))
	for comment, check := range checks {
		t.Run(comment, func(t *testing.T) {
			require.Contains(t, found, comment)
			check(p.query(t, found[comment]))
		})
	}
	const unknown = `agentphone_operation_duration_seconds_count{agentphone_outcome="unknown"}`
	assert.Equal(t, map[string]float64{"": 0}, p.query(t, "sum(increase("+unknown+"[5m]))"), "which misses the first one, as the README says")
}

// checkDashboard runs each query of the dashboard. All that it shows has happened.
func checkDashboard(t *testing.T, p *promServer) {
	data, err := os.ReadFile("../../otelagentphone/grafana/agentphone.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(data, &dashboard))
	require.Len(t, dashboard.Panels, 12)
	for _, panel := range dashboard.Panels {
		t.Run(panel.Title, func(t *testing.T) {
			require.NotEmpty(t, panel.Targets)
			for _, target := range panel.Targets {
				for _, name := range regexp.MustCompile(`\b[a-z]+_[a-z_]+(_seconds_bucket|_seconds_count|_total)\b`).FindAllString(target.Expr, -1) {
					assert.NotEmpty(t, p.query(t, name), "no such metric: %s", name)
				}
				values := p.query(t, strings.ReplaceAll(target.Expr, "$__rate_interval", "1m"))
				assert.NotEmpty(t, values, target.Expr)
				numbers := 0
				for _, v := range values {
					if !math.IsNaN(v) {
						numbers++
					}
				}
				assert.Positive(t, numbers, "%s: %v", target.Expr, values)
			}
		})
	}
}

// checkTrace looks for the trace of the first text behind the collector.
func checkTrace(t *testing.T, c *collector, d *deployment, did traffic) {
	deliveries := d.srv.Deliveries()
	first := slices.IndexFunc(deliveries, func(delivery agentphone.WebhookDelivery) bool { return delivery.MessageID == did.first })
	require.GreaterOrEqual(t, first, 0)
	spans := c.received()
	var root *otlpSpan
	instances := map[string]bool{}
	for _, s := range spans {
		if s.attributes["agentphone.delivery_id"] == deliveries[first].ID {
			require.Nil(t, root, "handled once")
			root = s
		}
		instances[s.resource["service.instance.id"]] = true
		assert.Equal(t, "tracedbot", s.resource["service.name"])
	}
	assert.Len(t, instances, 2, "both replicas have worked")
	require.NotNil(t, root)
	assert.Empty(t, root.ParentSpanID)
	var shape []string
	var walk func(parent *otlpSpan, depth int)
	walk = func(parent *otlpSpan, depth int) {
		shape = append(shape, strings.Repeat("  ", depth)+parent.Name)
		for _, s := range spans {
			if s.ParentSpanID == parent.SpanID {
				assert.Equal(t, root.TraceID, s.TraceID)
				assert.Equal(t, root.resource["service.instance.id"], s.resource["service.instance.id"])
				walk(s, depth+1)
			}
		}
	}
	walk(root, 0)
	assert.Equal(t, []string{
		"webhook agent.message",
		"  HTTP POST",
		"  POST /v1/messages", "    POST /v1/messages", "    POST /v1/messages", // the first attempt met a 429
		"  POST /v1/messages/{message_id}/reactions", "    POST /v1/messages/{message_id}/reactions",
	}, shape)
	assert.Contains(t, d.model.calledIn(), root.TraceID, "the model was called in the trace")

	outcomes := map[string]int{}
	for _, s := range spans {
		if s.attributes["agentphone.operation"] != "" {
			outcomes[s.attributes["agentphone.outcome"]]++
		}
	}
	assert.Equal(t, map[string]int{"ok": 2*did.texts - did.refused - did.unknown, "refused": did.refused, "unknown": did.unknown}, outcomes)
}

// checkPushed compares the metrics that came through the collector.
func checkPushed(t *testing.T, c *collector, did traffic) {
	pushed := c.counts()
	assert.EqualValues(t, 2*did.texts, pushed["agentphone.operation.duration"])
	assert.EqualValues(t, did.turns, pushed["agentphone.voice.first_words"])
	assert.EqualValues(t, did.texts+did.turns+did.failed, pushed["agentphone.delivery.duration"])
	assert.EqualValues(t, 1, pushed["agentphone.retries"])
}
