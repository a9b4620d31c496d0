package proxy

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it; it proves nothing but that the peer read the key
	"encoding/base64"
	"errors"
	"strings"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// The fields of the opening handshake that are of one hop only: over HTTP/2
// they do not exist (RFC 8441 section 5).
const (
	keyField    = "Sec-WebSocket-Key"
	acceptField = "Sec-WebSocket-Accept"
)

// asksForSocket reports whether an HTTP/1.1 request asks to become a WebSocket
// (RFC 6455 section 4.2.1); rule is what it breaks if it does so in a way that
// two readers could understand differently.
func asksForSocket(head *http1.Request) (asks bool, rule string) {
	if head.Method != "GET" || head.Minor == 0 || !http1.Lists(head.Fields, "Upgrade", "websocket") || !http1.Lists(head.Fields, "Connection", "upgrade") {
		return false, ""
	}
	keys, versions := 0, 0
	key := ""
	for _, f := range head.Fields {
		switch {
		case http1.SameName(f.Name, keyField):
			keys++
			key = f.Value
		case http1.SameName(f.Name, "Sec-WebSocket-Version"):
			versions++
		default:
			continue
		}
		if strings.Contains(f.Name, "_") {
			return true, "a WebSocket is asked for with an underscore in the name of its key or version"
		}
	}
	nonce, err := base64.StdEncoding.Strict().DecodeString(key)
	switch {
	case keys != 1 || err != nil || len(nonce) != 16:
		return true, "a WebSocket is asked for without one Sec-WebSocket-Key of 16 bytes in base64"
	case versions != 1:
		return true, "a WebSocket is asked for without one Sec-WebSocket-Version"
	case head.Chunked || head.Length > 0:
		return true, "a WebSocket is asked for with a body"
	}
	return true, ""
}

// socketKey is the Sec-WebSocket-Key of the request: the client's, or one that
// the edge makes for a client that has none.
func (x *exchange) socketKey() string {
	if key := first(x.in.Fields, keyField); key != "" {
		return key
	}
	if x.key == "" {
		var nonce [16]byte
		_, _ = rand.Read(nonce[:]) // never fails
		x.key = base64.StdEncoding.EncodeToString(nonce[:])
	}
	return x.key
}

// acceptOf is the Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see above
	return base64.StdEncoding.EncodeToString(sum[:])
}

var errNotOpened = errors.New("the answer is a success that opens no WebSocket")

// opensByMistake reports whether the cell opened no WebSocket and the client would
// take its answer for one that does: over HTTP/2 every success is (RFC 8441 section 5).
func (t *transfer) opensByMistake() bool {
	return t.x.in.Tunnel != nil && !strings.HasPrefix(t.x.in.Proto, "HTTP/1.") && 200 <= t.response.Status && t.response.Status < 300
}
