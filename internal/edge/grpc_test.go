package edge_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell/echo"
)

// call is a gRPC call made of an HTTP request, so that a client of any protocol
// can make it ("gRPC over HTTP/2", sections Requests and Responses).
type call struct {
	t       *testing.T
	out     *io.PipeWriter
	answers chan *http.Response
	resp    *http.Response
}

// call begins a call. Its messages are sent and received one by one.
func (c way) call(t *testing.T, method string) *call { return c.callWithin(t, method, "") }

// callWithin is call with a grpc-timeout and metadata, which the client itself
// does not see to.
func (c way) callWithin(t *testing.T, method, timeout string, metadata ...string) *call {
	t.Helper()
	pr, pw := io.Pipe()
	req := c.request(t, "POST", "/homeward.demo.v1.Echo/"+method, pr, -1)
	req.Header.Set("Content-Type", "application/grpc+proto")
	req.Header.Set("Te", "trailers")
	req.Header.Set("Grpc-Timeout", cmp.Or(timeout, fmt.Sprintf("%.0fS", patience.Seconds())))
	for i := 0; i < len(metadata); i += 2 {
		req.Header.Set(metadata[i], metadata[i+1])
	}
	k := &call{t: t, out: pw, answers: make(chan *http.Response, 1)}
	go func() {
		resp, err := c.http.Do(req)
		if err != nil {
			t.Errorf("%s: %v", method, err)
			_ = pw.CloseWithError(err)
		}
		k.answers <- resp
	}()
	t.Cleanup(func() {
		pw.Close()
		if k.answered() {
			k.resp.Body.Close()
		}
	})
	return k
}

// answered waits for the head of the answer.
func (k *call) answered() bool {
	if k.resp == nil {
		k.resp = <-k.answers
		k.answers <- k.resp
	}
	return k.resp != nil
}

func (k *call) send(m proto.Message) {
	k.t.Helper()
	if err := k.offer(m); err != nil {
		k.t.Fatalf("send: %v", err)
	}
}

// offer sends a message of a call that may be over before.
func (k *call) offer(m proto.Message) error {
	k.t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		k.t.Fatal(err)
	}
	_, err = k.out.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...))
	return err
}

// receive reads one message; false at the end of them.
func (k *call) receive(m proto.Message) bool {
	k.t.Helper()
	if !k.answered() {
		k.t.FailNow()
	}
	var head [5]byte
	if _, err := io.ReadFull(k.resp.Body, head[:]); err == io.EOF {
		return false
	} else if err != nil {
		k.t.Fatalf("receive: %v", err)
	}
	b := make([]byte, binary.BigEndian.Uint32(head[1:]))
	if _, err := io.ReadFull(k.resp.Body, b); err != nil {
		k.t.Fatalf("receive: %v", err)
	}
	if err := proto.Unmarshal(b, m); err != nil {
		k.t.Fatal(err)
	}
	return true
}

// status ends the call and is its status.
func (k *call) status() string {
	k.t.Helper()
	k.out.Close()
	if k.receive(&echo.EchoResponse{}) {
		k.t.Error("there is one message more")
	}
	if s := k.resp.Trailer.Get("Grpc-Status"); s != "" {
		return s
	}
	return k.resp.Header.Get("Grpc-Status")
}

func matrixUnary(t *testing.T, w *world, c way) {
	k := c.call(t, "Echo")
	k.send(&echo.EchoRequest{Text: "hello"})
	k.out.Close()
	var m echo.EchoResponse
	if !k.receive(&m) || m.Text != "hello" || m.Cell != "eu1" || m.Authority != "localhost" {
		t.Errorf("answered %v", &m)
	}
	if got := k.status(); got != "0" {
		t.Errorf("status %q", got)
	}
	if rec := w.seen.await(t, isCall); rec.GRPC != 0 || rec.Status != 200 {
		t.Errorf("recorded with status %d and %d", rec.Status, rec.GRPC)
	}
}

func isCall(r proxy.Record) bool { return r.Type == proxy.GRPC }

func matrixChat(t *testing.T, _ *world, c way) {
	k := c.call(t, "Chat")
	for i := range 20 {
		k.send(&echo.EchoRequest{Text: fmt.Sprint(i)})
		var m echo.EchoResponse
		if !k.receive(&m) || m.Text != fmt.Sprint(i) {
			t.Fatalf("round %d answered %v", i, &m)
		}
	}
	if got := k.status(); got != "0" {
		t.Errorf("status %q", got)
	}
}

func matrixNoGRPC(t *testing.T, w *world, c way) {
	k := c.call(t, "Echo")
	if got := k.status(); got != "12" || k.resp.Header.Get("Homeward-Error") != "not-supported" {
		t.Errorf("status %q, %v", got, k.resp.Header)
	}
	if rec := w.seen.await(t, isCall); rec.GRPC != 12 || rec.Kind != proxy.NotSupported {
		t.Errorf("recorded as %q with status %d", rec.Kind, rec.GRPC)
	}
}

// A call that misses its deadline says so, whoever ends it: the cell, or the edge
// where the cell does not.
func TestDeadlineOfCall(t *testing.T) {
	silent := listen(t)
	go func() { // speaks HTTP/2, takes every request, and never answers
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Write([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00")) // SETTINGS
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	defer silent.Close()
	for _, gateway := range []string{"", "h2c://" + silent.Addr().String()} {
		w := newMatrixWorld(t, gatewayKinds[2])
		if gateway != "" {
			top := w.top
			top.Cells[2].Gateways = []string{gateway}
			if err := w.edge.Load(top); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range w.ways() {
			if c.proto == "HTTP/1.1" {
				continue
			}
			w.seen.forget()
			k := c.callWithin(t, "Echo", "50m", "echo-delay-ms", "600000")
			_ = k.offer(&echo.EchoRequest{Text: "late"})
			if got := k.status(); got != "4" {
				t.Errorf("%s, %q: status %q, %v", c.name, gateway, got, k.resp.Header)
			}
			if rec := w.seen.await(t, isCall); rec.GRPC != 4 {
				t.Errorf("%s, %q: recorded with %d", c.name, gateway, rec.GRPC)
			}
		}
	}
}
