package edge_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// sizes are those at which buffers end, and some between.
var sizes = []int{0, 1, 7, 300, 3800, 4095, 4096, 4097, 16 << 10, 20479, 20480, 20481, 65536, 73727, 73728, 73729, 150000}

// visitor is a client that sends errands on one connection after the other.
type visitor struct {
	t      *testing.T
	random *rand.Rand
	dial   func() (net.Conn, error)
	first  int // id
}

// request is an errand as it is sent.
type visit struct {
	errand
	method string
	body   []byte
	sum    string
	wire   []byte
	cuts   []int // where the wire is cut
	pause  bool  // at the first cut
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// next makes a request by chance.
func (c *visitor) next(id int) *visit {
	r := c.random
	q := &visit{errand: errand{
		id: id, filler: pick(r, 1, 10, 100, 3500+r.IntN(800), 20000+r.IntN(900)), status: pick(r, 200, 200, 200, 200, 404, 204, 304),
		size: pick(r, sizes...), chunk: pick(r, 0, 0, 1+r.IntN(20), 1+r.IntN(5000), 100000, -1), piece: pick(r, 0, 0, 1+r.IntN(9000)),
		ending: pick(r, endKept, endKept, endKept, endKept, r.IntN(endings)),
		more:   pick(r, 0, 0, 0, 0, 0, 0, 0, 0, 10000+r.IntN(60000)),
	}, method: pick(r, "GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE")}
	if q.chunk < 0 && q.ending == endPoison { // it would be of the body
		q.ending = endKept
	}
	if q.chunk > 0 && q.chunk < 20 {
		q.size = min(q.size, 5000)
	}
	if q.method == "POST" || q.method == "PUT" {
		q.body = marked(id+1, pick(r, sizes...))
		q.early = pick(r, 0, 0, 0, 0, 1)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nX-Id: %d\r\nX-Request-Id: r-%d\r\nX-Filler: %s\r\n", q.method, q.target(), id, id, marked(id, q.filler))
	if r.IntN(10) == 0 && q.body != nil {
		b.WriteString("Expect: 100-continue\r\n")
	}
	chunked := q.body != nil && r.IntN(3) == 0
	switch {
	case chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	case q.body != nil:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(q.body))
	default:
		b.WriteString("\r\n")
	}
	head := b.Len()
	if chunked {
		(&errand{id: id, chunk: pick(r, 1+r.IntN(300)+len(q.body)/1000, 100000)}).frame(&b, q.body, true)
	} else {
		b.Write(q.body)
	}
	q.wire = b.Bytes()
	switch r.IntN(4) {
	case 0:
		q.cuts, q.pause = []int{head}, r.IntN(2) == 0
	case 1:
		q.cuts, q.pause = []int{r.IntN(len(q.wire))}, r.IntN(2) == 0
	}
	q.sum, _ = digestOf(bytes.NewReader(q.body))
	return q
}

// run sends n errands, several at once now and then.
func (c *visitor) run(n int) {
	for sent := 0; sent < n; {
		conn, err := c.dial()
		if err != nil {
			c.t.Error(err)
			return
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		br := bufio.NewReader(conn)
		for goesOn := true; goesOn && sent < n; {
			var batch []*visit
			for range pick(c.random, 1, 1, 1, 3) {
				batch = append(batch, c.next(c.first+sent))
				sent++
			}
			goesOn = c.send(conn, br, batch)
		}
		_ = conn.Close()
	}
}

// send sends requests at once and reads their answers, or leaves before that. It
// reports whether the connection goes on.
func (c *visitor) send(conn net.Conn, br *bufio.Reader, batch []*visit) (goesOn bool) {
	leaves := c.random.IntN(25) == 0
	var writing sync.WaitGroup
	writing.Go(func() {
		for _, q := range batch {
			rest := q.wire
			for _, cut := range q.cuts {
				if _, err := conn.Write(rest[:cut]); err != nil {
					return
				}
				rest = rest[cut:]
				if q.pause {
					time.Sleep(2 * time.Millisecond)
				}
			}
			if _, err := conn.Write(rest); err != nil {
				return
			}
		}
	})
	defer writing.Wait()
	if leaves {
		if c.random.IntN(2) == 0 {
			_, _ = br.Peek(1)
		}
		_ = conn.Close()
		return false
	}
	for _, q := range batch {
		resp, err := c.final(br, q)
		if err != nil {
			if q.ending == endCut { // so early that the head had not left
				return false
			}
			c.t.Errorf("no answer to %s %s (%d bytes of body): %v", q.method, q.target(), len(q.body), err)
			_ = conn.Close()
			return false
		}
		whole := q.check(c.t, resp)
		if !whole || resp.Close {
			_ = conn.Close()
			return false
		}
	}
	return true
}

func (c *visitor) final(br *bufio.Reader, q *visit) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(br, &http.Request{Method: q.method})
		if err != nil || resp.StatusCode >= 200 {
			return resp, err
		}
		if resp.StatusCode == 103 && (resp.Header.Get("X-Id") != strconv.Itoa(q.id) || resp.Header.Get("X-Filler") != string(marked(q.id, q.filler))) {
			c.t.Errorf("%s gets the hints of another: %.200v", q.target(), resp.Header)
		}
	}
}

// check checks an answer and reports whether it is whole.
func (q *visit) check(t *testing.T, resp *http.Response) (whole bool) {
	body, err := io.ReadAll(resp.Body)
	about := fmt.Sprintf("%s %s (%d bytes of body)", q.method, q.target(), len(q.body))
	if kind := resp.Header.Get("Homeward-Error"); kind != "" {
		// A connection may end under a request that cannot be sent twice.
		if q.body == nil || kind != "upstream-reset" || resp.Header.Get("X-Request-Id") != "r-"+strconv.Itoa(q.id) {
			t.Errorf("%s gets %d, %q\n%s %v", about, resp.StatusCode, kind, body, q.cuts)
		}
		return err == nil
	}
	sum := q.sum
	if q.early == 1 {
		sum = "early"
	}
	for name, want := range map[string]string{"X-Id": strconv.Itoa(q.id), "X-Filler": string(marked(q.id, q.filler)), "X-Sum": sum, "X-More": string(marked(q.id, q.more))} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s gets %s %.80q", about, name, got)
		}
	}
	if resp.StatusCode != q.status {
		t.Errorf("%s gets %d", about, resp.StatusCode)
	}
	want := marked(q.id, q.size)
	if q.method == "HEAD" || q.status == 204 || q.status == 304 {
		want = nil
	}
	switch {
	case !bytes.HasPrefix(want, body):
		t.Errorf("%s gets another body of %d bytes: %s", about, len(body), difference(body, want))
	case q.ending == endCut && want != nil:
		if q.chunk >= 0 && err == nil && len(want) > 1 {
			t.Errorf("%s gets a part as the whole", about)
		}
		return false
	case q.status == 304 && resp.ProtoMajor == 2: // whose Content-Length the library takes for that of a body
	case err != nil || len(body) != len(want):
		t.Errorf("%s gets %d bytes: %v", about, len(body), err)
		return false
	}
	if end := resp.Trailer.Get("X-End"); q.chunk > 0 && want != nil && end != "" && end != strconv.Itoa(q.id) {
		t.Errorf("%s gets the trailer %q", about, end)
	}
	return true
}

func difference(got, want []byte) string {
	for i := range got {
		if i >= len(want) || got[i] != want[i] {
			return fmt.Sprintf("at %d %.40q", i, got[i:])
		}
	}
	return "none"
}
