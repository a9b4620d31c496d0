package http2client

import (
	"net/textproto"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/route"
)

// onHead takes a head or a trailer. The framer has checked names, values, and
// that pseudo-header fields are known, single and in front.
func (c *Conn) onHead(f *http2.MetaHeadersFrame) error {
	fields, reason := c.fields(f.RegularFields())
	status := f.PseudoValue("status")
	pseudo := len(f.PseudoFields())
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(f.StreamID)
	if s == nil || err != nil {
		return err
	}
	c.health.answered = true
	switch {
	case s.readErr != nil:
		s.reset(http2.ErrCodeStreamClosed, ProtocolError{"a head after the end of the answer"})
		return nil
	case f.Truncated || listSize(f.Fields) > c.o.MaxHead:
		s.reset(http2.ErrCodeEnhanceYourCalm, ProtocolError{"a head is larger than " + strconv.Itoa(c.o.MaxHead) + " bytes"})
		return nil
	}
	if reason == "" {
		if s.answered {
			reason = s.addTrailer(fields, pseudo, f.StreamEnded())
		} else {
			reason = s.addHead(status, pseudo, fields, f.StreamEnded())
		}
	}
	if reason != "" {
		s.reset(http2.ErrCodeProtocol, ProtocolError{reason})
		return nil
	}
	if f.StreamEnded() {
		s.endAnswer()
	}
	s.in.Broadcast()
	return nil
}

// listSize is the size of a head by RFC 9113 section 6.5.2.
func listSize(fields []hpack.HeaderField) int {
	n := 0
	for i := range fields {
		n += int(fields[i].Size())
	}
	return n
}

// fields are those of an answer with canonical names, or the reason why they
// are malformed (RFC 9113 section 8.2).
func (c *Conn) fields(raw []hpack.HeaderField) (_ []route.Field, reason string) {
	if len(raw) == 0 {
		return nil, ""
	}
	fields := make([]route.Field, len(raw))
	for i, f := range raw {
		switch f.Name {
		case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "te":
			return nil, "an answer has the field " + f.Name + ", which belongs to HTTP/1"
		}
		if v := f.Value; v != "" && (blank(v[0]) || blank(v[len(v)-1])) {
			return nil, "the value of a field starts or ends with white space"
		}
		fields[i] = route.Field{Name: c.canon.of(f.Name, textproto.CanonicalMIMEHeaderKey), Value: f.Value}
	}
	return fields, ""
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// addTrailer takes a trailer, or says why it is malformed. mu is held.
func (s *Stream) addTrailer(fields []route.Field, pseudo int, end bool) (reason string) {
	if pseudo > 0 {
		return "a trailer has a pseudo-header field"
	}
	if !end {
		return "a second final head"
	}
	s.trailer = fields
	return ""
}

// addHead takes an interim or the final head, or says why it is malformed. mu
// is held.
func (s *Stream) addHead(status string, pseudo int, fields []route.Field, end bool) (reason string) {
	code, err := strconv.Atoi(status)
	switch {
	case pseudo != 1 || len(status) != 3 || err != nil || code < 100:
		return "an answer has no :status of three digits, or other pseudo-header fields"
	case code == 101:
		return "an answer has status 101, which HTTP/2 does not have"
	case code < 200 && end:
		return "an interim answer ends the stream"
	case len(s.heads) >= maxHeads || s.unread > s.conn.o.MaxHead:
		return "more interim answers than are read"
	}
	if code >= 200 {
		if reason := s.declare(code, fields); reason != "" {
			return reason
		}
		s.answered = true
		s.bodyless = s.bodyless || code == 204 || code == 304
	}
	r := Response{Status: code, Fields: fields, End: end}
	s.heads = append(s.heads, r)
	s.unread += r.size()
	return ""
}

// declare reads the length that the final head promises. A tunnel has none
// (RFC 9110 section 9.3.6).
func (s *Stream) declare(code int, fields []route.Field) (reason string) {
	if s.connect && code < 300 {
		return ""
	}
	for i := range fields {
		if fields[i].Name != "Content-Length" {
			continue
		}
		n, err := strconv.ParseUint(fields[i].Value, 10, 63)
		if err != nil || s.declared >= 0 {
			return "Content-Length is not one whole number"
		}
		s.declared = int64(n)
	}
	return ""
}

// size is about the memory that a head takes, in bytes.
func (r *Response) size() int { return int(fieldsSize(r.Fields)) }

func fieldsSize(fields []route.Field) int64 {
	n := int64(0)
	for i := range fields {
		n += int64(32 + len(fields[i].Name) + len(fields[i].Value))
	}
	return n
}
