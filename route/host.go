package route

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/homeward/homeward/topology"
)

// hostIndex finds a host without regard to case and without allocating. It is
// read-only once built.
type hostIndex struct {
	slots []hostSlot
	shift uint8
}

type hostSlot struct {
	hash uint64
	name string // as hostName has it, in small letters; "" marks a free slot
	kind HostKind
	cell Index
}

func newHostIndex(t *topology.Topology) (hostIndex, error) {
	n := len(t.Facade.Hosts)
	for i := range t.Cells {
		n += len(t.Cells[i].Hosts)
	}
	width := bits.Len(uint(2*n + 1))
	x := hostIndex{slots: make([]hostSlot, 1<<width), shift: uint8(64 - width)}
	for _, h := range t.Facade.Hosts {
		if err := x.add(h, FacadeHost, None); err != nil {
			return x, err
		}
	}
	for i := range t.Cells {
		for _, h := range t.Cells[i].Hosts {
			if err := x.add(h, CellHost, Index(i)); err != nil {
				return x, err
			}
		}
	}
	return x, nil
}

func (x *hostIndex) add(host string, kind HostKind, cell Index) error {
	name, ok := hostName(lowerASCII(host))
	if !ok {
		// An IPv6 address may be declared without its brackets.
		name, ok = hostName("[" + lowerASCII(host) + "]")
	}
	if !ok {
		return fmt.Errorf("host %q is not a host name or address: %w", host, ErrNotCompilable)
	}
	if was := x.find(name); was != nil {
		if was.kind == kind && was.cell == cell {
			return nil
		}
		return fmt.Errorf("host %q is declared twice; give each host to one cell or to the facade: %w", host, ErrNotCompilable)
	}
	h := foldHash(name)
	i := h >> x.shift
	for x.slots[i].name != "" {
		i = (i + 1) & uint64(len(x.slots)-1)
	}
	x.slots[i] = hostSlot{h, name, kind, cell}
	return nil
}

// find looks a bare name up, nil when it is not there.
func (x *hostIndex) find(name string) *hostSlot {
	if len(x.slots) == 0 {
		return nil
	}
	h := foldHash(name)
	for i := h >> x.shift; ; i++ {
		s := &x.slots[i&uint64(len(x.slots)-1)]
		if s.name == "" {
			return nil
		}
		if s.hash == h && (s.name == name || equalFold(name, s.name)) {
			return s
		}
	}
}

// endsInLetter reports whether host is surely its own hostName, or else none
// that can be declared: neither a port nor a trailing dot ends in a letter.
func endsInLetter(host string) bool {
	if host == "" {
		return false
	}
	c := host[len(host)-1] | 0x20
	return 'a' <= c && c <= 'z'
}

// hostName is the name or address in a Host header or :authority: without the
// port, without one trailing dot, an IPv6 address with its brackets.
// It is not ok when what follows the name is not a port.
func hostName(host string) (name string, ok bool) {
	if host == "" {
		return "", false
	}
	if host[0] == '[' {
		end := strings.IndexByte(host, ']')
		if end < 2 || !isPort(host[end+1:]) {
			return "", false
		}
		return host[:end+1], strings.IndexByte(host[:end], ':') >= 0
	}
	name = host
	if colon := strings.IndexByte(host, ':'); colon >= 0 {
		if !isPort(host[colon:]) {
			return "", false
		}
		name = host[:colon]
	}
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	return name, name != ""
}

// isPort reports whether s is nothing or a colon and digits, perhaps none.
func isPort(s string) bool {
	if s == "" {
		return true
	}
	if s[0] != ':' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
