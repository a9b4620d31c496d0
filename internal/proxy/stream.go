package proxy

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// Stream is what a library that speaks a protocol of many streams to a client
// tells besides an http.Request.
type Stream struct {
	Proto   string // HTTP/2.0 or HTTP/3.0
	Peer    netip.AddrPort
	TLS     bool   // the connection is encrypted
	Secure  bool   // the client's own connection to a load balancer before was
	Connect string // :protocol of an extended CONNECT (RFC 8441, RFC 9220), else ""
}

// connectProtocol is where the library puts the pseudo field :protocol.
const connectProtocol = ":protocol"

// ServeStream answers one request that a library has read, through the same core
// as those that the server reads itself. An answer that could not be ended as it
// should panics with http.ErrAbortHandler, at which the library resets the stream.
func (s *Server) ServeStream(w http.ResponseWriter, r *http.Request, via Stream) {
	p := s.proxy
	state := p.State()
	out := newStreamAnswer(w, s, state.Timeouts.Write.Std())
	in := &Inbound{
		Proto: via.Proto, Method: r.Method, Target: r.RequestURI, Origin: r.RequestURI, Host: r.Host,
		Length: r.ContentLength, TLS: via.TLS, Secure: via.Secure, Peer: via.Peer,
		Expect100: strings.EqualFold(r.Header.Get("Expect"), "100-continue"), // not there if the library sees to it
		Watcher:   &streamWatch{ctx: r.Context()}, WatchesApart: true,
	}
	if problem, ok := in.takeStream(r, via, state); !ok {
		clear(r.Header) // or it stays for as long as the client takes no answer
		p.Reject(in.refused(), out, problem)
		return
	}
	if !s.guarded(r.Context(), in, out) {
		panic(http.ErrAbortHandler)
	}
}

// refused is what of a request that was not accepted may be told and answered to:
// who asked, and what says which answer it reads, but no target.
func (in *Inbound) refused() *Inbound {
	r := &Inbound{Proto: in.Proto, Method: in.Method, Fields: in.Fields, Peer: in.Peer, TLS: in.TLS, Secure: in.Secure}
	if http1.ValidHost(in.Host) {
		r.Host = in.Host
	}
	return r
}

// takeStream takes the head and the body of a request that a library has read.
func (in *Inbound) takeStream(r *http.Request, via Stream, state *State) (Problem, bool) {
	if via.Connect != "" {
		if r.Method != http.MethodConnect {
			return Problem{Kind: BadFraming, Detail: "In the request, :protocol stands without the method CONNECT."}, false
		}
		if via.Connect != "websocket" {
			return Problem{Kind: NotSupported, Detail: "Of the protocols that CONNECT can open, only websocket passes."}, false
		}
		in.Method, in.Length = http.MethodGet, 0
		in.Tunnel = &streamTunnel{body: r.Body}
	}
	if problem, ok := in.takeHeader(r.Header, state); !ok {
		return problem, false
	}
	if in.Tunnel != nil {
		return Problem{}, true
	}
	if len(r.Trailer) > 0 { // the library takes the announcement out of the header
		in.Fields = append(in.Fields, route.Field{Name: "Trailer", Value: strings.Join(slices.Sorted(maps.Keys(r.Trailer)), ", ")})
	}
	if r.ContentLength != 0 {
		in.Body = newStreamBody(r, state.Timeouts.Body.Std())
	}
	return Problem{}, true
}

// guarded serves the request and survives a bug in doing so.
func (s *Server) guarded(ctx context.Context, in *Inbound, out Answer) (complete bool) {
	defer s.proxy.survive(func() {})
	return s.proxy.Serve(ctx, in, out)
}

// streamWatch watches the client of a stream: the library ends ctx when the stream
// or the connection ends.
type streamWatch struct {
	ctx    context.Context
	cancel func() bool
	done   chan struct{}
}

// Watch implements Watcher.
func (w *streamWatch) Watch(gone func()) {
	done := make(chan struct{})
	w.done = done
	w.cancel = context.AfterFunc(w.ctx, func() {
		defer close(done)
		gone()
	})
}

// Unwatch implements Watcher.
func (w *streamWatch) Unwatch() {
	if !w.cancel() {
		<-w.done
	}
}

// streamBody is the body of a request on a stream, with a limit of time for each piece.
type streamBody struct {
	r        *http.Request
	patience patience
	closing  sync.Once
}

func newStreamBody(r *http.Request, timeout time.Duration) *streamBody {
	b := &streamBody{r: r}
	b.patience.limit, b.patience.giveUp = timeout, b.Interrupt
	return b
}

// Read implements Body.
func (b *streamBody) Read(p []byte) (int, error) {
	b.patience.begin()
	n, err := b.r.Body.Read(p)
	if b.patience.end() && err != nil && !errors.Is(err, io.EOF) {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// AtHand implements Body: a library does not tell.
func (b *streamBody) AtHand(int64) ([]byte, bool) { return nil, false }

// Trailer implements Body.
func (b *streamBody) Trailer() []route.Field {
	var fields []route.Field
	for _, name := range slices.Sorted(maps.Keys(b.r.Trailer)) {
		for _, value := range b.r.Trailer[name] {
			fields = append(fields, route.Field{Name: name, Value: value})
		}
	}
	return fields
}

// Relax implements Body.
func (b *streamBody) Relax(patience time.Duration) { b.patience.limit = patience }

// Interrupt implements Body.
func (b *streamBody) Interrupt() { b.closing.Do(func() { _ = b.r.Body.Close() }) }

// streamTunnel is what the client of a WebSocket sends on a stream.
type streamTunnel struct {
	body    io.ReadCloser
	closing sync.Once

	// early is what Ready read to find out that something is there: the library
	// cannot wait without a buffer.
	early [512]byte
	n     int
	err   error
}

// Ready implements Tunnel.
func (t *streamTunnel) Ready() error {
	if t.n == 0 && t.err == nil {
		t.n, t.err = t.body.Read(t.early[:])
	}
	if t.n > 0 {
		return nil
	}
	return t.err
}

// Read implements Tunnel.
func (t *streamTunnel) Read(p []byte) (int, error) {
	if t.n > 0 {
		n := copy(p, t.early[:t.n])
		t.n = copy(t.early[:], t.early[n:t.n])
		return n, nil
	}
	if t.err != nil {
		return 0, t.err
	}
	return t.body.Read(p)
}

// Interrupt implements Tunnel.
func (t *streamTunnel) Interrupt() { t.closing.Do(func() { _ = t.body.Close() }) }
