package edge_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

func TestShadowCompares(t *testing.T) {
	t.Parallel()
	const n = 100
	for name, c := range map[string]struct {
		method string
		answer http.HandlerFunc
		change func(*topology.Shadow)
		want   string
	}{
		"the same": {"GET", saying(200, letters(n)), nil, "same"},
		"the same in chunks": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, letters(n))
		}, nil, "same"},
		"no body, HEAD":         {"HEAD", saying(200, ""), nil, "same"},
		"OPTIONS":               {"OPTIONS", saying(200, letters(n)), nil, "same"},
		"another status":        {"GET", saying(404, letters(n)), nil, "status"},
		"another body":          {"GET", saying(200, letters(n-1)+"!"), nil, "body"},
		"a shorter body":        {"GET", saying(200, letters(n-1)), nil, "body"},
		"a longer body":         {"GET", saying(200, letters(n+1)), nil, "body"},
		"a body over the limit": {"GET", saying(200, letters(1<<20)), func(s *topology.Shadow) { s.Body = n }, "body"},
		"at the limit":          {"GET", saying(200, letters(n)), func(s *topology.Shadow) { s.Body = n }, "same"},
		"over the limit":        {"GET", saying(200, letters(n)), func(s *topology.Shadow) { s.Body = n - 1 }, "too-large"},
		"broken off":            {"GET", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, "failed"},
		"broken off later": {"GET", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			saying(200, letters(n/2))(w, r)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, nil, "failed"},
		"too slow":        {"GET", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(s *topology.Shadow) { s.Timeout = topology.Duration(brief) }, "failed"},
		"a matching path": {"GET", saying(200, letters(n)), func(s *topology.Shadow) { s.Paths = []string{"/x", "/bytes/*"} }, "same"},
	} {
		t.Run(name, func(t *testing.T) {
			next := newCandidate(t, c.answer)
			w := newWorld(t, shadowing(next.URL, c.change), testcell.Options{})
			if r := w.raw(asking(c.method, fmt.Sprintf("/bytes/%d", n))); r.StatusCode != 200 {
				t.Fatalf("%d %s", r.StatusCode, r.body)
			}
			w.results(map[string]string{c.want: "1"})
			if sent := len(next.requests()); (sent == 1) != (c.want != "too-large") {
				t.Errorf("%d copies arrived", sent)
			}
			if w.seen.count() != 1 || strings.Count(w.log.String(), `"request_id"`) > 1 {
				t.Errorf("a copy was observed as a request:\n%s", w.log.String())
			}
			eventually(t, "no request is under way", w.quiet)
			if strings.Contains(w.metrics(), `homeward_problems_total{kind="upstream-reset"} 1`) {
				t.Error("a copy counts as a request of a client")
			}
		})
	}
}

