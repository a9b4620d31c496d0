package edgecmd

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// pipe makes a named pipe, and a log that was opened on it while it had a reader.
func pipe(t *testing.T) (log *logFile, reader *os.File) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "access.log")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	if log, err = openLogFile(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.close)
	return log, reader
}

// reopened waits for reopen, which the edge does between two signals: one that
// does not return leaves it deaf to the next.
func reopened(t *testing.T, log *logFile) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- log.reopen() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatal("the log cannot be opened anew")
		return nil
	}
}

// A log whose reader has stopped reading can be moved elsewhere.
func TestLogFileWhoseReaderStops(t *testing.T) {
	log, _ := pipe(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = log.Write(make([]byte, 16<<20)) // more than a pipe holds
	}()
	for full := false; !full; time.Sleep(time.Millisecond) {
		probe, err := os.OpenFile(log.name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		full = poke(probe) != nil
		_ = probe.Close()
	}
	if err := os.Remove(log.name); err != nil {
		t.Fatal(err)
	}
	if err := reopened(t, log); err != nil {
		t.Fatal(err)
	}
	<-ended
	if _, err := log.Write([]byte("line\n")); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(log.name); err != nil || string(got) != "line\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// poke writes a byte, or says at once that there is no room for it.
func poke(f *os.File) (err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if failed := raw.Control(func(fd uintptr) { _, err = syscall.Write(int(fd), []byte{'x'}) }); failed != nil {
		return failed
	}
	return err
}

// A pipe that has lost its reader is not waited for.
func TestLogFileWithoutReader(t *testing.T) {
	log, reader := pipe(t)
	_ = reader.Close()
	if err := reopened(t, log); err == nil {
		t.Error("a pipe without a reader was opened")
	}
}
