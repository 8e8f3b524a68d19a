package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// row is a line of the table: what each client needed, in each round.
type row struct {
	Case   string
	Unit   string
	JSON   string // which engine
	Values map[string][]float64
	Target *target
}

// target is what issue 6 requires of this SDK.
type target struct {
	Kind  targetKind
	Limit float64
}

type targetKind string

const (
	ratioAtMost  targetKind = "times"         // the floor's
	ratioAtLeast targetKind = "times atleast" // the floor's
	moreAtMost   targetKind = "more"          // than the floor
	atMost       targetKind = "absolute"
)

func (r *row) median(name string) float64 { return median(r.Values[name]) }

// ratio returns the median of the rounds' ratios to the floor.
func (r *row) ratio(name string) float64 {
	floor, own := r.Values[netHTTP], r.Values[name]
	ratios := make([]float64, min(len(floor), len(own)))
	for i := range ratios {
		ratios[i] = own[i] / floor[i]
	}
	return median(ratios)
}

// rowsOf makes a row for each of the units.
func rowsOf(name string, samples map[string][]sample, targets map[string]target, units ...string) []row {
	quantity := map[string]func(sample) float64{
		nanoseconds: sample.nanoseconds, cpuNanoseconds: sample.cpuNanoseconds, requestsPerSecond: sample.perSecond, deliveriesPerSecond: sample.perSecond,
		bytesAllocated: sample.bytesEach, allocations: sample.allocsEach,
	}
	var rows []row
	for _, unit := range units {
		r := row{Case: name, Unit: unit, Values: map[string][]float64{}}
		if t, ok := targets[unit]; ok {
			r.Target = &t
		}
		for client, list := range samples {
			for _, s := range list {
				r.Values[client] = append(r.Values[client], quantity[unit](s))
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// once makes a row of what is measured once.
func once(values map[string]float64) map[string][]float64 {
	out := map[string][]float64{}
	for name, v := range values {
		out[name] = []float64{v}
	}
	return out
}

// spread compares what the most expensive of several sizes costs with the cheapest.
type spread struct {
	name        string
	least, most map[string]float64
}

func newSpread(name string) *spread { return &spread{name, map[string]float64{}, map[string]float64{}} }

func (s *spread) add(r *row) {
	for client := range r.Values {
		m := r.median(client)
		if least, ok := s.least[client]; !ok || m < least {
			s.least[client] = m
		}
		s.most[client] = max(s.most[client], m)
	}
}

func (s *spread) row() row {
	values := map[string]float64{}
	for client := range s.most {
		values[client] = s.most[client] / s.least[client]
	}
	return row{Case: s.name, Unit: spreadUnit, Values: once(values), Target: &asFlat}
}

func (r *row) higherIsBetter() bool { return r.Unit == requestsPerSecond }

// verdict reports whether the target is met, and which peers are ahead.
func (r *row) verdict() (text string, missed bool) {
	var said []string
	if r.Target != nil {
		limit, value, sign := r.Target.Limit, 0.0, "≤"
		switch r.Target.Kind {
		case ratioAtMost:
			value = r.ratio(thisSDK)
		case ratioAtLeast:
			value, sign = r.ratio(thisSDK), "≥"
		case moreAtMost:
			value, sign = r.median(thisSDK)-r.median(netHTTP), "≤ +"
		case atMost:
			value = r.median(thisSDK)
		}
		missed = value > limit
		if r.Target.Kind == ratioAtLeast {
			missed = value < limit
		}
		said = append(said, sign+decimal(limit)+" "+passed(!missed))
	}
	for _, peer := range []string{openAISDK, twilioSDK} {
		if len(r.Values[peer]) > 0 && r.ratio(thisSDK) > r.ratio(peer) != r.higherIsBetter() && r.ratio(thisSDK) != r.ratio(peer) {
			said, missed = append(said, "behind "+peer), true
		}
	}
	return strings.Join(said, ", "), missed
}

func passed(ok bool) string {
	if ok {
		return "pass"
	}
	return "MISS"
}

// print writes the table as Markdown.
func print(w io.Writer, rows []row) {
	lines := [][]string{append([]string{"case", "unit", "json"}, append(append([]string{}, clientNames...), "target")...)}
	missed := 0
	for i := range rows {
		r := &rows[i]
		line := []string{r.Case, r.Unit, r.JSON}
		for _, name := range clientNames {
			line = append(line, r.cell(name))
		}
		verdict, miss := r.verdict()
		if miss {
			missed++
		}
		lines = append(lines, append(line, verdict))
	}
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for n, line := range lines {
		for i, cell := range line {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[i]-len([]rune(cell))))
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for _, width := range widths {
				fmt.Fprint(w, "|", strings.Repeat("-", width+2))
			}
			fmt.Fprintln(w, "|")
		}
	}
	fmt.Fprintf(w, "\nIn brackets: times net/http, the median of the rounds' ratios. %d of %d rows miss a target or are behind a peer.\n", missed, len(rows))
}

func (r *row) cell(name string) string {
	switch {
	case len(r.Values[name]) == 0:
		return ""
	case name == netHTTP || r.median(netHTTP) <= 0:
		return decimal(r.median(name))
	}
	return fmt.Sprintf("%s (%.2f)", decimal(r.median(name)), r.ratio(name))
}

// decimal formats a number with three digits, or all of them if it is whole, and commas.
func decimal(x float64) string {
	if x < 100 {
		return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(x, 'f', 2, 64), "0"), ".")
	}
	s := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
