package upstream_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

// reserved is an address that nobody listens on until listen is called.
type reserved struct {
	t    *testing.T
	addr string
}

func reserve(t *testing.T) reserved {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return reserved{t, l.Addr().String()}
}

// listen accepts nothing: the kernel makes the connections.
func (r reserved) listen() net.Listener {
	r.t.Helper()
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	return l
}

// healthOf is what a set says of its gateways: up and down by gateway.
func healthOf(s *upstream.Set) map[string][2]int {
	all := map[string][2]int{}
	s.Health(func(_, gateway string, up, down int) { all[gateway] = [2]int{up, down} })
	return all
}

// An address that refuses connections is tried last, and again when a connection made
// in the background shows that it is back: no request has to find that out.
func TestGatewayThatComesBack(t *testing.T) {
	a, b := reserve(t), reserve(t)
	b.listen()
	synctest.Test(t, func(t *testing.T) {
		s := upstream.OpenSet(upstream.Options{})
		defer s.Close()
		p := apply(t, s, declared("http://"+a.addr, "http://"+b.addr)).Cells[0].Main.Pool(0)
		for range 10 {
			l := get(t, p)
			if l.Gateway() != b.addr {
				t.Fatalf("connected to %s", l.Gateway())
			}
			l.Conn.Release(false)
		}
		time.Sleep(time.Hour) // of attempts in the background
		if p.Failed() != 1 {
			t.Errorf("%d requests tried a gateway that is down, want the first alone", p.Failed())
		}
		if diff := cmp.Diff(map[string][2]int{"http://" + a.addr: {0, 1}, "http://" + b.addr: {1, 0}}, healthOf(s)); diff != "" {
			t.Errorf("health: -want +got:\n%s", diff)
		}
		back := a.listen()
		defer back.Close()
		time.Sleep(time.Minute) // longer than the longest pause
		seen := map[string]bool{}
		for range 4 {
			l := get(t, p)
			seen[l.Gateway()] = true
			l.Conn.Release(false)
		}
		if !seen[a.addr] || p.Failed() != 1 {
			t.Errorf("the gateway is back and gets nothing: %v, %d failures", seen, p.Failed())
		}
	})
}

