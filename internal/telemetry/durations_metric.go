package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// maxNativeBuckets is how many buckets a native histogram shows at most. One that
// has more is shown with half the resolution, as often as it takes.
const maxNativeBuckets = 100

// both is a histogram that is classic and native at once.
type both struct{ classic, native prometheus.Metric }

// metric is what a scrape gets of the times.
func (d *durations) metric(s *scale, desc *prometheus.Desc, since time.Time, labels ...string) prometheus.Metric {
	var count, zero uint64
	below := make([]uint64, len(s.classic)+1)
	native := map[int]int64{}
	for p, page := range d.pages {
		if page == nil {
			continue
		}
		for j, n := range page {
			i := p*pageCells + j
			if n == 0 {
				continue
			}
			count += n
			below[s.le[i]] += n
			if i == 0 {
				zero = n
			} else {
				native[s.native[i]] += int64(n) //nolint:gosec // would take 300 years at a request each nanosecond
			}
		}
	}
	schema := int32(nativeSchema)
	for len(native) > maxNativeBuckets {
		native = halved(native)
		schema--
	}
	buckets := map[float64]uint64{}
	sum := uint64(0)
	for i, bound := range s.classic {
		sum += below[i]
		buckets[bound] = sum
	}
	seconds := d.nanoseconds / 1e9
	return both{
		prometheus.MustNewConstHistogramWithCreatedTimestamp(desc, count, seconds, buckets, since, labels...),
		prometheus.MustNewConstNativeHistogram(desc, count, seconds, native, nil, zero, schema, prometheus.DefNativeHistogramZeroThreshold, since, labels...),
	}
}

// halved merges each two buckets that make one of half the resolution.
func halved(native map[int]int64) map[int]int64 {
	merged := map[int]int64{}
	for key, n := range native {
		merged[(key+1)>>1] += n
	}
	return merged
}

// Desc implements prometheus.Metric.
func (b both) Desc() *prometheus.Desc { return b.classic.Desc() }

// Write implements prometheus.Metric.
func (b both) Write(out *dto.Metric) error {
	if err := b.native.Write(out); err != nil {
		return err
	}
	native := out.Histogram
	if err := b.classic.Write(out); err != nil {
		return err
	}
	h := out.Histogram
	h.Schema, h.ZeroThreshold, h.ZeroCount = native.Schema, native.ZeroThreshold, native.ZeroCount
	h.PositiveSpan, h.PositiveDelta = native.PositiveSpan, native.PositiveDelta
	return nil
}
