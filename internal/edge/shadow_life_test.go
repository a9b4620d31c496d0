package edge_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testleak"
	"github.com/homeward/homeward/topology"
)

func TestShadowShares(t *testing.T) {
	const n = 400
	for name, c := range map[string]struct {
		share    float64
		from, to int
	}{
		"none": {0, 0, 0},
		"all":  {100, n, n},
		"half": {50, n / 4, 3 * n / 4}, // ten standard deviations to each side
	} {
		t.Run(name, func(t *testing.T) {
			next := newCandidate(t, saying(404, ""))
			w := newWorld(t, shadowing(next.URL, func(s *topology.Shadow) {
				s.Share, s.Concurrent, s.Timeout = c.share, 1000, topology.Duration(patience)
			}), testcell.Options{})
			conn := w.dial()
			r := bufio.NewReader(conn)
			for range n {
				_, _ = io.WriteString(conn, get)
				w.read(r, "GET")
			}
			// The last request's copy is chosen, if at all, before the connection ends.
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
			w.read(r, "GET")
			if _, err := r.ReadByte(); err != io.EOF { //nolint:errorlint // a net.Conn returns it bare
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			eventually(t, "the copies chosen have been sent", func() bool { return len(next.requests()) >= c.from })
			if err := w.edge.Shutdown(ctx, 0); err != nil {
				t.Fatal(err)
			}
			if got := len(next.requests()); got > c.to {
				t.Errorf("%d of %d requests copied at %v percent", got, n, c.share)
			}
		})
	}
}

// Two shadows of a cell get their copies each, and one may be another cell.
func TestShadowToACell(t *testing.T) {
	next := newCandidate(t, saying(404, ""))
	w := newWorld(t, func(top *topology.Topology) {
		shadowing(next.URL, nil)(top)
		top.Shadows = append(top.Shadows, topology.Shadow{Name: "west", Of: "na1", Cell: "na2", Share: 100})
	}, testcell.Options{})
	w.raw(asking("GET", "/bytes/100"))
	w.results(map[string]string{"status": "1"})
	eventually(t, "the cell answers the same", func() bool {
		return strings.Contains(w.metrics(), `homeward_shadow_total{result="same",shadow="west"} 1`)
	})
	if n := w.cells["na2"].Requests(); n != 1 {
		t.Errorf("%d copies reached na2", n)
	}
	if strings.Contains(w.metrics(), `homeward_requests_total{by="cell",cell="na2"`) {
		t.Error("the copy counts as a request sent to na2")
	}
}

// While the topology observes, a shadow copies what is sent to the legacy cell.
func TestShadowWhileObserving(t *testing.T) {
	next := newCandidate(t, saying(404, ""))
	w := newWorld(t, func(top *topology.Topology) {
		shadowing(next.URL, nil)(top)
		top.Mode = topology.Observe
		top.Shadows = append(top.Shadows, topology.Shadow{Name: "of-eu1", Of: "eu1", Gateways: []string{next.URL}, Share: 100})
	}, testcell.Options{})
	w.raw(asking("GET", "/x", "Authorization: Bearer "+euToken))
	w.results(map[string]string{"status": "1"})
	if got := next.requests(); len(got) != 1 || got[0].Header.Get("Homeward-Shadow") != "next" {
		t.Errorf("%d copies, the first %v", len(got), got[0].Header)
	}
}

// An answer that the client did not get whole is compared with nothing.
func TestShadowOfWhatFailed(t *testing.T) {
	for name, fault := range map[string]testcell.Fault{"no answer": testcell.Reset, "half an answer": testcell.ResetAfterHead} {
		t.Run(name, func(t *testing.T) {
			next := newCandidate(t, saying(200, ""))
			broken := func(r *testcell.Request) testcell.Fault {
				if r.Head.Target == "/last" {
					return testcell.NoFault
				}
				return fault
			}
			w := newWorld(t, shadowing(next.URL, nil), testcell.Options{Fault: broken})
			w.raw(get)
			w.raw(asking("GET", "/last"))
			w.results(map[string]string{"body": "1"})
			if got := next.requests(); len(got) != 1 || got[0].RequestURI != "/last" {
				t.Errorf("%d copies, the first of %s", len(got), got[0].RequestURI)
			}
		})
	}
}

// The edge's own problem in the place of an answer is none, however short the
// answers that the shadow compares.
func TestShadowWithoutAnAnswer(t *testing.T) {
	next := newCandidate(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	w := newWorld(t, shadowing(next.URL, func(s *topology.Shadow) { s.Body = 1 }), testcell.Options{})
	w.raw(asking("GET", "/bytes/1"))
	w.results(map[string]string{"failed": "1"})
	if text := w.admin("/shadows"); !strings.Contains(text, "no answer, upstream-reset") || !strings.Contains(text, "gave no answer") {
		t.Error(text)
	}
}

// A request that is under way when its shadow is removed is not copied any more;
// one that comes after the shadow is declared is.
func TestShadowReload(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	next := newCandidate(t, saying(404, ""))
	hold := func(r *testcell.Request) testcell.Fault {
		if r.Head.Target == "/held" {
			arrived <- struct{}{}
			<-release
		}
		return testcell.NoFault
	}
	w := newWorld(t, shadowing(next.URL, nil), testcell.Options{Fault: hold})
	with, without, off := w.top.WithDefaults(), w.top.WithDefaults(), w.top.WithDefaults()
	without.Shadows = nil
	off.Shadows[0].Share = 0
	conn := w.dial()
	r := bufio.NewReader(conn)
	for name, other := range map[string]*topology.Topology{"removed": without, "turned off": off} {
		_, _ = io.WriteString(conn, asking("GET", "/held"))
		<-arrived
		if err := w.edge.Load(other); err != nil {
			t.Fatal(err)
		}
		release <- struct{}{}
		w.read(r, "GET")
		_, _ = io.WriteString(conn, get) // behind it on the same connection: the first is over
		w.read(r, "GET")
		if n := len(next.requests()); n != 0 {
			t.Errorf("%s: %d copies", name, n)
		}
		if err := w.edge.Load(with); err != nil {
			t.Fatal(err)
		}
	}
	w.raw(get)
	w.results(map[string]string{"status": "1"})
	if got := next.requests(); len(got) != 1 || got[0].RequestURI != "/x" {
		t.Errorf("%d copies, the first of %s", len(got), got[0].RequestURI)
	}
}

// A stopping edge ends its copies at once, waits for them, and blames nobody.
func TestShadowShutdown(t *testing.T) {
	before := goleak.IgnoreCurrent()
	arrived, left := make(chan struct{}), make(chan struct{})
	next := newCandidate(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
		close(left)
	})
	w := newWorld(t, shadowing(next.URL, func(s *topology.Shadow) { s.Timeout = topology.Duration(time.Hour) }), testcell.Options{})
	w.raw(get)
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.edge.Shutdown(ctx, 0); err != nil {
		t.Fatal(err)
	}
	<-left
	if got := w.counted(); len(got) != 0 {
		t.Errorf("results of copies that the edge itself ended: %v", got)
	}
	next.Close()
	for _, cell := range w.cells {
		cell.Close()
	}
	testleak.Check(t, before)
}

// What an operator sees of a copy that was answered otherwise holds no credential.
func TestShadowsOnTheAdminPort(t *testing.T) {
	next := newCandidate(t, saying(404, "no such thing"))
	w := newWorld(t, shadowing(next.URL, nil), testcell.Options{})
	if got := w.admin("/shadows"); got != "No copy was answered otherwise.\n" {
		t.Errorf("%q", got)
	}
	const key = "20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2"
	w.raw(asking("GET", "/oauth/v1/access-tokens/pat-na1-"+key+"?secret=1", "X-Request-Id: abc", "Authorization: Bearer pat-na1-"+key))
	w.results(map[string]string{"status": "1"})
	text, list := w.admin("/shadows"), w.admin("/shadows?format=json")
	for _, want := range []string{"next: another status", "GET /oauth/v1/access-tokens/{credential}  request abc", "answered 200", "answered 404, 13 bytes"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, want := range []string{`"result": "status"`, `"of": "na1"`, `"request_id": "abc"`, `"status": 404`} {
		if !strings.Contains(list, want) {
			t.Errorf("no %s in\n%s", want, list)
		}
	}
	eventually(t, "the log tells of it", func() bool { return strings.Contains(w.log.String(), "answered otherwise") })
	for _, told := range []string{text, list, w.log.String(), w.metrics()} {
		if strings.Contains(told, key[:8]) || strings.Contains(told, "secret=1") || strings.Contains(told, "no such thing") {
			t.Errorf("too much is told:\n%s", told)
		}
	}
	if got := w.admin("/shadows?n=0"); !strings.Contains(got, "from 1 to") {
		t.Errorf("n=0: %q", got)
	}
}
