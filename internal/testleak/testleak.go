// Package testleak holds tests to leaving no goroutine behind. It gives those that
// are about to end the time that a busy machine needs for it; one that stays fails
// the test all the same.
package testleak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines may take to end. A leak takes so long to be found.
const patience = 30 * time.Second

// Main runs the tests of a package and exits, with a failure if goroutines are
// left that options do not excuse. TestMain calls it.
func Main(m *testing.M, options ...goleak.Option) {
	goleak.VerifyTestMain(patiently{m, options}, options...)
}

type patiently struct {
	*testing.M
	options []goleak.Option
}

// Run implements goleak.TestingM.
func (p patiently) Run() (code int) {
	code = p.M.Run()
	if code == 0 {
		_ = settle(p.options)
	}
	return code
}

// Check fails the test if goroutines are left that options do not excuse.
func Check(t testing.TB, options ...goleak.Option) {
	t.Helper()
	if err := settle(options); err != nil {
		t.Error(err)
	}
}

// settle waits until none are left, and returns which are when patience is over.
func settle(options []goleak.Option) error {
	for deadline := time.Now().Add(patience); ; {
		err := goleak.Find(options...)
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
