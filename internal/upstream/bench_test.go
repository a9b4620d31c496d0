package upstream_test

import (
	"testing"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/upstream"
)

// BenchmarkReuse is what a request pays for a connection that is there: taking it,
// with the look at whether it is still open, and giving it back.
func BenchmarkReuse(b *testing.B) {
	loop, err := eventloop.Open()
	if err != nil {
		loop = nil // a system without one
	} else {
		b.Cleanup(loop.Close)
	}
	s := upstream.OpenSet(upstream.Options{Loop: loop})
	b.Cleanup(s.Close)
	applied, err := s.Apply(declared(newGateway(b).url(), newGateway(b).url()))
	if err != nil {
		b.Fatal(err)
	}
	lanes := applied.Cells[0].Main
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l, err := lanes.Pool(0).Get(b.Context())
			if err != nil {
				b.Error(err)
				return
			}
			l.Answered()
			l.Conn.Release(true)
		}
	})
}
