// Command bench measures what this SDK costs, beside net/http by hand and two other SDKs, and prints
// one table. Run it in its own directory: go run .
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	serveIfAsked()
	quick := flag.Bool("quick", false, "a smoke test of a few seconds, whose numbers mean little")
	asJSON := flag.Bool("json", false, "print the rows as JSON, of this build only")
	only := flag.String("only", "", "measure only these sections, separated by commas: "+strings.Join(sectionNames(), ", "))
	flag.Parse()
	chosen, err := choose(*only)
	if err != nil {
		fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p := fullPlan
	if *quick {
		p = quickPlan
	}
	began := time.Now()
	rows, err := measure(ctx, p, chosen)
	if err != nil {
		fatal(err)
	}
	if *asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(rows); err != nil {
			fatal(err)
		}
		return
	}
	other, err := measureJSONv2(ctx, *quick, *only)
	if err != nil {
		fatal(err)
	}
	fmt.Printf("%s %s/%s, %d CPUs, %s, %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(), time.Now().Format(time.DateOnly))
	print(os.Stdout, interleave(rows, other))
	fmt.Printf("Measured in %v.\n", time.Since(began).Round(time.Second))
}

// engine returns which implementation of encoding/json this program was built with.
func engine() string {
	if strings.Contains(runtime.Version(), "jsonv2") {
		return "v2"
	}
	return "v1"
}

// section is a part of the table.
type section struct {
	name string
	rows func(context.Context, plan) ([]row, error)
}

var sections = []section{
	{"memory", inMemory},
	{"loopback", loopback},
	{"scale", atOnce},
	{"items", manyItems},
	{"transcript", longTranscript},
	{"webhooks", webhooks},
	{"keyed", keyedSends},
	{"connections", connections},
	{"binaries", binaries},
}

func sectionNames() []string {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	return names
}

// choose returns the sections of these names, or all of them if there are none.
func choose(names string) ([]section, error) {
	if names == "" {
		return sections, nil
	}
	var chosen []section
	for name := range strings.SplitSeq(names, ",") {
		i := slices.Index(sectionNames(), strings.TrimSpace(name))
		if i < 0 {
			return nil, fmt.Errorf("no section is named %q; there are %s", name, strings.Join(sectionNames(), ", "))
		}
		chosen = append(chosen, sections[i])
	}
	return chosen, nil
}

func measure(ctx context.Context, p plan, chosen []section) ([]row, error) {
	var rows []row
	for _, s := range chosen {
		fmt.Fprintf(os.Stderr, "measuring: %s (json %s)\n", s.name, engine())
		more, err := s.rows(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		rows = append(rows, more...)
	}
	for i := range rows {
		rows[i].JSON = engine()
	}
	return rows, nil
}

// measureJSONv2 builds this program with encoding/json/v2 and runs it.
func measureJSONv2(ctx context.Context, quick bool, only string) ([]row, error) {
	if engine() == "v2" {
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "agentphone-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "bench")
	env := append(os.Environ(), "GOEXPERIMENT=jsonv2")
	fmt.Fprintln(os.Stderr, "building with GOEXPERIMENT=jsonv2")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Env, build.Stderr = env, os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building with jsonv2 (this must run in its own directory): %w", err)
	}
	measuring := exec.CommandContext(ctx, program, "-json", fmt.Sprintf("-quick=%t", quick), "-only="+only)
	var out bytes.Buffer
	measuring.Env, measuring.Stdout, measuring.Stderr = env, &out, os.Stderr
	if err := measuring.Run(); err != nil {
		return nil, fmt.Errorf("with jsonv2: %w", err)
	}
	var rows []row
	return rows, json.Unmarshal(out.Bytes(), &rows)
}

// interleave puts each row of the other engine below that of the same case.
func interleave(rows, other []row) []row {
	type key struct{ name, unit string }
	byCase := map[key]row{}
	for _, r := range other {
		byCase[key{r.Case, r.Unit}] = r
	}
	var out []row
	for _, r := range rows {
		out = append(out, r)
		if o, ok := byCase[key{r.Case, r.Unit}]; ok {
			out = append(out, o)
		}
	}
	return out
}

// processor returns the CPU's name, if the system has a file that says it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}
