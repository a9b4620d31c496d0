//go:build race

package main

// raceFactor is what the race detector adds to memory.
const raceFactor = 8
