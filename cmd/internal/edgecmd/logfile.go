package edgecmd

import (
	"fmt"
	"os"
	"sync"
)

// logFile is the file that the access log is appended to. It may be renamed at
// any time: what is written goes to the same file until reopen opens one under
// the name again. It is safe for concurrent use.
type logFile struct {
	name string

	mu   sync.Mutex
	file *os.File
}

func openLogFile(name string) (*logFile, error) {
	l := &logFile{name: name}
	if err := l.reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

// Write implements io.Writer.
func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(b)
}

// reopen opens the file of that name, which may be another by now. If it cannot
// be opened, the log goes on in the one that is open.
func (l *logFile) reopen() error {
	f, err := os.OpenFile(l.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	l.mu.Lock()
	old := l.file
	l.file = f
	l.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	return nil
}

func (l *logFile) close() { _ = l.file.Close() }
