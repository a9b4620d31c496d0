package load

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// clockMonotonic is CLOCK_MONOTONIC of clock_gettime(2).
const clockMonotonic = 1

// timerfd is a ticker by timerfd_create(2), which the scheduler of Go waits for as for a
// connection: it wakes within microseconds, where a timer of the runtime is
// only as exact as the millisecond of epoll_wait.
type timerfd struct{ file *os.File }

// newTimer ticks every period from now on.
func newTimer(period time.Duration) (ticker, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return nil, fmt.Errorf("timerfd_create: %w", errno)
	}
	spec := struct{ interval, first syscall.Timespec }{syscall.NsecToTimespec(int64(period)), syscall.NsecToTimespec(int64(period))}
	if _, _, errno := syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0); errno != 0 {
		_ = syscall.Close(int(fd))
		return nil, fmt.Errorf("timerfd_settime: %w", errno)
	}
	return &timerfd{os.NewFile(fd, "timerfd")}, nil
}

// Wait is the periods that have passed since the last call, at least one.
func (t *timerfd) Wait() (int, error) {
	var count [8]byte
	if _, err := t.file.Read(count[:]); err != nil {
		return 0, fmt.Errorf("wait for the timer: %w", err)
	}
	return int(binary.NativeEndian.Uint64(count[:])), nil
}

// expirations is Wait for a descriptor that does not block; 0 is possible.
func expirations(fd int) int {
	var count [8]byte
	if n, err := syscall.Read(fd, count[:]); n < len(count) || err != nil {
		return 0
	}
	return int(binary.NativeEndian.Uint64(count[:]))
}

// Close ends the timer.
func (t *timerfd) Close() error { return t.file.Close() }
