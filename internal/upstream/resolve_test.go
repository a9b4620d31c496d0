package upstream_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

// names is a resolver whose answers the test sets. A name without one fails.
type names struct {
	mu      sync.Mutex
	answers map[string][]string
	asked   []string
	hold    chan struct{} // when not nil, answers wait until it is closed
}

func (n *names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	hold := n.hold
	n.asked = append(n.asked, host)
	n.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []netip.Addr
	for _, a := range n.answers[host] {
		found = append(found, netip.MustParseAddr(a))
	}
	if found == nil {
		return nil, errors.New("no such host")
	}
	return found, nil
}

func (n *names) set(host string, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.answers == nil {
		n.answers = map[string][]string{}
	}
	n.answers[host] = addresses
}

func (n *names) lookups() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.asked)
}

// everywhere listens on one port of several loopback addresses.
func everywhere(t *testing.T, addresses ...string) (port string) {
	t.Helper()
	for range 100 { // the port may be taken on one of them
		first, err := net.Listen("tcp", addresses[0]+":0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(first.Addr().String())
		all := []net.Listener{first}
		for _, a := range addresses[1:] {
			if l, err := net.Listen("tcp", a+":"+port); err == nil {
				all = append(all, l)
			}
		}
		if len(all) == len(addresses) {
			t.Cleanup(func() {
				for _, l := range all {
					l.Close()
				}
			})
			return port
		}
		for _, l := range all {
			l.Close()
		}
	}
	t.Fatal("no port is free on all addresses")
	return ""
}

// reached makes requests and lists the addresses that got one, sorted.
func reached(t *testing.T, p *upstream.Pool) []string {
	t.Helper()
	var all []string
	for range 12 {
		l := get(t, p)
		host, _, _ := strings.Cut(l.Gateway(), ":")
		if !slices.Contains(all, host) {
			all = append(all, host)
		}
		l.Conn.Release(true)
	}
	slices.Sort(all)
	return all
}

// Requests go to all addresses behind a name, and follow it when they change. What
// it no longer has gets nothing, and its connections are closed; what a resolver leaves
// out once only keeps them; what it does not answer changes nothing.
func TestNameIsFollowed(t *testing.T) {
	port := everywhere(t, "127.0.0.1", "127.0.0.2", "127.0.0.3")
	synctest.Test(t, func(t *testing.T) {
		dns := &names{}
		s := upstream.OpenSet(upstream.Options{Resolver: dns})
		defer s.Close()
		dns.set("gw.test", "127.0.0.1", "127.0.0.2", "::ffff:127.0.0.2")
		top := declared("http://gw.test:" + port)
		top.Timeouts.UpstreamIdle = topology.Duration(time.Hour)
		p := apply(t, s, top).Cells[0].Main.Pool(0)
		for _, step := range []struct {
			name         string
			answer, want []string
			opened       int64
		}{
			{"two addresses", []string{"127.0.0.1", "127.0.0.2"}, []string{"127.0.0.1", "127.0.0.2"}, 2},
			{"one more", []string{"127.0.0.3", "127.0.0.2", "127.0.0.1"}, []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}, 3},
			{"one is left out", []string{"127.0.0.1", "127.0.0.2"}, []string{"127.0.0.1", "127.0.0.2"}, 3},
			{"and is back", []string{"127.0.0.3", "127.0.0.1"}, []string{"127.0.0.1", "127.0.0.3"}, 3},
			{"no answer", nil, []string{"127.0.0.1", "127.0.0.3"}, 3},
			{"all others", []string{"127.0.0.2"}, []string{"127.0.0.2"}, 3},
		} {
			dns.set("gw.test", step.answer...)
			for before := dns.lookups(); dns.lookups() == before; {
				time.Sleep(time.Second)
			}
			if diff := cmp.Diff(step.want, reached(t, p)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", step.name, diff)
			}
			if p.Opened() != step.opened {
				t.Errorf("%s: %d connections were made, want %d", step.name, p.Opened(), step.opened)
			}
		}
		for range 4 {
			time.Sleep(40 * time.Second)
			reached(t, p)
		}
		if p.Open() != 1 {
			t.Errorf("%d connections are open to an address", p.Open())
		}
	})
}

// A request under way at an address that is gone goes on, and its connection is not
// kept.
func TestAddressThatGoesUnderARequest(t *testing.T) {
	port := everywhere(t, "127.0.0.1", "127.0.0.2")
	synctest.Test(t, func(t *testing.T) {
		dns := &names{}
		dns.set("gw.test", "127.0.0.1")
		s := upstream.OpenSet(upstream.Options{Resolver: dns})
		defer s.Close()
		p := apply(t, s, declared("http://gw.test:"+port)).Cells[0].Main.Pool(0)
		l := get(t, p)
		dns.set("gw.test", "127.0.0.2")
		time.Sleep(2 * time.Minute)
		if _, err := l.Conn.Write([]byte("x")); err != nil {
			t.Errorf("the connection was closed under the request: %v", err)
		}
		l.Conn.Release(true)
		if p.Open() != 0 {
			t.Error("a connection to an address that is gone is kept")
		}
	})
}

// The first requests wait for the first answer together; without one they are told.
func TestFirstLookup(t *testing.T) {
	port := everywhere(t, "127.0.0.1")
	synctest.Test(t, func(t *testing.T) {
		dns := &names{hold: make(chan struct{})}
		dns.set("gw.test", "127.0.0.1")
		s := upstream.OpenSet(upstream.Options{Resolver: dns})
		defer s.Close()
		cells := apply(t, s, declared("http://gw.test:"+port)).Cells
		time.Sleep(time.Hour)
		if dns.lookups() != 0 {
			t.Error("looked up before the first request")
		}
		got := make(chan error)
		for range 5 {
			go func() {
				l, err := cells[0].Main.Pool(0).Get(t.Context())
				if err == nil {
					l.Conn.Release(true)
				}
				got <- err
			}()
		}
		synctest.Wait()
		close(dns.hold)
		for range 5 {
			if err := <-got; err != nil {
				t.Error(err)
			}
		}
		if dns.lookups() != 1 {
			t.Errorf("%d lookups for requests that came together", dns.lookups())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		dns := &names{}
		s := upstream.OpenSet(upstream.Options{Resolver: dns})
		defer s.Close()
		p := apply(t, s, declared("http://gone.test:"+port)).Cells[0].Main.Pool(0)
		if _, err := p.Get(t.Context()); !errors.Is(err, upstream.ErrUnavailable) {
			t.Errorf("a name that nobody knows: %v", err)
		}
		dns.set("gone.test", "127.0.0.1")
		time.Sleep(2 * time.Second)
		get(t, p).Conn.Release(true)
	})
}

// An address is not looked up, and the name of this machine not again and again.
func TestWhatIsNotLookedUp(t *testing.T) {
	port := everywhere(t, "127.0.0.1")
	synctest.Test(t, func(t *testing.T) {
		dns := &names{}
		dns.set("localhost", "127.0.0.1")
		s := upstream.OpenSet(upstream.Options{Resolver: dns})
		defer s.Close()
		p := apply(t, s, declared("http://localhost:"+port, "http://127.0.0.1:"+port)).Cells[0].Main.Pool(0)
		get(t, p).Conn.Release(true)
		time.Sleep(time.Hour)
		dns.mu.Lock()
		defer dns.mu.Unlock()
		if diff := cmp.Diff([]string{"localhost"}, dns.asked); diff != "" {
			t.Errorf("looked up: -want +got:\n%s", diff)
		}
	})
}
