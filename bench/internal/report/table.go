package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Table is the runs for people, in Markdown: for each workload a table with a
// line for each proxy, each figure as min–median–max over the rounds.
func Table(runs []*Run) string {
	var b strings.Builder
	for i, r := range runs {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "### %s\n\n", r.Workload)
		if r.Note != "" {
			b.WriteString(r.Note + "\n\n")
		}
		writeTable(&b, r.rows())
	}
	return b.String()
}

func (r *Run) rows() [][]string {
	var shown []Figure
	for _, f := range figures {
		if slices.ContainsFunc(r.Proxies, func(proxy string) bool { return len(r.values(proxy, f)) > 0 }) {
			shown = append(shown, f)
		}
	}
	head := []string{"proxy"}
	for _, f := range shown {
		head = append(head, string(f))
	}
	rows := [][]string{append(head, r.ratioHead())}
	for _, proxy := range r.Proxies {
		row := []string{proxy}
		for _, f := range shown {
			values := r.values(proxy, f)
			if len(values) == 0 {
				row = append(row, "–")
				continue
			}
			row = append(row, Of(values).String())
		}
		rows = append(rows, append(row, r.ratioTo(proxy)))
	}
	return rows
}

func (r *Run) ratioHead() string {
	return "ratio of " + r.Ours + " to it: " + strings.Join(r.ratioNames(), ", ")
}

// compared are the figures whose ratios a table shows.
func (r *Run) compared() []Figure {
	var some []Figure
	for _, f := range []Figure{CPU, Rate, P99, Memory, Idle, IdleTLS} {
		if len(r.values(r.Ours, f)) > 0 {
			some = append(some, f)
		}
	}
	return some
}

func (r *Run) ratioNames() []string {
	var names []string
	for _, f := range r.compared() {
		name, _, _ := strings.Cut(string(f), " µs")
		names = append(names, strings.TrimSuffix(name, " MiB"))
	}
	return names
}

// ratioTo is the medians of the rounds' ratios to one proxy.
func (r *Run) ratioTo(proxy string) string {
	if proxy == r.Ours {
		return ""
	}
	var cells []string
	for _, f := range r.compared() {
		ratios := Ratios(r.values(r.Ours, f), r.values(proxy, f))
		cells = append(cells, strconv.FormatFloat(Of(ratios).Median, 'f', 2, 64))
	}
	return strings.Join(cells, ", ")
}

// String is min–median–max, with as many digits as say something.
func (s Spread) String() string {
	digits := 2
	switch {
	case s.Median >= 1000:
		digits = 0
	case s.Median >= 10:
		digits = 1
	}
	f := func(v float64) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	return f(s.Min) + "–" + f(s.Median) + "–" + f(s.Max)
}

// writeTable writes rows, the first of which is the head, with columns of the
// same width.
func writeTable(b *strings.Builder, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			b.WriteString("| " + cell + strings.Repeat(" ", width[i]-len([]rune(cell))+1))
		}
		b.WriteString("|\n")
		if n == 0 {
			for i := range row {
				b.WriteString("|" + strings.Repeat("-", width[i]+2))
			}
			b.WriteString("|\n")
		}
	}
}
