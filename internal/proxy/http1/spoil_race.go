//go:build race

package http1

// spoil overwrites what is no longer valid, so that whoever holds on to it shows
// in a test.
func spoil(b []byte) {
	for i := range b {
		b[i] = '#'
	}
}
