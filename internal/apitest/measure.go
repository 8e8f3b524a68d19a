package apitest

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// Took runs f in a synctest bubble and returns how long it took by the clock of the bubble.
func Took(t *testing.T, f func(t *testing.T)) (d time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f(t)
		d = time.Since(start)
	})
	return d
}

// HeapInUse collects garbage and returns the bytes of live heap objects.
func HeapInUse() int {
	runtime.GC()
	runtime.GC() // what finalizers of the first one released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// FewestAllocs returns the number of allocations of that run of f, out of many, that made the fewest. Their average, which
// testing.AllocsPerRun gives, varies under the race detector, where a sync.Pool drops at random what is put into it.
func FewestAllocs(f func()) int {
	fewest := testing.AllocsPerRun(1, f)
	for range 100 {
		fewest = min(fewest, testing.AllocsPerRun(1, f))
	}
	return int(fewest)
}
