package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go/internal/apitest"
)

// collector is a real OpenTelemetry Collector, and what it passes on.
type collector struct {
	url     string
	mu      sync.Mutex
	spans   []*otlpSpan
	numbers map[string]uint64 // by replica, metric and attributes: the last that was received
	metric  map[string]string // the metric of each
}

// The parts of OTLP in JSON that the tests look at.
type (
	otlpSpan struct {
		TraceID, SpanID, ParentSpanID, Name string
		StartTimeUnixNano                   string
		Attributes                          otlpAttributes
		attributes, resource                map[string]string
	}
	otlpAttributes []struct {
		Key   string
		Value struct {
			StringValue string
			IntValue    string
		}
	}
	otlpResource struct{ Attributes otlpAttributes }
	otlpPoints   struct {
		DataPoints []struct {
			Attributes   otlpAttributes
			Count, AsInt string
		}
	}
	otlpRequest struct {
		ResourceSpans []struct {
			Resource   otlpResource
			ScopeSpans []struct{ Spans []*otlpSpan }
		}
		ResourceMetrics []struct {
			Resource     otlpResource
			ScopeMetrics []struct {
				Metrics []struct {
					Name           string
					Histogram, Sum otlpPoints
				}
			}
		}
	}
)

func (list otlpAttributes) texts() map[string]string {
	out := map[string]string{}
	for _, a := range list {
		out[a.Key] = a.Value.StringValue + a.Value.IntValue
	}
	return out
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "collector")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir = "collector"
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	c := &collector{numbers: map[string]uint64{}, metric: map[string]string{}}
	behind := httptest.NewServer(c)
	t.Cleanup(behind.Close)
	addr := apitest.FreeAddress(t)
	config := filepath.Join(t.TempDir(), "collector.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
receivers: {otlp: {protocols: {http: {endpoint: %q}}}}
exporters: {otlp_http: {endpoint: %q, encoding: json, compression: none}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http]}
    metrics: {receivers: [otlp], exporters: [otlp_http]}
`, addr, behind.URL), 0o600))
	start(t, exec.CommandContext(t.Context(), binary, "--config", config))
	c.url = "http://" + addr
	require.Eventually(t, func() bool {
		res, err := http.Get(c.url)
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	return c
}

// ServeHTTP takes what the collector exports.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request otlpRequest
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				s.attributes, s.resource = s.Attributes.texts(), resource.Resource.Attributes.texts()
				c.spans = append(c.spans, s)
			}
		}
	}
	for _, resource := range request.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			for _, m := range scope.Metrics {
				for _, p := range slices.Concat(m.Histogram.DataPoints, m.Sum.DataPoints) {
					series := fmt.Sprint(resource.Resource.Attributes.texts()["service.instance.id"], m.Name, p.Attributes.texts())
					n, _ := strconv.ParseUint(p.Count+p.AsInt, 10, 64)
					c.numbers[series], c.metric[series] = max(n, c.numbers[series]), m.Name
				}
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// received returns the spans in the order in which they began, once no more come.
func (c *collector) received() []*otlpSpan {
	n := -1
	for {
		c.mu.Lock()
		spans := slices.Clone(c.spans)
		c.mu.Unlock()
		if len(spans) == n {
			slices.SortStableFunc(spans, func(a, b *otlpSpan) int {
				return strings.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano) // of as many digits
			})
			return spans
		}
		n = len(spans)
		time.Sleep(500 * time.Millisecond)
	}
}

// counts returns the number of values of each metric, of all replicas and attributes.
func (c *collector) counts() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]uint64{}
	for series, n := range c.numbers {
		out[c.metric[series]] += n
	}
	return out
}
