package differential_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// request is what a server made of a request. Fields are those that concern the
// message, by name, and are missing of a server that changes them.
type request struct{ Method, Target, Fields, Body string }

// extra is what this parser alone tells of a request: its Trailer fields, and its
// trailer, each a line.
type extra struct {
	announced, trailer string
	host               string
	blank              bool // an empty line stands before it
}

// reading is what a server made of a stream: requests that it read whole, and
// how it ended.
type reading struct {
	Requests []request
	Rule     string // why the rest is refused; "" when it is not
	Open     bool   // it would read on: the stream ended between or within requests
	extras   []extra
}

// read is what Homeward's parser makes of a stream.
func read(stream []byte) (out reading) {
	r := http1.NewReader(bytes.NewReader(stream))
	var head http1.Request
	for {
		first, _ := r.Peek(1)
		more := extra{blank: string(first) == "\r"}
		err := http1.ReadRequest(r, &head, http1.Limits{})
		if err != nil {
			return out.end(err)
		}
		q := request{Method: strings.Clone(head.Method), Target: strings.Clone(head.Target)}
		fields := http.Header{}
		for _, f := range head.Fields {
			fields.Add(strings.Clone(f.Name), strings.Clone(f.Value))
		}
		more.host = strings.Clone(head.Host)
		more.announced = strings.Join(fields["Trailer"], "\n")
		q.Fields = told(fields)
		closes := head.Close
		body := http1.RequestBody(r, &head, http1.Limits{})
		content, err := io.ReadAll(body)
		if err != nil {
			return out.end(err)
		}
		q.Body = string(content)
		for _, f := range body.Trailer() {
			more.trailer += strings.ToLower(f.Name) + "\n"
		}
		out.Requests, out.extras = append(out.Requests, q), append(out.extras, more)
		r.Release()
		if closes {
			return out
		}
	}
}

// told are fields without those that net/http takes out.
func told(fields http.Header) string {
	for _, name := range []string{"Host", "Transfer-Encoding", "Trailer"} {
		fields.Del(name)
	}
	return fmt.Sprint(map[string][]string(fields))
}

func (out reading) end(err error) reading {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		out.Open = true
	} else {
		out.Rule = err.Error()
	}
	return out
}

// memory is a connection on which a stream has come, and then its end.
type memory struct {
	in     *bytes.Reader
	mu     sync.Mutex
	out    bytes.Buffer
	closed chan struct{}
	once   sync.Once
}

func newMemory(stream []byte) *memory {
	return &memory{in: bytes.NewReader(stream), closed: make(chan struct{})}
}

func (m *memory) Read(p []byte) (int, error) { return m.in.Read(p) }

func (m *memory) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.out.Write(p)
}

func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *memory) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (m *memory) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 81} }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }

// handed is a listener of connections that are handed to it.
type handed chan net.Conn

func (h handed) Accept() (net.Conn, error) {
	c, ok := <-h
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (h handed) Close() error   { return nil }
func (h handed) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// library is net/http's server, which serves one connection at a time.
type library struct {
	conns handed
	mu    sync.Mutex
	out   reading
}

func newLibrary() *library {
	l := &library{conns: make(handed)}
	s := &http.Server{Handler: l, DisableGeneralOptionsHandler: true, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l.conns) }()
	return l
}

// ServeHTTP notes the request if it is whole.
func (l *library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.out.Rule = err.Error()
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.out.Requests = append(l.out.Requests, request{r.Method, r.RequestURI, told(r.Header), string(content)})
}

func (l *library) read(stream []byte) reading {
	l.mu.Lock()
	l.out = reading{}
	l.mu.Unlock()
	m := newMemory(stream)
	l.conns <- m
	<-m.closed
	l.mu.Lock()
	defer l.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	return l.out.ended(m)
}

// fast is fasthttp's server.
func fast(stream []byte) (out reading) {
	s := &fasthttp.Server{
		Logger: log.New(io.Discard, "", 0), NoDefaultServerHeader: true, DisableHeaderNamesNormalizing: true, DisablePreParseMultipartForm: true,
		ReadBufferSize: 64 << 10,
		Handler: func(ctx *fasthttp.RequestCtx) {
			h := &ctx.Request.Header
			out.Requests = append(out.Requests, request{string(h.Method()), string(h.RequestURI()), "", string(ctx.Request.Body())})
		},
	}
	m := newMemory(stream)
	_ = s.ServeConn(m)
	return out.ended(m)
}

// ended tells from what a server wrote whether it refused something.
func (out reading) ended(m *memory) reading {
	all := m.out.Bytes()
	if i := bytes.LastIndex(all, []byte("HTTP/1.1 ")); out.Rule == "" && i >= 0 && len(all) >= i+12 && all[i+9] != '2' && all[i+9] != '1' {
		out.Rule = string(bytes.SplitN(all[i+9:], []byte("\r\n"), 2)[0])
	}
	return out
}
