package serve_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/homeward/homeward/internal/serve"
)

func TestSpreadPutsOneCloseInEachPartOfTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 3000).Draw(t, "n")
		window := time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "window"))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		delays := slices.Collect(serve.Spread(n, window, random))
		if len(delays) != n {
			t.Fatalf("%d delays, want %d", len(delays), n)
		}
		for i, d := range delays {
			from, to := part(i, n, window), part(i+1, n, window)
			if d < from-1 || d > to+1 || d > max(0, window-1) || d < 0 {
				t.Fatalf("delay %d of %d is %v, want one from %v to %v", i, n, d, from, to)
			}
		}
		if !slices.IsSorted(delays) {
			t.Fatal("the delays are not in ascending order")
		}
	})
}

func part(i, n int, window time.Duration) time.Duration {
	return time.Duration(float64(window) / float64(n) * float64(i))
}

func TestSpreadIsNotTheSameTwice(t *testing.T) {
	a := slices.Collect(serve.Spread(50, time.Minute, rand.New(rand.NewPCG(1, 1))))
	b := slices.Collect(serve.Spread(50, time.Minute, rand.New(rand.NewPCG(2, 2))))
	if slices.Equal(a, b) {
		t.Error("two edges would close in step")
	}
}

func TestSpreadStopsWhenAsked(t *testing.T) {
	taken := 0
	for range serve.Spread(10, time.Second, rand.New(rand.NewPCG(1, 1))) {
		if taken++; taken == 3 {
			break
		}
	}
	if taken != 3 {
		t.Errorf("%d delays, want 3", taken)
	}
}
