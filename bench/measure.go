package main

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// plan says for how long, and how much of it, each case is measured.
type plan struct {
	rounds int           // of which the median is shown
	slice  time.Duration // of each client in each round
	// sizes of what is measured once
	items    []int // lengths of lists
	turns    int   // of a transcript
	requests int   // of 256 goroutines
	// turnsSpoken are voice turns that each sender sends in a round.
	turnsSpoken int
	// ownBinaries leaves the binaries of the peers out.
	ownBinaries bool
}

var (
	fullPlan = plan{
		rounds: 15, slice: 80 * time.Millisecond,
		items: []int{10, 100, 1000, 10_000, 50_000}, turns: 1_000_000, requests: 20_000, turnsSpoken: 3000,
	}
	quickPlan = plan{
		rounds: 3, slice: 5 * time.Millisecond,
		items: []int{10, 100, 1000}, turns: 20_000, requests: 2000, turnsSpoken: 100, ownBinaries: true,
	}
)

// longer returns the plan with fewer rounds of longer slices.
func (p plan) longer(by int) plan {
	p.slice *= time.Duration(by)
	p.rounds = max(min(5, p.rounds), p.rounds/by)
	return p
}

// shorter returns the plan with more rounds of shorter slices, for what takes microseconds: another program on the machine then spoils
// fewer of them.
func (p plan) shorter(by int) plan {
	p.slice /= time.Duration(by)
	p.rounds *= by
	return p
}

// sample is what a number of calls cost.
type sample struct {
	calls         int
	wall, cpu     time.Duration
	bytes, allocs uint64
}

func (s sample) per(x float64) float64   { return x / float64(s.calls) }
func (s sample) nanoseconds() float64    { return s.per(float64(s.wall)) }
func (s sample) cpuNanoseconds() float64 { return s.per(float64(s.cpu)) }
func (s sample) perSecond() float64      { return float64(s.calls) / s.wall.Seconds() }
func (s sample) bytesEach() float64      { return s.per(float64(s.bytes)) }
func (s sample) allocsEach() float64     { return s.per(float64(s.allocs)) }

// contender is one of the functions that are compared.
type contender struct {
	name string
	call func(context.Context) error
}

// compare lets the contenders take turns, so that whatever else the machine does affects all of them
// alike. Each makes as many calls in a round as the first makes in a slice.
func compare(ctx context.Context, p plan, goroutines int, contenders []contender) (map[string][]sample, error) {
	calls := goroutines
	for { // which warms the first up, too
		s, err := run(ctx, goroutines, calls, contenders[0].call)
		if err != nil {
			return nil, err
		}
		if s.wall >= p.slice/2 {
			calls = max(goroutines, int(float64(calls)*float64(p.slice)/float64(s.wall)))
			break
		}
		calls *= 2
	}
	samples := map[string][]sample{}
	for round := range p.rounds + 1 {
		for i := range contenders {
			c := contenders[(round+i)%len(contenders)]
			s, err := run(ctx, goroutines, calls, c.call)
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first warms up
				samples[c.name] = append(samples[c.name], s)
			}
		}
	}
	return samples, nil
}

// run makes calls from goroutines, after a garbage collection, so that none pays for what another left.
func run(ctx context.Context, goroutines, calls int, call func(context.Context) error) (sample, error) {
	var left atomic.Int64
	left.Store(int64(calls))
	var failure atomic.Pointer[error]
	work := func() {
		for left.Add(-1) >= 0 {
			if err := call(ctx); err != nil {
				failure.CompareAndSwap(nil, &err)
				return
			}
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu, began := cpuTime(), time.Now()
	if goroutines == 1 {
		work()
	} else {
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(work)
		}
		wg.Wait()
	}
	s := sample{calls: calls, wall: time.Since(began), cpu: cpuTime() - cpu}
	runtime.ReadMemStats(&after)
	s.bytes, s.allocs = after.TotalAlloc-before.TotalAlloc, after.Mallocs-before.Mallocs
	if err := failure.Load(); err != nil {
		return s, *err
	}
	return s, nil
}

// cpuTime returns the CPU time of this process so far: of all its threads, in user and system mode.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakHeap returns the most heap in use, less that from before, at ten points of a walk over n items. walk calls its
// argument for each item.
func peakHeap(items int, walk func(each func()) error) (float64, error) {
	before := liveHeap()
	peak, seen, step := before, 0, max(1, items/10)
	err := walk(func() {
		if seen++; seen%step == 0 {
			peak = max(peak, liveHeap())
		}
	})
	return peak - before, err
}

func liveHeap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // a sync.Pool keeps its items for one collection
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
