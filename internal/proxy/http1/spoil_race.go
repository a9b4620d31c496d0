//go:build race

package http1

// spoil overwrites what is no longer valid, so that whoever holds on to it shows
// in a test.
func spoil(b []byte) {
	for n := 0; n < len(b); {
		n += copy(b[n:], spoilt)
	}
}

const spoilt = "################################################################"
