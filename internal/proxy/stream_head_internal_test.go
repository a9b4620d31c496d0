package proxy

import (
	"net/http"
	"testing"
)

// The key of a WebSocket is of one hop, in whatever spelling an origin may take for
// one: the edge makes its own for a client of HTTP/2 (RFC 8441 section 5).
func TestKeyOfNoHop(t *testing.T) {
	header := http.Header{"Sec-Websocket-Key": {"a"}, "Sec_websocket_key": {"b"}, "Sec-Websocket_key": {"c"}, "Sec-Websocket-Keys": {"d"}}
	in := &Inbound{Method: "GET", Target: "/", Host: "localhost", Tunnel: &streamTunnel{}}
	s := &State{}
	s.Limits.Head, s.Limits.Headers = 1<<10, 10
	if p, ok := in.takeHeader(header, s); !ok {
		t.Fatal(p)
	}
	if len(in.Fields) != 1 || in.Fields[0].Name != "Sec-Websocket-Keys" {
		t.Errorf("%v", in.Fields)
	}
}
