package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Table is the runs for people, in Markdown: for each workload a table with a
// line for each proxy, each figure as min–median–max over the rounds, and so the
// ratios of ours to it.
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

// compared are the figures whose ratios a table shows, with short names.
var compared = [...]struct {
	figure Figure
	name   string
}{
	{CPU, "CPU ratio"}, {Rate, "requests/s ratio"}, {P99, "p99 ratio"}, {Memory, "resident ratio"},
	{Idle, "idle ratio"}, {IdleTLS, "idle TLS ratio"},
}

// rows is the table, its head first.
func (r *Run) rows() [][]string {
	head := []string{"proxy"}
	rows := make([][]string, len(r.Proxies))
	for i, proxy := range r.Proxies {
		rows[i] = []string{proxy}
	}
	column := func(name string, of func(proxy string) []float64) {
		if !slices.ContainsFunc(r.Proxies, func(proxy string) bool { return len(of(proxy)) > 0 }) {
			return
		}
		head = append(head, name)
		for i, proxy := range r.Proxies {
			rows[i] = append(rows[i], spread(of(proxy)))
		}
	}
	for _, f := range figures {
		column(string(f), func(proxy string) []float64 { return r.values(proxy, f) })
	}
	for _, c := range compared {
		column(c.name, func(proxy string) []float64 {
			if proxy == r.Ours {
				return nil
			}
			return Ratios(r.values(r.Ours, c.figure), r.values(proxy, c.figure))
		})
	}
	return append([][]string{head}, rows...)
}

// spread is min–median–max of values, a dash without any.
func spread(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	return Of(values).String()
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
