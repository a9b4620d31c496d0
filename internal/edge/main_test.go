package edge_test

import (
	"testing"

	"github.com/homeward/homeward/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }
