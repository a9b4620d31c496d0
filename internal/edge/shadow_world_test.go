package edge_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// nobody is a gateway where none listens. A port that was free a moment ago may be
// another test's by now; this one needs a privilege.
const nobody = "http://127.0.0.1:1"

// candidate is an origin that is to be qualified: it answers as the cell na1 does,
// unless told otherwise.
type candidate struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
	// answer answers instead of the cell; it may be nil.
	answer http.HandlerFunc
}

func newCandidate(t *testing.T, answer http.HandlerFunc) *candidate {
	t.Helper()
	c := &candidate{answer: answer}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.seen = append(c.seen, r.Clone(r.Context()))
		c.mu.Unlock()
		c.answer(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *candidate) requests() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

// letters answers /bytes/N as a test cell does.
func letters(n int) string { return strings.Repeat(testcell.Alphabet, n/64+1)[:n] }

func saying(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// shadowing declares a shadow of na1, with all of its requests.
func shadowing(gateway string, change func(*topology.Shadow)) func(*topology.Topology) {
	return func(top *topology.Topology) {
		s := topology.Shadow{Name: "next", Of: "na1", Gateways: []string{gateway}, Share: 100}
		if change != nil {
			change(&s)
		}
		top.Shadows = []topology.Shadow{s}
	}
}

// counted is what became of copies, by result, without the zeros.
func (w *world) counted() map[string]string {
	w.t.Helper()
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^homeward_shadow_total\{result="([a-z-]+)",shadow="next"\} (\d+)`).FindAllStringSubmatch(w.metrics(), -1) {
		if m[2] != "0" {
			found[m[1]] = m[2]
		}
	}
	return found
}

// sum is how many results have been counted.
func (w *world) sum() (n int) {
	w.t.Helper()
	for _, count := range w.counted() {
		one, err := strconv.Atoi(count)
		if err != nil {
			w.t.Fatal(err)
		}
		n += one
	}
	return n
}

func (w *world) metrics() string {
	w.t.Helper()
	return w.admin("/metrics")
}

func (w *world) admin(path string) string {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.edge.Admin().ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
	return rec.Body.String()
}

// results waits until the copies have had these results, and no others.
func (w *world) results(want map[string]string) {
	w.t.Helper()
	eventually(w.t, fmt.Sprintf("the results are %v", want), func() bool { return cmp.Equal(w.counted(), want) })
}

func asking(method, target string, lines ...string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
}

// heads keeps the heads of the requests that a test cell gets.
type heads struct{ got chan []string }

func newHeads() *heads { return &heads{make(chan []string, 100)} }

// keep is a Fault that makes none.
func (h *heads) keep(r *testcell.Request) testcell.Fault {
	lines := []string{r.Head.Method + " " + r.Head.Target, "host: " + r.Head.Host}
	for _, f := range r.Head.Fields {
		if !strings.EqualFold(f.Name, "Host") {
			lines = append(lines, strings.ToLower(f.Name)+": "+f.Value)
		}
	}
	h.got <- lines
	return testcell.NoFault
}

func (h *heads) next(t *testing.T) []string {
	t.Helper()
	select {
	case lines := <-h.got:
		return lines
	case <-time.After(patience):
		t.Fatal("no request arrived")
		return nil
	}
}

// withoutHop is a head without what only its own protocol has, in one order.
func withoutHop(lines []string) []string {
	out := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasPrefix(l, "connection:") })
	slices.Sort(out)
	return out
}
