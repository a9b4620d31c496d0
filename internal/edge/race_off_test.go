//go:build !race

package edge_test

const (
	raceFactor = 1
	poolLoss   = 0
)
