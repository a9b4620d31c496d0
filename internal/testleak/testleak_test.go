package testleak_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/homeward/homeward/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// What ends late has ended; what stays is found when patience is over, which no
// test waits for here.
func TestCheckWaits(t *testing.T) {
	before := goleak.IgnoreCurrent()
	release := make(chan struct{})
	go func() { <-release }()
	if goleak.Find(before) == nil {
		t.Fatal("the goroutine is not found")
	}
	time.AfterFunc(time.Second, func() { close(release) })
	testleak.Check(t, before)
}
