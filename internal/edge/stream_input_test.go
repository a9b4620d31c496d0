package edge_test

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/testcell"
)

// opening is an extended CONNECT that is as it should be (RFC 8441 section 4),
// less the fields whose names are in without, and with more behind them.
func opening(without string, more ...string) []string {
	var fields []string
	all := []string{
		":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/ws", ":authority", "localhost",
		"authorization", "Bearer " + euToken, "sec-websocket-version", "13",
	}
	for i := 0; i < len(all); i += 2 {
		if !strings.Contains(without, all[i]) {
			fields = append(fields, all[i:i+2]...)
		}
	}
	for i := 0; i < len(more); i += 2 {
		if strings.HasPrefix(more[i], ":") { // pseudo fields come first
			fields = append(more[i:i+2:i+2], fields...)
		} else {
			fields = append(fields, more[i:i+2]...)
		}
	}
	return fields
}

// What no client should send to open a WebSocket over HTTP/2 opens none and
// reaches no cell.
func TestExtendedConnectThatIsNone(t *testing.T) {
	for _, g := range gatewayKinds {
		w := newMatrixWorld(t, g)
		for name, c := range map[string]struct {
			fields []string
			status string // "" for a reset of the stream by the library
			kind   string
		}{
			"another protocol":          {opening(":protocol", ":protocol", "connect-udp"), "501", "not-supported"},
			"a protocol in capitals":    {opening(":protocol", ":protocol", "WebSocket"), "501", "not-supported"},
			"an empty protocol":         {opening(":protocol", ":protocol", ""), "", ""},
			"two protocols":             {opening("", ":protocol", "websocket"), "", ""},
			"two different protocols":   {opening("", ":protocol", "connect-udp"), "", ""},
			"GET":                       {opening(":method", ":method", "GET"), "400", "bad-framing"},
			"POST":                      {opening(":method", ":method", "POST"), "400", "bad-framing"},
			"CONNECT to a host":         {[]string{":method", "CONNECT", ":authority", "localhost:22"}, "400", "bad-framing"},
			"a path without a protocol": {opening(":protocol"), "", ""},
			"no path":                   {opening(":path"), "", ""},
			"no authority":              {opening(":authority"), "400", "bad-framing"},
			"an address as the path":    {opening(":path", ":path", "http://api-na1.homeward.test/ws"), "400", "bad-framing"},
			"an asterisk as the path":   {opening(":path", ":path", "*ws"), "", ""},
			"another Host":              {opening("", "host", "api-na1.homeward.test"), "400", "bad-framing"},
			"a Content-Length":          {opening("", "content-length", "5"), "400", "bad-framing"},
			"a Content-Length of 0":     {opening("", "content-length", "0"), "400", "bad-framing"},
			"Transfer-Encoding":         {opening("", "transfer-encoding", "chunked"), "400", ""},
			"Connection and Upgrade":    {opening("", "connection", "upgrade", "upgrade", "websocket"), "400", ""},
			"two credentials":           {opening("", "authorization", "Bearer "+na2Token), "400", "conflict"},
		} {
			f := w.frames(t)
			f.head(1, false, c.fields...)
			got := f.fate(1)
			if got.status != c.status || got.header["homeward-error"] != c.kind || c.status == "" && got.reset != http2.ErrCodeProtocol {
				t.Errorf("%s: %s: %+v", g.scheme, name, got)
			}
			if n := w.cells["eu1"].Requests() + w.cells["na1"].Requests(); n != 0 {
				t.Fatalf("%s: %s: reached a cell", g.scheme, name)
			}
			f.nc.Close()
		}
	}
}

// The key of a WebSocket is of one hop: what a client of HTTP/2 sends as one
// reaches no cell, and is not answered.
func TestKeyOfExtendedConnectIsTheEdges(t *testing.T) {
	for _, g := range gatewayKinds {
		w := newMatrixWorld(t, g)
		for _, keys := range [][]string{
			{"sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="},
			{"sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==", "sec-websocket-key", "two"},
			{"sec-websocket-key", ""},
		} {
			f := w.frames(t)
			f.head(1, false, opening("", keys...)...)
			f.data(1, true, "\x88\x80\x00\x00\x00\x00") // a close frame, masked with zeros
			got := f.fate(1)
			if got.status != "200" || got.header["sec-websocket-accept"] != "" || got.body != "\x88\x00" {
				t.Errorf("%s: %v: %+v", g.scheme, keys, got)
			}
			f.nc.Close()
		}
	}
}

// What a client sends behind the head of its request, without waiting for the
// answer, goes to the cell once the tunnel is open.
func TestFramesBehindAnExtendedConnect(t *testing.T) {
	for _, g := range gatewayKinds {
		w := newMatrixWorld(t, g)
		f := w.frames(t)
		f.head(1, false, opening("")...)
		s := &socket{t: t}
		f.data(1, false, string(spelled(s, closeFrame(1001, "early"))))
		if got := f.fate(1); got.status != "200" || !strings.HasSuffix(got.body, "\x03\xe9early") {
			t.Errorf("%s: %+v", g.scheme, got)
		}
	}
}

