package demo_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/demo"
	"github.com/homeward/homeward/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// free is a configuration on free ports.
func free() demo.Config {
	return demo.Config{HTTP: "127.0.0.1:0", HTTPS: "127.0.0.1:0", Admin: "127.0.0.1:0"}
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// world is a running demo.
type world struct {
	t     *testing.T
	tour  []string // lines up to the one that says that it serves
	lines chan string
	end   context.CancelFunc
	ended chan error
}

// start runs a demo and waits until it serves.
func start(t *testing.T, c demo.Config) *world {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	w := &world{t: t, lines: make(chan string, 10_000), ended: make(chan error, 1)}
	read, write := io.Pipe()
	c.Out = write
	ctx, cancel := context.WithCancel(t.Context())
	w.end = cancel
	go func() {
		w.ended <- demo.Run(ctx, c)
		_ = write.Close()
	}()
	go func() {
		defer close(w.lines)
		for s := bufio.NewScanner(read); s.Scan(); {
			w.lines <- s.Text()
		}
	}()
	t.Cleanup(w.finish)
	for !strings.Contains(strings.Join(w.tour, "\n"), "ready") {
		w.tour = append(w.tour, w.line())
	}
	return w
}

// finish ends the demo, if the test has not, and takes all that it still says.
func (w *world) finish() {
	w.end()
	for range w.lines { //nolint:revive // until the end
	}
}

// line is the next line that is not empty.
func (w *world) line() string {
	w.t.Helper()
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatalf("the demo ended: %v", <-w.ended)
			}
			if line != "" {
				return line
			}
		case <-time.After(patience):
			w.t.Fatal("no line came")
		}
	}
}

// address finds the address of http, https, admin or a cell in the tour.
func (w *world) address(name string) string {
	w.t.Helper()
	m := regexp.MustCompile(`(?m)^  ` + name + ` +(127\.0\.0\.1:\d+) `).FindStringSubmatch(strings.Join(w.tour, "\n"))
	if m == nil {
		w.t.Fatalf("the tour does not tell the address of %s", name)
	}
	return m[1]
}

func TestQuietSaysOneLine(t *testing.T) {
	c := free()
	c.Quiet = true
	w := start(t, c)
	if len(w.tour) != 1 || !regexp.MustCompile(`^ready: send requests to http://127\.0\.0\.1:\d+ `).MatchString(w.tour[0]) {
		t.Errorf("it says %q", w.tour)
	}
}

func TestTakenPortIsOneClearError(t *testing.T) {
	for _, flag := range []string{"--http", "--https", "--admin", "--cell-port"} {
		t.Run(flag, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			taken := l.Addr().String()
			c := free()
			switch flag {
			case "--http":
				c.HTTP = taken
			case "--https":
				c.HTTPS = taken
			case "--admin":
				c.Admin = taken
			default:
				_, port, _ := net.SplitHostPort(taken)
				c.CellPort, _ = strconv.Atoi(port)
			}
			var out strings.Builder
			c.Out = &out
			err = demo.Run(t.Context(), c)
			if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken) || !strings.Contains(err.Error(), flag+" ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is: %v", err)
			}
			if out.Len() > 0 {
				t.Errorf("it printed %q", out.String())
			}
		})
	}
}

func TestBadAddressNamesItsFlag(t *testing.T) {
	for flag, change := range map[string]func(*demo.Config){
		"--http":      func(c *demo.Config) { c.HTTP = "127.0.0.1" },
		"--https":     func(c *demo.Config) { c.HTTPS = "192.0.2.1:0" },
		"--admin":     func(c *demo.Config) { c.Admin = "0.0.0.0:0" },
		"--cell-port": func(c *demo.Config) { c.CellPort = 70000 },
	} {
		c := free()
		change(&c)
		c.Out = io.Discard
		if err := demo.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), flag+" ") && !strings.Contains(err.Error(), flag+":") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestNothingStaysBehind(t *testing.T) {
	w := start(t, free())
	dir := os.TempDir()
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("while it runs: %v, %v", files, err)
	}
	addr := w.address("na2")
	w.finish()
	if err := <-w.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("after its end: %v, %v", files, err)
	}
	if nc, err := net.Dial("tcp", addr); err == nil {
		_ = nc.Close()
		t.Error("a cell goes on")
	}
}
