package testcell

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// Report is what a cell answers: the request as it came.
type Report struct {
	Cell       string      `json:"cell"`
	Lane       string      `json:"lane"` // of the Homeward-Lane header
	Proto      string      `json:"proto"`
	Method     string      `json:"method"`
	Host       string      `json:"host"`
	Target     string      `json:"target"`   // the exact request-target
	Headers    [][2]string `json:"headers"`  // all lines as received, in order; of HTTP/2 sorted
	Trailers   [][2]string `json:"trailers"` // the same of the trailer
	BodyBytes  int64       `json:"body_bytes"`
	BodySHA256 string      `json:"body_sha256"` // of the content, without its framing
}

// report tells of the request, whose body must have been consumed.
func (x *exchange) report() []byte {
	r := Report{
		Cell: x.cell.name, Proto: x.proto, Method: x.req.Method, Host: x.req.Host,
		Target: x.req.Target, Headers: lines(x.req.Fields), Trailers: lines(x.body.Trailer()),
		BodyBytes: x.bytes, BodySHA256: hex.EncodeToString(x.hash.Sum(nil)),
	}
	r.Lane = value(x.req.Fields, "Homeward-Lane")
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // targets are full of & and are to be read
	_ = enc.Encode(&r)       // strings and numbers: cannot fail
	return b.Bytes()
}

func lines(fields []http1.Field) [][2]string {
	out := make([][2]string, 0, len(fields))
	for _, f := range fields {
		out = append(out, [2]string{f.Name, text(f.Value)})
	}
	return out
}

// text is a header value as JSON can carry it. Bytes that are not UTF-8 are
// read as ISO 8859-1, as the first specifications of HTTP did, so that each of
// them can be told from the others.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out := make([]rune, len(s))
	for i := range len(s) {
		out[i] = rune(s[i])
	}
	return string(out)
}

// value is that of the last field with this name, "" without one.
func value(fields []http1.Field, name string) (last string) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			last = f.Value
		}
	}
	return last
}
