package edge_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// rawExchange is one entry of conformance/exchanges.json, which its README
// describes.
type rawExchange struct {
	Name      string            `json:"name"`
	Send      []json.RawMessage `json:"send"`
	Answers   []rawAnswer       `json:"answers"`
	HalfClose bool              `json:"half_close"`
	Closes    bool              `json:"closes"`
}

type rawAnswer struct {
	Status      int         `json:"status"`
	Error       string      `json:"error"`
	Header      [][2]string `json:"header"`
	HasHeader   []string    `json:"has_header"`
	LacksHeader []string    `json:"lacks_header"`
	Text        string      `json:"text"`

	Cell       string      `json:"cell"`
	Lane       string      `json:"lane"`
	Method     string      `json:"method"`
	Host       string      `json:"host"`
	Target     string      `json:"target"`
	Has        [][2]string `json:"has"`
	Lacks      []string    `json:"lacks"`
	LacksValue [][2]string `json:"lacks_value"`
	Trailers   [][2]string `json:"trailers"`
	BodyBytes  int64       `json:"body_bytes"`
	BodySHA256 string      `json:"body_sha256"`
}

func TestConformanceExchanges(t *testing.T) {
	var file struct {
		Exchanges []rawExchange `json:"exchanges"`
	}
	if err := conformance.Read("exchanges.json", &file); err != nil {
		t.Fatal(err)
	}
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		// Clients that end their side first get their answers, however long those take.
		w := newWorldOn(t, goroutines, func(top *topology.Topology) { top.Timeouts.HalfClosed = topology.Duration(patience) }, testcell.Options{})
		for _, x := range file.Exchanges {
			t.Run(x.Name, func(t *testing.T) { x.run(t, w.addr) })
		}
		t.Run("no secret reaches a log", func(t *testing.T) { noSecret(t, w.log.String()) })
		if w.cells["eu1"].Requests() == 0 {
			t.Error("no request reached a cell")
		}
	})
}

// noSecret fails if a log holds a credential that the exchanges sent.
func noSecret(t *testing.T, log string) {
	t.Helper()
	if !strings.Contains(log, `"outcome":"home"`) || !strings.Contains(log, `"error":"bad-framing"`) {
		t.Error("the log does not tell of the exchanges")
	}
	for _, secret := range []string{
		"20b81d7f-8e9e", "a930d55d-9545", "f84b-afd8", "f193-6e85", "8cc2-79b5", "3cd8-381d", "b3140f25", "Y2xpZW50", "50295142",
		"da86430a", "20b81d7f", "eu1.xyz", "opaque", "evil.test-",
	} {
		if i := strings.Index(log, secret); i >= 0 {
			t.Errorf("a credential is in the log: ...%s...", log[max(0, i-80):i+len(secret)])
		}
	}
}

func (x *rawExchange) run(t *testing.T, addr string) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	go func() {
		for _, part := range x.Send {
			if _, err := c.Write(wire(part)); err != nil {
				return // refused before all of it was sent
			}
		}
		if x.HalfClose {
			_ = c.(*net.TCPConn).CloseWrite()
		}
	}()
	r := bufio.NewReader(c)
	w := &world{t: t}
	method, _, _ := strings.Cut(strings.TrimSpace(string(wire(x.Send[0]))), " ")
	for i := range x.Answers {
		if i > 0 {
			method = "GET"
		}
		x.Answers[i].check(t, w.read(r, method))
	}
	if x.Closes {
		if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("the connection goes on: %v", err)
		}
	}
}

// wire is the bytes of one part: each character of a string is one byte.
func wire(part json.RawMessage) []byte {
	var repeat struct {
		Repeat string `json:"repeat"`
		Times  int    `json:"times"`
	}
	var text string
	if json.Unmarshal(part, &text) != nil {
		if json.Unmarshal(part, &repeat) != nil {
			panic("a part is neither text nor a repeat")
		}
		text = strings.Repeat(repeat.Repeat, repeat.Times)
	}
	b := make([]byte, 0, len(text))
	for _, r := range text {
		b = append(b, byte(r))
	}
	return b
}

func (a *rawAnswer) check(t *testing.T, r reply) {
	t.Helper()
	if r.StatusCode != a.Status || r.kind() != a.Error || r.err != nil {
		t.Fatalf("status %d, error %q, %v; want %d, %q\n%s", r.StatusCode, r.kind(), r.err, a.Status, a.Error, r.body)
	}
	if a.Error != "" {
		checkProblem(t, r, a)
	}
	for _, h := range a.Header {
		if got := r.Header.Get(h[0]); got != h[1] {
			t.Errorf("answer's %s is %q, want %q", h[0], got, h[1])
		}
	}
	for _, name := range a.HasHeader {
		if r.Header.Get(name) == "" {
			t.Errorf("the answer has no %s", name)
		}
	}
	for _, name := range a.LacksHeader {
		if r.Header.Get(name) != "" {
			t.Errorf("the answer has %s", name)
		}
	}
	if a.Text != "" && string(r.body) != a.Text {
		t.Errorf("body %q, want %q", r.body, a.Text)
	}
	a.checkReport(t, &r.report)
}

// checkProblem holds the edge's own answers to RFC 9457.
func checkProblem(t *testing.T, r reply, a *rawAnswer) {
	t.Helper()
	var p struct {
		Type, Title, Detail, Kind string
		Status                    int
		RequestID                 string `json:"request_id"`
	}
	if err := json.Unmarshal(r.body, &p); err != nil || p.Kind != a.Error || p.Status != a.Status || p.Title == "" || p.Type == "" ||
		p.RequestID == "" || p.RequestID != r.Header.Get("X-Request-Id") || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("not a problem as it should be: %v\n%v\n%s", err, r.Header, r.body)
	}
}

func (a *rawAnswer) checkReport(t *testing.T, got *testcell.Report) {
	t.Helper()
	for _, f := range []struct{ name, want, got string }{
		{"cell", a.Cell, got.Cell}, {"lane", a.Lane, got.Lane}, {"method", a.Method, got.Method}, {"host", a.Host, got.Host},
		{"target", a.Target, got.Target}, {"body_sha256", a.BodySHA256, got.BodySHA256},
	} {
		if f.want != "" && f.want != f.got {
			t.Errorf("%s %q, want %q", f.name, f.got, f.want)
		}
	}
	if a.BodyBytes != 0 && a.BodyBytes != got.BodyBytes {
		t.Errorf("%d bytes of body, want %d", got.BodyBytes, a.BodyBytes)
	}
	if a.Trailers != nil && !slices.Equal(a.Trailers, got.Trailers) {
		t.Errorf("trailers %v, want %v", got.Trailers, a.Trailers)
	}
	at := 0 // what must be there must be there in this order
	for _, want := range a.Has {
		i := slices.Index(got.Headers[at:], want)
		if i < 0 {
			t.Errorf("no header %v in its place among %v", want, got.Headers)
			continue
		}
		at += i + 1
	}
	for _, h := range got.Headers {
		if slices.ContainsFunc(a.Lacks, func(name string) bool { return strings.EqualFold(name, h[0]) }) {
			t.Errorf("header %v arrived", h)
		}
		if slices.Contains(a.LacksValue, h) {
			t.Errorf("header %v arrived with this value", h)
		}
	}
}
