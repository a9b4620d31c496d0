package telemetry

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

var testBounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// What a scrape gets is to the bucket what the library's own histogram gives of
// the same times, which takes them one by one.
func TestDurationsAreTheLibrarysHistogram(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	between := func(low, high time.Duration) func() time.Duration { // evenly by magnitude
		ratio := float64(high) / float64(low)
		return func() time.Duration { return time.Duration(float64(low) * math.Pow(ratio, random.Float64())) }
	}
	edges := func() time.Duration { // at bounds, and right beside them
		d := time.Duration(testBounds[random.IntN(len(testBounds))] * 1e9)
		if random.IntN(2) == 0 {
			d = time.Duration(math.Exp2(float64(random.IntN(30)-20)) * 1e9)
		}
		return d + time.Duration(random.IntN(3)-1)
	}
	for name, next := range map[string]func() time.Duration{
		"as requests take": between(200*time.Microsecond, 2*time.Second), "bounds": edges,
		"one": func() time.Duration { return 1500 * time.Microsecond }, "no time": func() time.Duration { return 0 },
		"more buckets than are shown": between(2*time.Microsecond, 40*24*time.Hour),
		"some more":                   between(time.Millisecond, 30*time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScale(testBounds)
			got, want := newDurations(s), prometheus.NewHistogram(prometheus.HistogramOpts{
				Name: "x", Buckets: testBounds, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: maxNativeBuckets,
				NativeHistogramMinResetDuration: time.Hour,
			})
			desc := prometheus.NewDesc("x", "", nil, nil)
			compare(t, got.metric(s, desc, time.Time{}), want)
			for range 3 { // drained in between
				part := newDurations(s)
				for range 2000 {
					d := next()
					part.add(s, d)
					want.Observe(d.Seconds())
				}
				part.drainInto(got)
				part.drainInto(got) // nothing is counted twice
				compare(t, got.metric(s, desc, time.Time{}), want)
			}
		})
	}
}

// compare holds two histograms against each other, but for when they began.
func compare(t *testing.T, got, want prometheus.Metric) {
	t.Helper()
	read := func(m prometheus.Metric) (*dto.Histogram, float64) {
		var out dto.Metric
		if err := m.Write(&out); err != nil {
			t.Fatal(err)
		}
		h := out.GetHistogram()
		sum := h.GetSampleSum()
		h.SampleSum, h.CreatedTimestamp = nil, nil
		return h, sum
	}
	g, gotSum := read(got)
	w, wantSum := read(want)
	if g.String() != w.String() {
		t.Fatalf("the histogram is\n%s, want\n%s", g, w)
	}
	if math.Abs(gotSum-wantSum) > 1e-9*wantSum {
		t.Fatalf("the sum is %v, want %v", gotSum, wantSum)
	}
}

// Every time has the cell whose bounds hold it, the longest and impossible ones too.
func TestCell(t *testing.T) {
	s := newScale(testBounds)
	times := []int64{math.MinInt64, -1, 0, 1, math.MaxInt64}
	for _, u := range s.upper {
		times = append(times, u-1, u, u+1)
	}
	for _, d := range times {
		i := s.cell(time.Duration(d))
		if i < len(s.upper) && d > s.upper[i] || i > 0 && d <= s.upper[i-1] {
			t.Errorf("%d ns is in cell %d", d, i)
		}
	}
}