// A request that is no well-formed HTTP/2 reaches no cell (RFC 9113 section 8).
func TestHTTP2HeadsThatAreMalformed(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	head := func(fields ...string) []string { // a GET, with the fields in the place of its own of these names
		all := []string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "localhost"}
		var out []string
		for i := 0; i < len(all); i += 2 {
			if !strings.Contains(" "+strings.Join(fields, " ")+" ", " "+all[i]+" ") {
				out = append(out, all[i:i+2]...)
			}
		}
		return append(out, fields...)
	}
	for name, fields := range map[string][]string{
		"two paths":                    head(":path", "/", ":path", "/x"),
		"two equal paths":              head(":path", "/", ":path", "/"),
		"two methods":                  head(":method", "GET", ":method", "POST"),
		"two authorities":              head(":authority", "localhost", ":authority", "api-eu1.homeward.test"),
		"two schemes":                  head(":scheme", "http", ":scheme", "https"),
		"an unknown pseudo field":      head(":cell", "eu1"),
		"a status":                     head(":status", "200"),
		"a pseudo field behind others": {":method", "GET", ":scheme", "http", ":authority", "localhost", "a", "b", ":path", "/"},
		"no method":                    head()[2:],
		"no scheme":                    {":method", "GET", ":path", "/", ":authority", "localhost"},
		"no path":                      {":method", "GET", ":scheme", "http", ":authority", "localhost"},
		"an empty path":                head(":path", ""),
		"an empty method":              head(":method", ""),
		"another scheme":               head(":scheme", "ftp"),
		"a method with a space":        head(":method", "GET /x"),
		"a method with an end of line": head(":method", "GET\r\nHost: x\r\n\r\n"),
		"a path with a space":          head(":path", "/a HTTP/1.1"),
		"a path with an end of line":   head(":path", "/ HTTP/1.1\r\nHost: api-eu1.homeward.test\r\n\r\nGET /x"),
		"a path with a NUL":            head(":path", "/\x00"),
		"a path with a letter beyond":  head(":path", "/\xc3\xa4"),
		"a path with a fragment":       head(":path", "/a#b"),
		"a path without a slash":       head(":path", "a"),
		"an asterisk":                  head(":path", "*x"),
		"an address as the path":       head(":path", "https://api-eu1.homeward.test/"),
		"a name with a capital":        head("Private-Token", euToken),
		"an empty name":                head("", "a"),
		"a name with a space":          head("a b", "c"),
		"a name with a colon":          head("a:b", "c"),
		"a name with an end of line":   head("a\r\nb", "c"),
		"a user in the authority":      head(":authority", "user@localhost"),
		"an authority with a path":     head(":authority", "localhost/x"),
		"an authority with a space":    head(":authority", "localhost x"),
		"an authority of two lines":    head(":authority", "localhost\r\nX: y"),
		"an authority of two hosts":    head(":authority", "localhost,api-eu1.homeward.test"),
		"an authority with a bad port": head(":authority", "localhost:x"),
		"an authority in Unicode":      head(":authority", "l\xc3\xb6calhost"),
		"an empty authority":           head(":authority", ""),
		"a value with a NUL":           head("a", "b\x00c"),
		"a value with an end of line":  head("a", "b\r\nHomeward-Cell: eu1"),
		"a value with a line feed":     head("a", "b\nc"),
		"a value with a return":        head("a", "b\rc"),
		"a value that starts blank":    head("a", " b"),
		"Transfer-Encoding":            head("transfer-encoding", "chunked"),
		"Connection":                   head("connection", "close"),
		"Keep-Alive":                   head("keep-alive", "timeout=5"),
		"Proxy-Connection":             head("proxy-connection", "close"),
		"Upgrade":                      head("upgrade", "websocket"),
		"TE":                           head("te", "gzip"),
		"TE twice":                     head("te", "trailers", "te", "gzip"),
		"Host of another":              head("host", "api-eu1.homeward.test"),
		"a Host that is none":          head("host", "localhost\x00"),
		"a Content-Length without":     head("content-length", "1"),
		"a negative Content-Length":    head("content-length", "-1"),
		"a signed Content-Length":      head("content-length", "+0"),
		"a list of Content-Lengths":    head("content-length", "0, 0"),
		"a Content-Length too large":   head("content-length", "18446744073709551616"),
	} {
		f := w.frames(t)
		f.head(1, true, fields...)
		if got := f.fate(1); !got.refused() {
			t.Errorf("%s: %+v", name, got)
		}
		if n := w.cells["na1"].Requests() + w.cells["eu1"].Requests(); n != 0 {
			t.Fatalf("%s: reached a cell", name)
		}
		f.nc.Close()
	}
	f := w.frames(t)
	f.head(1, true, head()...)
	if got := f.fate(1); got.status != "200" {
		t.Errorf("without any of that: %+v", got)
	}
}
