package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testcert"
)

// asEdge makes this test binary the edge itself, so that what is measured is a
// process which does nothing else.
const asEdge = "HOMEWARD_EDGE_UNDER_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asEdge) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// patience bounds waiting for what must happen; no test is decided by it.
const patience = time.Minute

// edgeProcess is an edge that runs on its own.
type edgeProcess struct {
	pid                  int
	plain, secure, admin string // addresses
	roots                *x509.CertPool
}

// startEdge starts an edge in front of one cell. Lines are more of its topology.
func startEdge(t *testing.T, gateway string, lines ...string) *edgeProcess {
	t.Helper()
	file := filepath.Join(t.TempDir(), "topology.yaml")
	top := "version: 1\nfacade: {hosts: [127.0.0.1, localhost], legacy_cell: na1}\ncells:\n" +
		"- {name: na1, region: here, jurisdiction: us, gateways: [\"" + gateway + "\"]}\n" + strings.Join(lines, "\n")
	if err := os.WriteFile(file, []byte(top), 0o600); err != nil {
		t.Fatal(err)
	}
	pair := testcert.New(t, testcert.Options{})
	cert, key := pair.Files(t)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, os.Args[0], "-t", file, "--access-log", "off", //nolint:gosec // this binary
		"--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--cert", cert, "--key", key, "--admin", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), asEdge+"=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGKILL) }
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	e := &edgeProcess{pid: cmd.Process.Pid, roots: pair.Pool()}
	addresses := map[string]*string{"http": &e.plain, "https": &e.secure, "admin": &e.admin}
	for log := bufio.NewScanner(out); len(addresses) > 0; {
		if !log.Scan() {
			t.Fatal("the edge did not start")
		}
		for name, addr := range addresses {
			if _, found, ok := strings.Cut(log.Text(), " "+name+"="); ok {
				*addr = found
				delete(addresses, name)
			}
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return e
}

// resident is a size in KiB that a file of the process in /proc tells, in bytes.
func (e *edgeProcess) resident(t *testing.T, file, name string) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", e.pid, file))
	if err != nil {
		t.Fatal(err)
	}
	return number(t, string(b), name) << 10
}

// number is what follows a name at the start of a line.
func number(t *testing.T, text, name string) int64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, name); found {
			n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return int64(n)
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// ask asks the admin port.
func (e *edgeProcess) ask(t *testing.T, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + e.admin + path) //nolint:noctx // ends with the edge
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(b)
}

// use is what a process holds.
type use struct {
	memory      int64 // bytes resident, shared ones in part
	heap        int64 // bytes of it in use, after a collection
	goroutines  int64
	descriptors int64
	clients     int64 // connections
}

func (e *edgeProcess) use(t *testing.T) use {
	t.Helper()
	heap := e.ask(t, "/debug/pprof/heap?gc=1&debug=1")
	metrics := e.ask(t, "/metrics")
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", e.pid))
	if err != nil {
		t.Fatal(err)
	}
	return use{
		memory: e.resident(t, "smaps_rollup", "Pss:"), heap: number(t, heap, "# HeapAlloc ="),
		goroutines: number(t, metrics, "go_goroutines "), descriptors: int64(len(open)),
		clients: number(t, metrics, "homeward_client_connections "),
	}
}

// eventually waits for a state that another process brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}
