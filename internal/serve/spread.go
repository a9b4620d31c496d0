package serve

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Spread places n closes over a window: delays from its start, in ascending
// order, one at random in each n-th of it. Clients whose connections end
// together come back together; spread like this, no part of the window sees
// more than its share, and neighbouring edges that drain at once do not tick
// in step.
//
// All delays are in [0, window); with a window of 0 all are 0.
func Spread(n int, window time.Duration, random *rand.Rand) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		slot := float64(window) / float64(n)
		for i := range n {
			delay := time.Duration((float64(i) + random.Float64()) * slot)
			if !yield(max(0, min(delay, window-1))) {
				return
			}
		}
	}
}
