package h2spec_test

import (
	"context"
	"encoding/xml"
	"flag"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/summerwind/h2spec"
	"github.com/summerwind/h2spec/config"

	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

var update = flag.Bool("update", false, "write failures.txt anew")

// The edge speaks HTTP/2 to clients through the standard library. What of the
// suite fails is what fails with a bare server of that library, and nothing else:
// failures.txt lists it by section.
func TestOnlyTheLibrarysFailures(t *testing.T) {
	library, edge := serveBare(t), serveEdge(t)
	known, err := os.ReadFile("failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	// What is missed within a short time, as on a busy machine, counts only if it is
	// missed within a long one. Each failure takes all of it.
	within := 2 * time.Second
	bare, through := failures(t, library, within), failures(t, edge, within)
	if listed(through) != string(known) || !subset(through, bare) {
		within = 20 * time.Second
		bare, through = failures(t, library, within), failures(t, edge, within)
	}
	for _, f := range through {
		if !slices.Contains(bare, f) {
			t.Errorf("fails with the edge only: %s", f)
		}
	}
	list := listed(through)
	if *update {
		if err := os.WriteFile("failures.txt", []byte(list), 0o644); err != nil {
			t.Fatal(err)
		}
		known = []byte(list)
	}
	if string(known) != list {
		t.Errorf("failures.txt lists\n%s\nand these fail:\n%s", known, list)
	}
}

func listed(failures []string) string { return strings.Join(failures, "\n") + "\n" }

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(f string) bool { return !slices.Contains(all, f) })
}

// serveBare is a server of the library alone.
func serveBare(t *testing.T) int {
	t.Helper()
	l := listen(t)
	s := &http.Server{
		Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("answer")) }),
	}
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// serveEdge is an edge in front of one cell.
func serveEdge(t *testing.T) int {
	t.Helper()
	cell, l := testcell.New("na1", testcell.Options{}), listen(t)
	go func() { _ = cell.Serve(l) }()
	t.Cleanup(cell.Close)
	top := (&topology.Topology{
		Version: 1, Facade: topology.Facade{Hosts: []string{"127.0.0.1"}, LegacyCell: "na1"},
		Cells: []topology.Cell{{Name: "na1", Region: "here", Jurisdiction: "us", Gateways: []string{"http://" + l.Addr().String()}}},
	}).WithDefaults()
	e, err := edge.Open(edge.Config{Topology: top})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx, 0)
	})
	front := listen(t)
	go func() { _ = e.Serve(front, nil) }()
	return front.Addr().(*net.TCPAddr).Port
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// failures runs the suite against a port and lists what fails, or does not come
// within a time, by section.
func failures(t *testing.T, port int, within time.Duration) []string {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.xml")
	_, err := h2spec.Run(&config.Config{
		Host: "127.0.0.1", Port: port, Path: "/", Timeout: within, MaxHeaderLen: 4000, JUnitReport: report, Strict: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var suites struct {
		Suites []struct {
			ID    string `xml:"id,attr"`
			Cases []struct {
				Class   string    `xml:"classname,attr"`
				Package string    `xml:"package,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(data, &suites); err != nil {
		t.Fatal(err)
	}
	var failed []string
	ran := 0
	for _, s := range suites.Suites {
		for _, c := range s.Cases {
			if ran++; c.Failure != nil || c.Error != nil {
				failed = append(failed, c.Package+": "+c.Class)
			}
		}
	}
	if ran < 140 {
		t.Fatalf("the suite ran %d cases only", ran)
	}
	slices.Sort(failed)
	return failed
}
