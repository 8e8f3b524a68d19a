package main

import (
	"context"
	"fmt"
	"net/http"
)

// The units of the table.
const (
	nanoseconds       = "ns/call"
	cpuNanoseconds    = "CPU ns/call"
	requestsPerSecond = "requests/s"
	bytesAllocated    = "B/call"
	allocations       = "allocs/call"
	kibibytes         = "KiB"
	spreadUnit        = "most/least"

	deliveriesPerSecond = "deliveries/s"
	microseconds        = "µs"
)

// The cases that are one request.
const (
	smallGET  = "small GET"
	smallPOST = "POST"
	listOf100 = "list of 100"
)

var kinds = []string{smallGET, smallPOST, listOf100}

// The targets of issue 6.
var (
	memoryTargets = map[string]map[string]target{
		smallGET:  {nanoseconds: {ratioAtMost, 1.4}, allocations: {moreAtMost, 40}},
		listOf100: {nanoseconds: {ratioAtMost, 1.1}},
	}
	loopbackTargets = map[string]map[string]target{
		smallGET:  {cpuNanoseconds: {ratioAtMost, 1.15}, requestsPerSecond: {ratioAtLeast, 0.95}},
		listOf100: {cpuNanoseconds: {ratioAtMost, 1.1}},
	}
	connectionTarget = target{atMost, 512}
	// What counts as flat. The issue gives no number, and net/http itself is not flat: see the table.
	asFlat = target{ratioAtMost, 1.25}
)

const inMemoryURL = "https://api.agentphone.to"

func inMemoryClients(a *api) []client {
	return newClients(inMemoryURL, func() http.RoundTripper { return a })
}

func contenders(clients []client, kind string) []contender {
	out := make([]contender, len(clients))
	for i := range clients {
		out[i] = contender{clients[i].name, func(ctx context.Context) error {
			_, err := clients[i].call(ctx, kind)
			return err
		}}
	}
	return out
}

func inMemory(ctx context.Context, p plan) ([]row, error) {
	var rows []row
	clients := inMemoryClients(&api{calls: listedPage})
	for _, kind := range kinds {
		samples, err := compare(ctx, p, 1, contenders(clients, kind))
		if err != nil {
			return nil, err
		}
		rows = append(rows, rowsOf("in memory, "+kind, samples, memoryTargets[kind], nanoseconds, bytesAllocated, allocations)...)
	}
	return rows, nil
}

func loopback(ctx context.Context, p plan) ([]row, error) {
	s, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var rows []row
	clients := newClients(s.url, pool)
	for _, kind := range kinds {
		for _, goroutines := range []int{1, 64} {
			samples, err := compare(ctx, p, goroutines, contenders(clients, kind))
			if err != nil {
				return nil, err
			}
			name := fmt.Sprintf("loopback, %s, %d at once", kind, goroutines)
			rows = append(rows, rowsOf(name, samples, loopbackTargets[kind], requestsPerSecond, cpuNanoseconds)...)
		}
	}
	return rows, nil
}

// atOnce measures the cost of a call made by more and more goroutines, for this SDK and the floor.
func atOnce(ctx context.Context, p plan) ([]row, error) {
	s, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var rows []row
	for _, where := range []struct {
		name    string
		clients []client
	}{
		{"in memory", inMemoryClients(&api{})},
		{"loopback", newClients(s.url, pool)},
	} {
		spread := newSpread("scale, " + where.name + ", 1 to 1,000 at once")
		for _, goroutines := range []int{1, 10, 100, 1000} {
			samples, err := compare(ctx, p.longer(4), goroutines, contenders(where.clients[:2], smallGET))
			if err != nil {
				return nil, err
			}
			name := fmt.Sprintf("scale, %s, %d at once", where.name, goroutines)
			rows = append(rows, rowsOf(name, samples, nil, cpuNanoseconds)...)
			spread.add(&rows[len(rows)-1])
		}
		rows = append(rows, spread.row())
	}
	return rows, nil
}

// connections measures how many connections each client, with its defaults, opens for many requests from 256
// goroutines. Each has a server of its own, because closed connections keep their ports for a while.
func connections(ctx context.Context, p plan) ([]row, error) {
	accepted := map[string]float64{}
	for i, name := range clientNames {
		s, err := startServer(ctx)
		if err != nil {
			return nil, err
		}
		defer s.stop()
		c := newClients(s.url, nil)[i]
		if _, err := run(ctx, 256, p.requests, contenders([]client{c}, smallGET)[0].call); err != nil {
			return nil, err
		}
		n, err := s.accepted(ctx)
		if err != nil {
			return nil, err
		}
		accepted[name] = float64(n)
	}
	return []row{{
		Case: fmt.Sprintf("connections for %d requests, 256 at once, defaults", p.requests), Unit: "connections",
		Values: once(accepted), Target: &connectionTarget,
	}}, nil
}
