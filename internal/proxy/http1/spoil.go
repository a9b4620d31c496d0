//go:build !race

package http1

// spoil does nothing: only builds with the race detector look for those who hold on
// to what is no longer valid.
func spoil([]byte) {}
