package main

import (
	"fmt"
	"io"
	"slices"
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
	// Columns are the names of the values, [clientNames] if nil. The first is what the others are measured against. A target is for all
	// others, or among the clients for this SDK.
	Columns []string
}

func (r *row) columns() []string {
	if r.Columns == nil {
		return clientNames
	}
	return r.Columns
}

// measured returns the columns that the target is for.
func (r *row) measured() []string {
	if r.Columns == nil {
		return []string{thisSDK}
	}
	return r.Columns[1:]
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
	floor, own := r.Values[r.columns()[0]], r.Values[name]
	ratios := make([]float64, min(len(floor), len(own)))
	for i := range ratios {
		ratios[i] = own[i] / floor[i]
	}
	return median(ratios)
}

// rowsOf makes a row for each of the units.
func rowsOf(name string, samples map[string][]sample, targets map[string]target, units ...string) []row {
	quantity := map[string]func(sample) float64{
		nanoseconds: sample.nanoseconds, cpuNanoseconds: sample.cpuNanoseconds, requestsPerSecond: sample.perSecond, deliveriesPerSecond: sample.perSecond, sendsPerSecond: sample.perSecond,
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

func (r *row) higherIsBetter() bool { return strings.HasSuffix(r.Unit, "/s") }

// verdict reports whether the target is met, and which peers are ahead.
func (r *row) verdict() (text string, missed bool) {
	var said []string
	if r.Target != nil {
		for _, name := range r.measured() {
			missed = missed || len(r.Values[name]) > 0 && !r.meets(name)
		}
		sign := map[targetKind]string{ratioAtMost: "≤", ratioAtLeast: "≥", moreAtMost: "≤ +", atMost: "≤"}[r.Target.Kind]
		said = append(said, sign+decimal(r.Target.Limit)+" "+passed(!missed))
	}
	for _, peer := range []string{openAISDK, twilioSDK} {
		if len(r.Values[peer]) > 0 && r.ratio(thisSDK) > r.ratio(peer) != r.higherIsBetter() && r.ratio(thisSDK) != r.ratio(peer) {
			said, missed = append(said, "behind "+peer), true
		}
	}
	return strings.Join(said, ", "), missed
}

// meets reports whether a column meets the target.
func (r *row) meets(name string) bool {
	switch limit := r.Target.Limit; r.Target.Kind {
	case ratioAtMost:
		return r.ratio(name) <= limit
	case ratioAtLeast:
		return r.ratio(name) >= limit
	case moreAtMost:
		return r.median(name)-r.median(r.columns()[0]) <= limit
	default:
		return r.median(name) <= limit
	}
}

func passed(ok bool) string {
	if ok {
		return "pass"
	}
	return "MISS"
}

// print writes the tables as Markdown, one for each run of rows with the same columns.
func print(w io.Writer, rows []row) {
	missed := 0
	for len(rows) > 0 {
		columns := rows[0].columns()
		n := slices.IndexFunc(rows, func(r row) bool { return !slices.Equal(r.columns(), columns) })
		if n < 0 {
			n = len(rows)
		}
		missed += printTable(w, rows[:n])
		fmt.Fprintf(w, "\nIn brackets: times %s, the median of the rounds' ratios.\n\n", columns[0])
		rows = rows[n:]
	}
	fmt.Fprintf(w, "Rows that miss a target or are behind a peer: %d.\n", missed)
}

// printTable returns how many rows miss a target or are behind a peer.
func printTable(w io.Writer, rows []row) (missed int) {
	lines := [][]string{slices.Concat([]string{"case", "unit", "json"}, rows[0].columns(), []string{"target"})}
	for i := range rows {
		r := &rows[i]
		line := []string{r.Case, r.Unit, r.JSON}
		for _, name := range r.columns() {
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
	return missed
}

func (r *row) cell(name string) string {
	switch {
	case len(r.Values[name]) == 0 && r.Columns != nil:
		return "not installed"
	case len(r.Values[name]) == 0:
		return ""
	case name == r.columns()[0] || r.median(r.columns()[0]) <= 0:
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
