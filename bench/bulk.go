package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/agentphone/agentphone-go"
)

// The targets of issue 6.
var (
	binarySize   = target{ratioAtMost, 1.1}
	constantHeap = target{atMost, 16} // KiB; the issue names no number
)

// walk is an iteration over many items. It calls each for every one.
type walk struct {
	name string
	over func(ctx context.Context, each func()) error
}

func walkItems[T any](seq iter.Seq2[T, error], each func()) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
		each()
	}
	return nil
}

// allItems walks over every call of the account, page by page.
func allItems(a *api) []walk {
	carrier := &http.Client{Transport: a}
	floor, sdk := newFloor(inMemoryURL, carrier), newSDK(inMemoryURL, carrier)
	return []walk{
		{netHTTP, func(ctx context.Context, each func()) error { return walkItems(floor.all(ctx, listedPage), each) }},
		{thisSDK, func(ctx context.Context, each func()) error {
			return walkItems(sdk.Calls.All(ctx, agentphone.ListCallsParams{}), each)
		}},
	}
}

// spokenTurns walks over the turns of a live transcript.
func spokenTurns(a *api) []walk {
	carrier := &http.Client{Transport: a}
	floor, sdk := newFloor(inMemoryURL, carrier), newSDK(inMemoryURL, carrier)
	return []walk{
		{netHTTP, func(ctx context.Context, each func()) error {
			return floor.transcript(ctx, streamedID, func(*spoken) { each() })
		}},
		{thisSDK, func(ctx context.Context, each func()) error {
			for event, err := range sdk.Calls.StreamTranscript(ctx, streamedID) {
				if err != nil {
					return err
				}
				if event.Type == agentphone.TranscriptEventTurn {
					each()
				}
			}
			return nil
		}},
	}
}

// costOfItem compares the cost of an item in walks over more and fewer of them.
func costOfItem(ctx context.Context, p plan, name string, items int, walks []walk, units ...string) ([]row, error) {
	list := make([]contender, len(walks))
	for i, w := range walks {
		list[i] = contender{w.name, func(ctx context.Context) error { return w.over(ctx, func() {}) }}
	}
	samples, err := compare(ctx, p, 1, list)
	if err != nil {
		return nil, err
	}
	for _, list := range samples {
		for i := range list {
			list[i].calls *= items
		}
	}
	rows := rowsOf(fmt.Sprintf("%s, %d items", name, items), samples, nil, units...)
	for i := range rows {
		rows[i].Unit = strings.Replace(rows[i].Unit, "/call", "/item", 1)
	}
	return rows, nil
}

// heapGrowth measures the peak of the heap in a long walk, and how much higher it is than in a short one.
func heapGrowth(ctx context.Context, name string, short, long int, walks func(items int) []walk) ([]row, error) {
	peak, growth := map[string]float64{}, map[string]float64{}
	for _, items := range []int{short, long} {
		for _, w := range walks(items) {
			high, err := peakHeap(items, func(each func()) error { return w.over(ctx, each) })
			if err != nil {
				return nil, err
			}
			growth[w.name] = high/1024 - peak[w.name]
			peak[w.name] = high / 1024
		}
	}
	return []row{
		{Case: fmt.Sprintf("%s, %d items, peak heap", name, long), Unit: kibibytes, Values: once(peak)},
		{Case: fmt.Sprintf("%s, %d to %d items, growth of the heap", name, short, long), Unit: kibibytes, Values: once(growth), Target: &constantHeap},
	}, nil
}

func manyItems(ctx context.Context, p plan) (rows []row, err error) {
	walks := func(items int) []walk { return allItems(&api{calls: items}) }
	last := p.items[len(p.items)-1]
	spread := newSpread(fmt.Sprintf("All, %d to %d items, cost of one", p.items[0], last))
	for _, items := range p.items {
		units := []string{nanoseconds}
		if items == last {
			units = append(units, bytesAllocated)
		}
		some, err := costOfItem(ctx, p.longer(3), "All", items, walks(items), units...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
		spread.add(&some[0])
	}
	rows = append(rows, spread.row())
	heap, err := heapGrowth(ctx, "All", 5*listedPage, last, walks)
	return append(rows, heap...), err
}

func longTranscript(ctx context.Context, p plan) ([]row, error) {
	walks := func(turns int) []walk { return spokenTurns(&api{turns: turns}) }
	few := p
	few.rounds = min(3, p.rounds) // each takes seconds
	rows, err := costOfItem(ctx, few, "transcript", p.turns, walks(p.turns), nanoseconds, bytesAllocated)
	if err != nil {
		return nil, err
	}
	heap, err := heapGrowth(ctx, "transcript", p.turns/10, p.turns, walks)
	return append(rows, heap...), err
}

// binaries measures the size of a stripped program that makes one call (onecall/). The peers take minutes to
// compile, so a smoke test leaves them out, and so does the other engine, which makes no difference to them.
func binaries(ctx context.Context, p plan) ([]row, error) {
	names := clientNames
	if p.ownBinaries || engine() == "v2" {
		names = names[:2]
	}
	dir, err := os.MkdirTemp("", "agentphone-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	sizes := map[string]float64{}
	for _, name := range names {
		program := filepath.Join(dir, filepath.Base(name))
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./onecall/"+filepath.Base(name))
		if out, err := build.CombinedOutput(); err != nil {
			return nil, errors.Join(err, errors.New(string(out)))
		}
		info, err := os.Stat(program)
		if err != nil {
			return nil, err
		}
		sizes[name] = float64(info.Size()) / 1024
	}
	return []row{{
		Case: "stripped binary that makes one call, " + runtime.GOOS + "/" + runtime.GOARCH, Unit: kibibytes,
		Values: once(sizes), Target: &binarySize,
	}}, nil
}
