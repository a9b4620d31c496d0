//go:build race

package edge_test

const (
	// raceFactor is what the race detector may add to memory.
	raceFactor = 2
	// poolLoss is how many objects a request may have to make anew, as pools of package
	// sync forget some of what they get.
	poolLoss = 12
)
