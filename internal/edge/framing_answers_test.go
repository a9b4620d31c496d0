package edge_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// poison is what a gateway sends behind an answer, when nothing may be read there.
// No client may get it.
const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

// scriptedGateway answers the n-th vector to the target /n, byte for byte, and to
// /probe with the number of the connection.
type scriptedGateway struct {
	answers []conformance.ResponseStream
	conns   atomic.Int64
	pieces  atomic.Bool // answers leave byte by byte
}

func (g *scriptedGateway) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go g.handle(c, strconv.FormatInt(g.conns.Add(1), 10))
	}
}

// handle serves one connection to its end. What is whole and the last, refused, or
// delimited by the end of the connection is followed by poison, or by that end.
func (g *scriptedGateway) handle(c net.Conn, number string) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/"))
		if err != nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(len(number))+"\r\n\r\n"+number)
			continue
		}
		v := g.answers[n]
		wire := string(v.Send)
		switch {
		case v.Refuse != "":
			wire += poison
		case v.Reusable, v.Cut != "", toTheEnd(v):
		default:
			defer io.WriteString(c, poison) //nolint:errcheck // the edge has most likely gone
		}
		g.write(c, wire)
		if v.Cut != "" || toTheEnd(v) {
			return
		}
	}
}

func (g *scriptedGateway) write(c net.Conn, wire string) {
	piece := len(wire)
	if g.pieces.Load() && piece < 1000 {
		piece = 1
	}
	for wire != "" {
		n, err := io.WriteString(c, wire[:min(piece, len(wire))])
		if wire = wire[n:]; err != nil {
			return
		}
	}
}

// toTheEnd reports whether only the end of the connection ends an answer.
func toTheEnd(v conformance.ResponseStream) bool {
	if v.Answer == nil || v.Reusable || v.Answer.Status == http.StatusNoContent {
		return false
	}
	for _, f := range v.Answer.Fields {
		if strings.EqualFold(string(f[0]), "Content-Length") {
			return false
		}
	}
	return true
}

// Answers through a whole edge: at once, and byte by byte. The next request gets
// its own answer, whatever a cell sent behind the one before.
func TestFramingOfAnswers(t *testing.T) { onBothPaths(t, framingOfAnswers) }

func framingOfAnswers(t *testing.T, goroutines bool) {
	vectors, err := conformance.ReadFraming()
	if err != nil {
		t.Fatal(err)
	}
	g := &scriptedGateway{answers: vectors.Responses}
	l := listen(t)
	t.Cleanup(func() { _ = l.Close() })
	go g.serve(l)
	w := newWorldOn(t, goroutines, func(top *topology.Topology) { top.Cells[0].Gateways = []string{"http://" + l.Addr().String()} }, testcell.Options{})
	for _, pieces := range []bool{false, true} {
		g.pieces.Store(pieces)
		for i, v := range vectors.Responses {
			t.Run(v.Name, func(t *testing.T) { w.answered(t, v, "/"+strconv.Itoa(i)) })
		}
	}
}

// answered asks for one vector's answer, and then for the number of the connection.
func (w *world) answered(t *testing.T, v conformance.ResponseStream, target string) {
	before := w.probe(t)
	method := v.Method
	if method == "" {
		method = "GET"
	}
	r := &world{t: t, addr: w.addr}
	c := r.dial()
	go func() {
		_, _ = io.WriteString(c, method+" "+target+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	}()
	br := bufio.NewReader(c)
	for _, want := range v.Interim {
		if want.Status == http.StatusContinue {
			continue // nobody waits for it
		}
		got := r.read(br, method)
		if got.Status != strconv.Itoa(want.Status)+" "+string(want.Reason) {
			t.Fatalf("the interim answer is %s", got.Status)
		}
	}
	if v.Answer == nil && v.Refuse != "head" {
		if all, err := io.ReadAll(br); whole(all) || strings.Contains(string(all), "poison") {
			t.Fatalf("an answer that is broken is whole: %q, %v", all, err)
		}
	} else {
		got := r.read(br, method)
		if v.Answer != nil {
			checkAnswer(t, v.Answer, got)
		} else if got.StatusCode != http.StatusBadGateway || got.kind() != "upstream-reset" {
			t.Fatalf("%d, %q; want 502", got.StatusCode, got.kind())
		}
		if _, err := br.ReadByte(); !errors.Is(err, io.EOF) {
			t.Fatalf("behind the answer: %v", err)
		}
	}
	if after := w.probe(t); (after == before) != v.Reusable {
		t.Fatalf("connection %s, then %s; the answer leaves it usable: %v", before, after, v.Reusable)
	}
}

// whole reports whether bytes are a whole answer.
func whole(wire []byte) bool {
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire)), nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil
}

// probe is the number of the connection that a request takes to the gateway.
func (w *world) probe(t *testing.T) string {
	t.Helper()
	r := &world{t: t, addr: w.addr}
	c := r.dial()
	before := w.seen.count()
	_, _ = io.WriteString(c, "GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	got := r.read(bufio.NewReader(c), "GET")
	if _, err := strconv.Atoi(string(got.body)); err != nil || got.err != nil {
		t.Fatalf("the answer is another request's: %d %q, %v", got.StatusCode, got.body, got.err)
	}
	// The answer comes before the connection to the gateway is back in its pool.
	eventually(t, "the request is over", func() bool { return w.seen.count() > before })
	return string(got.body)
}

func checkAnswer(t *testing.T, want *conformance.Message, got reply) {
	t.Helper()
	reason := string(want.Reason)
	if reason == "" {
		reason = http.StatusText(want.Status)
	}
	if got.Status != strconv.Itoa(want.Status)+" "+reason || got.err != nil || string(got.body) != string(want.Body) {
		t.Fatalf("%s, %q, %v", got.Status, got.body, got.err)
	}
	expected, trailer := http.Header{}, http.Header(nil)
	for _, f := range want.Fields {
		if !addedByEdge(string(f[0])) && !(want.Status == http.StatusNoContent && f[0] == "Content-Length") {
			expected.Add(string(f[0]), string(f[1]))
		}
	}
	for _, f := range want.Trailer {
		if trailer == nil {
			trailer = http.Header{}
		}
		trailer.Add(string(f[0]), string(f[1]))
	}
	for _, name := range []string{"Connection", "X-Request-Id", "Transfer-Encoding"} {
		got.Header.Del(name)
	}
	if d := cmp.Diff(expected, got.Header) + cmp.Diff(trailer, got.Trailer); d != "" {
		t.Fatalf("the client got other fields (- want, + got)\n%s", d)
	}
}
