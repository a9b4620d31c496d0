package telemetry

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// nativeSchema is the resolution of the native histogram: 8 buckets for each
// doubling, so that each is 9% wider than the one before.
const nativeSchema = 3

// Powers of two, in seconds, between which times are told apart: 1 µs and 48
// days. What is shorter or longer counts as that.
const shortestPower, longestPower = -20, 22

// scale divides times into cells such that every bucket of the classic and of the
// native histogram consists of whole ones: counting a request is adding to one
// cell, and a scrape adds up the rest.
type scale struct {
	classic []float64 // upper bounds in seconds
	upper   []int64   // of each cell but the last, in nanoseconds; the first is for no time at all
	first   [65]int   // by the length of a time in bits: the lowest cell that it can be in
	native  []int     // by cell: the key of the native bucket, whose upper bound is 2^(key/8) seconds
	le      []int     // by cell: the index of the classic bucket; len(classic) for +Inf
}

// newScale makes the scale for these classic buckets.
func newScale(classic []float64) *scale {
	s := &scale{classic: classic}
	var natives, classics []int64
	for key := shortestPower << nativeSchema; key <= longestPower<<nativeSchema; key++ {
		natives = append(natives, longestWithin(math.Exp2(float64(key)/(1<<nativeSchema))))
	}
	for _, bound := range classic {
		classics = append(classics, longestWithin(bound))
	}
	s.upper = append(append(append(s.upper, 0), natives...), classics...)
	slices.Sort(s.upper)
	s.upper = slices.Compact(s.upper)
	for _, u := range append(slices.Clone(s.upper), math.MaxInt64) {
		native, _ := slices.BinarySearch(natives, u)
		le, _ := slices.BinarySearch(classics, u)
		s.native = append(s.native, native+shortestPower<<nativeSchema)
		s.le = append(s.le, le)
	}
	for n := 1; n < len(s.first); n++ {
		s.first[n], _ = slices.BinarySearch(s.upper, 1<<(n-1))
	}
	return s
}

// longestWithin is the longest time of at most this many seconds, in nanoseconds.
func longestWithin(seconds float64) int64 {
	d := time.Duration(seconds * 1e9)
	for d.Seconds() > seconds {
		d--
	}
	for (d + 1).Seconds() <= seconds {
		d++
	}
	return int64(d)
}

// cell is the cell of a time.
func (s *scale) cell(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	i := s.first[bits.Len64(uint64(d))]
	for i < len(s.upper) && s.upper[i] < int64(d) {
		i++
	}
	return i
}

// pageCells is how many cells a page of counts has: those of about a doubling.
const pageCells = 8

// durations are times of requests. Pages without any are nil: most requests of a
// cell take about the same time. They need a lock.
type durations struct {
	nanoseconds float64 // of all together, which are soon more than an int64 holds
	pages       []*[pageCells]uint64
}

func newDurations(s *scale) *durations {
	return &durations{pages: make([]*[pageCells]uint64, len(s.native)/pageCells+1)}
}

// add counts a time.
func (d *durations) add(s *scale, t time.Duration) {
	i := s.cell(t)
	page := &d.pages[i/pageCells]
	if *page == nil {
		*page = new([pageCells]uint64)
	}
	(*page)[i%pageCells]++
	d.nanoseconds += float64(max(0, t))
}

// drainInto moves all times to others.
func (d *durations) drainInto(to *durations) {
	to.nanoseconds += d.nanoseconds
	d.nanoseconds = 0
	for i, page := range d.pages {
		if page == nil {
			continue
		}
		if to.pages[i] == nil {
			to.pages[i] = new([pageCells]uint64)
		}
		for j, n := range page {
			to.pages[i][j] += n
		}
		clear(page[:])
	}
}