// With all gateways down, a request tries each of a few once and is told; the first
// that finds one back has it, at once.
func TestAllGatewaysDown(t *testing.T) {
	a := reserve(t)
	s := upstream.OpenSet(upstream.Options{})
	t.Cleanup(s.Close)
	gateways := []string{"http://" + a.addr}
	for range 5 {
		gateways = append(gateways, "http://"+reserve(t).addr)
	}
	p := apply(t, s, declared(gateways...)).Cells[0].Main.Pool(0)
	for range 3 {
		before := p.Failed()
		_, err := p.Get(t.Context())
		if tries := p.Failed() - before; !errors.Is(err, upstream.ErrUnavailable) || tries < 1 || tries > 3 {
			t.Errorf("after %d tries: %v", tries, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a request that was given up: %v", err)
	}
	alone := apply(t, s, declared(gateways[0])).Cells[0].Main.Pool(0)
	if _, err := alone.Get(t.Context()); !errors.Is(err, upstream.ErrUnavailable) {
		t.Errorf("the one gateway is down: %v", err)
	}
	a.listen()
	get(t, alone).Conn.Release(false)
}

// While all gateways are down, few requests wait for one that does not even refuse:
// the others are told at once.
func TestFewTryWhatIsDown(t *testing.T) {
	g := newDeaf(t)
	top := declared("https://" + g.Addr().String())
	top.Timeouts.Connect = topology.Duration(time.Hour)
	s := upstream.OpenSet(upstream.Options{})
	t.Cleanup(s.Close)
	p := apply(t, s, top).Cells[0].Main.Pool(0)
	g.refuse.Store(true)
	if _, err := p.Get(t.Context()); !errors.Is(err, upstream.ErrUnavailable) {
		t.Fatalf("a handshake that breaks off: %v", err)
	}
	g.refuse.Store(false) // from now on it says nothing
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	const requests = 50
	for range requests {
		go func() {
			_, err := p.Get(ctx)
			results <- err
		}()
	}
	told := 0
	for told < requests-4 {
		if err := <-results; !errors.Is(err, upstream.ErrUnavailable) {
			t.Fatal(err)
		}
		told++
	}
	cancel()
	for ; told < requests; told++ {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("more than a few wait: %v", err)
		}
	}
}

// deaf accepts connections and says nothing on them, or closes them.
type deaf struct {
	net.Listener
	refuse atomic.Bool
}

func newDeaf(t *testing.T) *deaf {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, done := &deaf{Listener: l}, make(chan struct{})
	go func() {
		defer close(done)
		var held []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			if d.refuse.Load() {
				c.Close()
			} else {
				held = append(held, c)
			}
		}
		for _, c := range held {
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return d
}

// New connections that end before an answer, several in a row, are a gateway that is
// down; with an answer in between they are requests that it does not like.
func TestGatewayThatAnswersNothing(t *testing.T) {
	for name, c := range map[string]struct {
		answers, reused bool
		down            int
	}{
		"nothing is answered":         {false, false, 1},
		"others are":                  {true, false, 0},
		"kept connections that ended": {false, true, 0},
	} {
		g := newGateway(t)
		s, p := open(t, &clock{}, declared(g.url()))
		for range 20 {
			l := get(t, p)
			l.Reused = c.reused
			l.Broke()
			if c.answers {
				l.Answered()
			}
			l.Conn.Release(false)
		}
		if got := healthOf(s)[g.url()]; got[1] != c.down {
			t.Errorf("%s: %v up and down", name, got)
		}
	}
}

// Probes find out what no request has met, over every protocol, and nothing is probed
// without having been declared.
func TestProbes(t *testing.T) {
	for scheme, protocols := range map[string]func(*http.Protocols){
		"http": func(p *http.Protocols) { p.SetHTTP1(true) },
		"h2c":  func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
	} {
		t.Run(scheme, func(t *testing.T) {
			var status, probes atomic.Int64
			status.Store(500)
			var got atomic.Pointer[http.Request]
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				probes.Add(1)
				got.Store(r)
				w.WriteHeader(int(status.Load()))
			}))
			server.Config.Protocols = new(http.Protocols)
			protocols(server.Config.Protocols)
			server.Start()
			defer server.Close()
			address := scheme + "://" + server.Listener.Addr().String()
			synctest.Test(t, func(t *testing.T) {
				top := declared(address)
				s := upstream.OpenSet(upstream.Options{})
				defer s.Close()
				apply(t, s, top)
				time.Sleep(time.Hour)
				if probes.Load() != 0 {
					t.Error("probed without having been told to")
				}
				top.Cells[0].Health = &topology.Health{Path: "/ready?deep=1", Unhealthy: 3, Healthy: 2}
				p := apply(t, s, top).Cells[0].Main.Pool(0)
				time.Sleep(8 * time.Second)
				if got := healthOf(s)[address]; got[0] != 1 {
					t.Errorf("down before the third probe: %v", got)
				}
				time.Sleep(time.Minute)
				if got := healthOf(s)[address]; got[1] != 1 {
					t.Errorf("up after failed probes: %v", got)
				}
				if r := got.Load(); r.RequestURI != "/ready?deep=1" || r.Method != "GET" || r.Host != server.Listener.Addr().String() {
					t.Errorf("probed by %s %s at %s", r.Method, r.RequestURI, r.Host)
				}
				if scheme == "http" { // a connection of HTTP/2 would read, and no time pass here
					// There is no other gateway: it gets the requests all the same.
					get(t, p).Conn.Release(false)
				}
				status.Store(204)
				time.Sleep(time.Minute)
				if got := healthOf(s)[address]; got[0] != 1 {
					t.Errorf("down after good probes: %v", got)
				}
				status.Store(301)
				time.Sleep(time.Minute)
				if got := healthOf(s)[address]; got[1] != 1 {
					t.Errorf("up though it answers elsewhere: %v", got)
				}
				top.Cells[0].Health = nil
				apply(t, s, top)
				before := probes.Load()
				time.Sleep(time.Hour)
				if got := healthOf(s)[address]; got[0] != 1 || probes.Load() > before {
					t.Errorf("still held to its probes: %v, %d more", got, probes.Load()-before)
				}
			})
		})
	}
}