// What is not safe, not short, not the shadow's or not a cell's answer gets no copy.
func TestShadowCopiesOnlyWhatItMay(t *testing.T) {
	next := newCandidate(t, saying(200, ""))
	w := newWorld(t, func(top *topology.Topology) {
		shadowing(next.URL, func(s *topology.Shadow) {
			s.Paths = []string{"/only/*", "/ws", "/sse", "/poll", "/healthz", "/status/*"}
		})(top)
		top.CORS = nil // the cell answers preflights
		top.Lanes = append([]topology.Lane{{Name: "poll", LongPoll: true, Match: topology.LaneMatch{Paths: []string{"/poll"}}}}, top.Lanes...)
	}, testcell.Options{})
	for name, wire := range map[string]string{
		"POST":                              asking("POST", "/only/a", "Content-Length: 2") + "hi",
		"DELETE":                            asking("DELETE", "/only/a"),
		"GET with a body":                   asking("GET", "/only/a", "Content-Length: 2") + "hi",
		"an event stream":                   asking("GET", "/sse?n=2&ms=1"),
		"a long poll":                       asking("GET", "/poll"),
		"another path":                      asking("GET", "/other"),
		"a path below by its spelling only": asking("GET", "/only/../other"),
		"another cell":                      asking("GET", "/only/a", "Authorization: Bearer "+euToken),
		"refused":                           asking("GET", "/only/a", "Authorization: Bearer pat-broken"),
		"health":                            asking("GET", "/healthz"),
		"a WebSocket not opened":            asking("GET", "/only/a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
		"a preflight":                       asking("OPTIONS", "/only/a", "Origin: https://app.homeward.test", "Access-Control-Request-Method: GET"),
		"gRPC":                              asking("GET", "/only/a", "Content-Type: application/grpc"),
	} {
		if r := w.raw(wire); r.err != nil {
			t.Errorf("%s: %v", name, r.err)
		}
	}
	socket := w.dial()
	_, _ = io.WriteString(socket, asking("GET", "/ws", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
	if r, err := http.ReadResponse(bufio.NewReader(socket), nil); err != nil || r.StatusCode != 101 {
		t.Fatalf("the WebSocket: %v, %v", r, err)
	}
	_ = socket.Close()
	eventually(t, "the WebSocket has ended", func() bool { return w.seen.count() == 14 })
	w.raw(asking("GET", "/%6fnly//last"))
	eventually(t, "the last request is copied", func() bool { return len(next.requests()) > 0 })
	if got := next.requests(); len(got) != 1 || got[0].RequestURI != "/%6fnly//last" {
		t.Errorf("%d copies, the first of %s", len(got), got[0].RequestURI)
	}
}

// The copy has the head that the cell got, and one line more; whatever the client
// and either side speak.
func TestShadowSendsWhatTheCellGot(t *testing.T) {
	for _, of := range []string{"http", "h2c"} {
		for _, to := range []string{"http", "h2c", "https", "h2"} {
			t.Run(of+" to "+to, func(t *testing.T) {
				atCell, atNext := newHeads(), newHeads()
				next := testcell.New("na9", testcell.Options{Fault: atNext.keep})
				t.Cleanup(next.Close)
				l, a := listen(t), newAuthority(t)
				var tls *topology.TLS
				if secure := a.config("gw.next.internal"); to == "https" || to == "h2" {
					tls = &topology.TLS{ServerName: "gw.next.internal", CA: a.file()}
					go func() { _ = next.ServeTLS(l, secure) }()
				} else {
					go func() { _ = next.Serve(l) }()
				}
				w := newWorld(t, func(top *topology.Topology) {
					shadowing(to+"://"+l.Addr().String(), func(s *topology.Shadow) { s.TLS = tls })(top)
					top.Cells[0].Gateways[0] = strings.Replace(top.Cells[0].Gateways[0], "http:", of+":", 1)
				}, testcell.Options{Fault: atCell.keep})
				for _, client := range w.clients() {
					req, _ := http.NewRequest("GET", client.base+"/crm/%7Ea?b=1;c=%25&d", nil)
					req.Host = "localhost"
					req.Header = http.Header{
						"Authorization": {"Bearer opaque"}, "X-Two": {"1", "2"}, "Homeward-Shadow": {"forged"},
						"User-Agent": {"test"}, "X-Forwarded-For": {"192.0.2.1"},
					}
					trailers := client.name != "http1"
					if trailers {
						req.Header.Set("Te", "trailers")
					}
					if r := client.do(t, req); r.StatusCode != 200 {
						t.Fatalf("%s: %d %s", client.name, r.StatusCode, r.body)
					}
					cell, copied := atCell.next(t), atNext.next(t)
					if strings.HasPrefix(of, "http") != strings.HasPrefix(to, "http") { // HTTP/2 is reported in another order
						cell, copied = withoutHop(cell), withoutHop(copied)
					}
					var extra []string
					copied = slices.DeleteFunc(copied, func(line string) bool {
						if strings.HasPrefix(line, "homeward-shadow:") {
							extra = append(extra, line)
							return true
						}
						return false
					})
					if diff := cmp.Diff(cell, copied); diff != "" {
						t.Errorf("%s: -cell +copy:\n%s", client.name, diff)
					}
					if !cmp.Equal(extra, []string{"homeward-shadow: next"}) || !slices.Contains(copied, "authorization: Bearer opaque") || slices.Contains(copied, "te: trailers") != trailers {
						t.Errorf("%s: %q in %q", client.name, extra, copied)
					}
				}
			})
		}
	}
}

// A candidate that never answers takes nothing from clients: what is over the
// bound is dropped.
func TestShadowIsBounded(t *testing.T) {
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	next := newCandidate(t, func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release })
	w := newWorld(t, shadowing(next.URL, func(s *topology.Shadow) { s.Concurrent = 2 }), testcell.Options{})
	for range 2 {
		w.raw(get)
		<-arrived
	}
	for range 5 { // answered while the candidate holds all it has
		if r := w.raw(get); r.StatusCode != 200 {
			t.Fatal(r.StatusCode)
		}
	}
	w.results(map[string]string{"dropped": "5"})
	close(release)
	w.results(map[string]string{"dropped": "5", "body": "2"})
	eventually(t, "there is room again", func() bool { // a copy is counted before its place is free
		before := w.sum()
		w.raw(get)
		eventually(t, "the request is copied or dropped", func() bool { return w.sum() > before })
		return w.counted()["body"] == "3"
	})
}

func TestShadowOfADeadCandidate(t *testing.T) {
	w := newWorld(t, shadowing(nobody, nil), testcell.Options{})
	for range 3 {
		if r := w.raw(get); r.StatusCode != 200 {
			t.Fatal(r.StatusCode)
		}
	}
	w.results(map[string]string{"failed": "3"})
	var told struct {
		Shadows []struct {
			Shadow, Result, Why, Path string
			Copy                      struct{ Status int }
		}
	}
	if err := json.Unmarshal([]byte(w.admin("/shadows?format=json&n=2")), &told); err != nil || len(told.Shadows) != 2 || told.Shadows[0].Why != "cell-unavailable" {
		t.Errorf("%+v, %v", told, err)
	}
}
