package edge_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// errand is one request and what a mirror is to answer. Its target says so.
type errand struct {
	id     int
	filler int // bytes of a field, each way
	status int
	size   int // of the answer's body
	chunk  int // of the answer; 0 for a length, -1 for a body that the end of the connection ends
	piece  int // bytes that the answer leaves in; 0 for at once
	ending int
	early  int // 1 for an answer that does not wait for the body
	more   int // bytes of a field of the answer
}

// The ways in which a mirror ends an exchange.
const (
	endKept   = iota
	endCloses // and says so
	endHangs  // the connection ends after the answer, unannounced
	endPoison // more follows the answer
	endCut    // in the middle of the body
	endDrops  // without an answer, once, where the connection carried another request
	endings
)

func (e *errand) target() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint("/s/", []int{e.id, e.filler, e.status, e.size, e.chunk, e.piece, e.ending, e.early, e.more}), "]"), " ", ",")
}

func readErrand(target string) (e errand) {
	var n [9]int
	_, list, _ := strings.Cut(target, "[")
	for i, text := range strings.Split(list, ",") {
		n[i], _ = strconv.Atoi(text)
	}
	return errand{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]}
}

// marked is content that no other errand has, nor this one in another place.
func marked(id, n int) []byte {
	mark := strconv.Itoa(id) + ","
	b := bytes.Repeat([]byte(mark), n/len(mark)+1)[:n]
	for i := 500; i < n; i += 1000 {
		copy(b[i:], strconv.Itoa(i)+";")
	}
	return b
}

// mirror is a gateway that answers with what it was sent. A request that is not as
// its errand says fails the test.
type mirror struct {
	t       *testing.T
	mu      sync.Mutex
	dropped map[int]bool
}

func newMirror(t *testing.T) *mirror { return &mirror{t: t, dropped: map[int]bool{}} }

func (m *mirror) serve(l net.Listener, g gatewayKind) {
	if g.http2 {
		s := &http.Server{Handler: m, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
		s.Protocols.SetUnencryptedHTTP2(true)
		m.t.Cleanup(func() { _ = s.Close() })
		_ = s.Serve(l)
		return
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go m.handle(c)
	}
}

func (m *mirror) handle(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for n := 0; ; n++ {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		e := readErrand(req.RequestURI)
		m.check(&e, req)
		if e.ending == endDrops && n > 0 && m.drops(e.id) {
			return
		}
		if req.Header.Get("Expect") != "" && e.early == 0 {
			_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		sum := "early"
		if e.early == 0 {
			if sum, err = digestOf(req.Body); err != nil {
				return
			}
		}
		if m.write(c, e.wire(req.Method, sum), e.piece) != nil {
			return
		}
		if e.early == 1 {
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
		}
		if e.ending != endKept && e.ending != endPoison && e.ending != endDrops || e.chunk < 0 {
			return
		}
	}
}

// ServeHTTP is the mirror as a gateway that speaks HTTP/2.
func (m *mirror) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	e := readErrand(req.RequestURI)
	m.check(&e, req)
	h := w.Header()
	if e.id%5 == 0 {
		h.Set("X-Id", strconv.Itoa(e.id))
		h.Set("X-Filler", string(marked(e.id, e.filler)))
		w.WriteHeader(http.StatusEarlyHints)
	}
	sum, err := digestOf(req.Body)
	if err != nil {
		return
	}
	if e.early == 1 { // the library ends the connection if a trailer is on its way to a stream that it has closed
		sum = "early"
	}
	h.Set("X-Id", strconv.Itoa(e.id))
	h.Set("X-Filler", string(marked(e.id, e.filler)))
	h.Set("X-Sum", sum)
	h.Set("X-More", string(marked(e.id, e.more)))
	if e.chunk == 0 && e.status != 204 {
		h.Set("Content-Length", strconv.Itoa(e.size))
	}
	w.WriteHeader(e.status)
	if req.Method == "HEAD" || e.status == 204 || e.status == 304 {
		return
	}
	body := marked(e.id, e.size)
	if e.ending == endCut {
		_, _ = w.Write(body[:e.size/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	for len(body) > 0 {
		n, _ := w.Write(body[:min(len(body), max(e.chunk, 1000))])
		if body = body[n:]; n == 0 {
			return
		}
	}
	if e.chunk > 0 && e.id%3 == 0 {
		h.Set(http.TrailerPrefix+"X-End", strconv.Itoa(e.id))
	}
}

func (m *mirror) drops(id int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.dropped[id]
	m.dropped[id] = true
	return !before
}

// check checks the head of a request.
func (m *mirror) check(e *errand, req *http.Request) {
	for name, want := range map[string]string{"X-Id": strconv.Itoa(e.id), "X-Filler": string(marked(e.id, e.filler)), "X-Request-Id": fmt.Sprint("r-", e.id)} {
		if got := req.Header.Get(name); got != want {
			m.t.Errorf("the cell got %s %.60q in the request %s", name, got, req.RequestURI)
		}
	}
	for name, values := range req.Header {
		if strings.Contains(name+values[0], "##") {
			m.t.Errorf("the cell got %s: %.60q", name, values[0])
		}
	}
}

func digestOf(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}

// wire is the answer.
func (e *errand) wire(method, sum string) []byte {
	var b bytes.Buffer
	if e.id%5 == 0 {
		fmt.Fprintf(&b, "HTTP/1.1 103 Early Hints\r\nX-Id: %d\r\nX-Filler: %s\r\n\r\n", e.id, marked(e.id, e.filler))
	}
	fmt.Fprintf(&b, "HTTP/1.1 %d OK\r\nX-Id: %d\r\nX-Filler: %s\r\nX-Sum: %s\r\nX-More: %s\r\n",
		e.status, e.id, marked(e.id, e.filler), sum, marked(e.id, e.more))
	if e.ending == endCloses {
		b.WriteString("Connection: close\r\n")
	}
	body := marked(e.id, e.size)
	has := method != "HEAD" && e.status != 204 && e.status != 304
	switch {
	case e.status == 204:
		b.WriteString("\r\n")
	case e.chunk > 0:
		b.WriteString("Transfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n")
	case e.chunk < 0 && has:
		b.WriteString("\r\n")
	default:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", e.size)
	}
	if has && e.ending == endCut {
		e.frame(&b, body[:e.size/2], false)
		return b.Bytes()
	}
	if has {
		e.frame(&b, body, true)
	}
	if e.ending == endPoison {
		b.WriteString(poison)
	}
	return b.Bytes()
}

func (e *errand) frame(b *bytes.Buffer, body []byte, whole bool) {
	if e.chunk <= 0 {
		b.Write(body)
		return
	}
	for len(body) > 0 {
		n := min(e.chunk, len(body))
		fmt.Fprintf(b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	if whole {
		b.WriteString("0\r\n")
		if e.id%3 == 0 {
			fmt.Fprintf(b, "X-End: %d\r\n", e.id)
		}
		b.WriteString("\r\n")
	}
}

func (m *mirror) write(c net.Conn, wire []byte, piece int) error {
	if piece == 0 {
		piece = len(wire)
	}
	for len(wire) > 0 {
		n, err := c.Write(wire[:min(piece, len(wire))])
		if wire = wire[n:]; err != nil {
			return err
		}
	}
	return nil
}
