package edgecmd

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
)

// logFile is the file that the access log is appended to. It may be renamed at
// any time: what is written goes to the same file until reopen opens one under
// the name again. It is safe for concurrent use, and a write that takes for ever,
// as to a pipe that nobody reads, holds up nothing else.
type logFile struct {
	name string
	file atomic.Pointer[os.File]
}

func openLogFile(name string) (*logFile, error) {
	l := &logFile{name: name}
	if err := l.open(0); err != nil {
		return nil, err
	}
	return l, nil
}

// Write implements io.Writer.
func (l *logFile) Write(b []byte) (int, error) {
	for {
		f := l.file.Load()
		n, err := f.Write(b)
		if n == 0 && errors.Is(err, os.ErrClosed) && l.file.Load() != f {
			continue // reopen came between
		}
		return n, err
	}
}

// reopen opens the file of that name, which may be another by now. If it cannot
// be opened, or is a pipe without a reader, the log goes on in the one that is open.
func (l *logFile) reopen() error { return l.open(syscall.O_NONBLOCK) }

func (l *logFile) open(how int) error {
	f, err := os.OpenFile(l.name, how|os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	if old := l.file.Swap(f); old != nil {
		_ = old.Close()
	}
	return nil
}

func (l *logFile) close() { _ = l.file.Load().Close() }
