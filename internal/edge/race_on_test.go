//go:build race

package edge_test

// raceFactor is what the race detector may add to memory.
const raceFactor = 2
