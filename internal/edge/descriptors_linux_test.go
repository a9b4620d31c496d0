package edge_test

import (
	"os"
	"testing"
)

// descriptors is the number of open files and sockets of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
