package telemetry_test

import (
	"context"
	"io"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/telemetry"
)

// each calls f with each observer that is told of every request.
func each(f func(name string, o proxy.Observer)) {
	f("Metrics", telemetry.NewMetrics())
	f("Recent", telemetry.NewRecent(256))
	l := telemetry.OpenAccessLog(io.Discard)
	f("AccessLog", l)
	_ = l.Close(context.Background())
}

// To be told of a request costs no memory, once each slot of the ring has its own.
func TestObserversAllocateNothing(t *testing.T) {
	each(func(name string, o proxy.Observer) {
		r := record(t)
		for range 4096 {
			o.Done(r)
		}
		if n := testing.AllocsPerRun(1000, func() { o.Done(r) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	})
}

func BenchmarkObservers(b *testing.B) {
	each(func(name string, o proxy.Observer) {
		b.Run(name, func(b *testing.B) {
			r := record(b)
			b.ReportAllocs()
			for b.Loop() {
				o.Done(r)
			}
		})
		b.Run(name+"EachCore", func(b *testing.B) {
			r := record(b)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				r := *r
				for pb.Next() {
					o.Done(&r)
				}
			})
		})
	})
}
