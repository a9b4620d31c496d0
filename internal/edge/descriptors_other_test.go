//go:build !linux

package edge_test

import "testing"

// descriptors cannot be told here: nothing is compared.
func descriptors(*testing.T) int { return 0 }
