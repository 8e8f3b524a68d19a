package apitest

import (
	"runtime"
	"time"
)

// HeapGrowth runs f and returns by how many bytes the heap grew at most meanwhile.
func HeapGrowth(f func()) uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before, peak := stats.HeapInuse, stats.HeapInuse
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		runtime.ReadMemStats(&stats)
		peak = max(peak, stats.HeapInuse)
		select {
		case <-done:
			tick.Stop()
			return peak - before
		case <-tick.C:
		}
	}
}
