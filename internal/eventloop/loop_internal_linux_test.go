package eventloop

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// isTemporary is how servers tell that accepting may be tried again.
func isTemporary(err error) bool {
	var ne interface{ Temporary() bool }
	return errors.As(err, &ne) && ne.Temporary()
}

// One connection that the loop cannot watch is no reason to accept no more.
func TestNoRoomIsTemporary(t *testing.T) {
	l := inert(t).loop
	file, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.add(fd, inert(t).remote) // epoll takes no directories
	if !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Errorf("the descriptor stays open: %v", err)
	}
	failed := &net.OpError{Op: "accept", Net: "tcp", Err: passing{err}}
	if !isTemporary(failed) || !errors.Is(failed, unix.EPERM) {
		t.Errorf("%v is not temporary", failed)
	}
	if failed.Err = (passing{net.ErrClosed}); isTemporary(failed) {
		t.Errorf("%v is temporary", failed)
	}
}

// The system's clock may be set while the loop runs.
func TestTimeFollowsTheSystem(t *testing.T) {
	l := inert(t).loop
	l.reading.Store(&reading{time.Now().Add(-time.Hour), l.now() - readEvery})
	l.keep()
	if off := time.Since(l.Time()); off > time.Minute {
		t.Errorf("it is %v behind", off)
	}
}
