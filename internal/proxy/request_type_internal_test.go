package proxy

import (
	"sync"
	"testing"
)

// A number that many change at once, each adding and taking away elsewhere, is
// right in the end.
func TestSpreadCount(t *testing.T) {
	var c spreadCount
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 1000 {
				c.Add(1)
				deeper(&c, 20)
			}
		})
	}
	wg.Wait()
	if got := c.Load(); got != 0 {
		t.Errorf("%d are left", got)
	}
	c.Add(3)
	if got := c.Load(); got != 3 {
		t.Errorf("%d, want 3", got)
	}
	if n := testing.AllocsPerRun(100, func() { c.Add(1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// deeper takes one away from further down the stack.
func deeper(c *spreadCount, n int) {
	var room [256]byte
	if n > 0 {
		room[n] = byte(n)
		deeper(c, n-int(room[n])/n)
		return
	}
	c.Add(-1)
}

func BenchmarkSpreadCount(b *testing.B) {
	var c spreadCount
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Add(1)
		}
	})
}
