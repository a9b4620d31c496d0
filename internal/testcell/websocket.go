package testcell

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/testcell/websocket"
)

// webSocket echoes messages, over HTTP/1.1 (RFC 6455) or HTTP/2 (RFC 8441).
func (x *exchange) webSocket() error {
	if status, why := x.handshake(); status != 0 {
		return x.refuse(status, why)
	}
	fields := []field{{cellField, x.cell.name}}
	if p := subprotocol(x.req.Fields); p != "" {
		fields = append(fields, field{"Sec-WebSocket-Protocol", p})
	}
	rw, err := x.wire.upgrade("websocket", fields...)
	if err != nil {
		return err
	}
	err = websocket.Echo(rw)
	x.wire.leave()
	if errors.Is(err, websocket.ErrRefused) {
		return nil // the client was told, so the stream ends as any other
	}
	return err
}

const onlyWebSocket = "CONNECT is served for WebSockets on /ws only."

// handshake says with which status, and why, the request is refused; 0 if it
// opens a WebSocket.
func (x *exchange) handshake() (status int, why string) {
	extended := x.req.Method == http.MethodConnect
	f := x.req.Fields
	switch {
	case extended && x.protocol != "websocket":
		return http.StatusNotImplemented, onlyWebSocket
	case extended && value(f, "Sec-WebSocket-Version") != "13":
		return http.StatusBadRequest, "Sec-WebSocket-Version is not 13."
	case extended:
		return 0, ""
	case x.proto != "HTTP/1.1":
		return http.StatusBadRequest, "A WebSocket takes an upgrade of HTTP/1.1 or an extended CONNECT of HTTP/2."
	case !http1.Lists(f, "Connection", "upgrade") || !http1.Lists(f, "Upgrade", "websocket"):
		return http.StatusUpgradeRequired, "This path speaks WebSocket: send Connection: Upgrade and Upgrade: websocket."
	case x.req.Method != http.MethodGet || !x.body.Whole():
		return http.StatusBadRequest, "A WebSocket starts with GET and without a body."
	case value(f, "Sec-WebSocket-Version") != "13":
		return http.StatusUpgradeRequired, "Sec-WebSocket-Version is not 13."
	}
	if key, err := base64.StdEncoding.DecodeString(value(f, "Sec-WebSocket-Key")); err != nil || len(key) != 16 {
		return http.StatusBadRequest, "Sec-WebSocket-Key is not 16 bytes in base64."
	}
	return 0, ""
}

// refuse answers why a request is none for a WebSocket.
func (x *exchange) refuse(status int, why string) error {
	if x.req.Method != http.MethodConnect { // whose body is the other protocol
		if err := x.consume(); err != nil {
			return err
		}
	}
	fields := []field{{"Content-Type", "text/plain; charset=utf-8"}}
	if status == http.StatusUpgradeRequired {
		fields = append(fields, field{"Connection", "Upgrade"}, field{"Upgrade", "websocket"}, field{"Sec-WebSocket-Version", "13"})
	}
	x.out.head(status, int64(len(why)+1), fields...)
	x.out.write([]byte(why + "\n"))
	return x.out.end(nil)
}

// subprotocol is the first of those that the client offers that a cell speaks:
// whatever starts with echo.
func subprotocol(fields []http1.Field) (found string) {
	each(fields, "Sec-WebSocket-Protocol", func(offer string) bool {
		if strings.HasPrefix(offer, "echo") {
			found = offer
		}
		return found == ""
	})
	return found
}

// each calls yield with each element of a list, which may stand on several
// lines.
func each(fields []http1.Field, name string, yield func(string) bool) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) && !http1.Elements(f.Value, yield) {
			return
		}
	}
}
