package upstream

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// What this process is short of says nothing about a gateway.
func TestShortOfWhat(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", err)}
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{dial(syscall.EMFILE), true},
		{dial(syscall.ENFILE), true},
		{fmt.Errorf("event loop: take a connection: %w", syscall.EMFILE), true},
		{fmt.Errorf("event loop: epoll_ctl: %w", errors.Join(nil, syscall.ENOSPC)), true},
		{dial(syscall.ENOMEM), true},
		{dial(syscall.EADDRNOTAVAIL), true},
		{dial(syscall.ECONNREFUSED), false},
		{dial(syscall.ETIMEDOUT), false},
		{os.ErrDeadlineExceeded, false},
	} {
		if got := short(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
