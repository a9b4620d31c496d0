package demo_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func (w *world) dial() net.Conn {
	w.t.Helper()
	nc, err := net.Dial("tcp", w.address("http"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = nc.Close() })
	return nc
}

func send(t *testing.T, nc net.Conn, raw string) *bufio.Reader {
	t.Helper()
	_ = nc.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(nc, raw); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(nc)
}

func answer(t *testing.T, r *bufio.Reader) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// authority trusts the development CA.
func (w *world) authority() *x509.CertPool {
	w.t.Helper()
	file := regexp.MustCompile(`development CA: (\S+)`).FindStringSubmatch(strings.Join(w.tour, "\n"))
	pem, err := os.ReadFile(file[1])
	if err != nil {
		w.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		w.t.Fatalf("%s holds no certificate", file[1])
	}
	return pool
}

// secure makes a TLS connection that asks for a protocol.
func (w *world) secure(name, protocol string) *tls.Conn {
	w.t.Helper()
	nc, err := tls.Dial("tcp", w.address("https"), &tls.Config{RootCAs: w.authority(), ServerName: name, NextProtos: []string{protocol}})
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	w.t.Cleanup(func() { _ = nc.Close() })
	if got := nc.ConnectionState().NegotiatedProtocol; got != protocol {
		w.t.Errorf("%s: asked for %s, got %q", name, protocol, got)
	}
	return nc
}

// elapsed closes when n seconds are over. Those in which the machine is too busy to
// count them are none.
func elapsed(n int) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		for range 100 * n {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return over
}

// TestEndsInTime ends a demo that has every kind of work under way, and holds it
// to the two seconds that it promises.
func TestEndsInTime(t *testing.T) {
	w := start(t, free())
	w.dial() // has not said anything
	answer(t, send(t, w.dial(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	send(t, w.dial(), "GET /half HTTP/1.1\r\n")
	w.secure("localhost", "http/1.1")
	half, err := net.Dial("tcp", w.address("https")) // no handshake
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = half.Close() })
	shake := w.secure("api.homeward.test", "h2")
	send(t, shake, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	send(t, w.dial(), "GET /slow?ms=600000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	events := answer(t, send(t, w.dial(), "GET /sse?n=100000&ms=10 HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	if _, err := io.ReadFull(events.Body, make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	answer(t, send(t, w.dial(), "POST /duplex HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"))

	limit := elapsed(2)
	w.end()
	select {
	case err := <-w.ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-limit:
		t.Error("after 2 s it has not ended")
	}
	var said []string
	for line := range w.lines {
		said = append(said, line)
	}
	if n := len(said); n < 2 || !strings.HasPrefix(said[n-1], "stopped; what was still under way") {
		t.Errorf("it said %q", said)
	}
}

func TestRequestsUnderWayEndFirst(t *testing.T) {
	for range 10 {
		if endsFirst(t) {
			return
		}
	}
	t.Fatal("10 times the request did not end in time")
}

// soon is within the second that the demo gives to requests under way.
const soon = 800 * time.Millisecond

// endsFirst ends a demo before a request, and reports whether the machine was quick
// enough for the rest of that to end in time.
func endsFirst(t *testing.T) (inTime bool) {
	t.Helper()
	w := start(t, free())
	nc := w.dial()
	in := send(t, nc, "POST /duplex HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
	resp := answer(t, in) // the request is under way: its answer began
	ending := time.Now()
	w.end()
	for !strings.HasPrefix(w.line(), "stopping: ") {
	}
	_, sent := io.WriteString(nc, "3\r\nabc\r\n0\r\n\r\n")
	body, read := io.ReadAll(resp.Body)
	ended := <-w.ended
	if time.Since(ending) > soon {
		return false
	}
	if sent != nil || read != nil || string(body) != "abc" {
		t.Errorf("its answer ended with %q, %v, %v", body, sent, read)
	}
	if ended != nil {
		t.Error(ended)
	}
	var last string
	for line := range w.lines {
		last = line
	}
	if last != "stopped" {
		t.Errorf("the last line is %q", last)
	}
	return true
}

func TestCertificateIsForEveryName(t *testing.T) {
	w := start(t, free())
	for _, name := range []string{"api.homeward.test", "api-na1.homeward.test", "api-na2.homeward.test", "api-eu1.homeward.test", "localhost", "127.0.0.1", "::1"} {
		for _, protocol := range []string{"h2", "http/1.1"} {
			nc := w.secure(name, protocol)
			leaf := nc.ConnectionState().PeerCertificates[0]
			if life := time.Until(leaf.NotAfter); life <= 0 || life > 24*time.Hour {
				t.Errorf("%s: the certificate is valid for %v", name, life)
			}
			if protocol == "h2" {
				continue
			}
			host := name
			if strings.Contains(name, ":") {
				host = "127.0.0.1"
			}
			if resp := answer(t, send(t, nc, fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host))); resp.StatusCode != 200 {
				t.Errorf("%s: %s", name, resp.Status)
			}
		}
	}
}
