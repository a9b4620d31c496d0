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

// OverWindow calls end with 0 to n-1, at moments that Spread places over a window
// from now on, and returns after the last, or when ended closes.
func OverWindow(n int, window time.Duration, ended <-chan struct{}, end func(i int)) {
	start, i := time.Now(), 0
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // spreads load, guards nothing
	for delay := range Spread(n, window, random) {
		select {
		case <-ended:
			return
		case <-time.After(time.Until(start.Add(delay))):
		}
		end(i)
		i++
	}
}
