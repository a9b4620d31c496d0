package http1

import (
	"bytes"
	"io"
)

const (
	maxTrailer = 8 << 10 // bytes of a trailer
)

type bodyKind uint8

const (
	noBody bodyKind = iota
	fixedBody
	chunkedBody
	closeBody
)

// Body reads the body of one message by its framing. It belongs to one
// goroutine at a time.
type Body struct {
	r       *Reader
	kind    bodyKind
	left    int64 // of the body, or of the current chunk
	chunks  bool  // a CRLF stands before the next size, behind the chunk read last
	excess  int64 // bytes of chunk extensions beyond those of content
	last    bool  // whole though it is, nothing may be read behind it
	fields  int   // limit of the trailer
	trailer []Field
	err     error // sticky; io.EOF when the body was read whole
}

// RequestBody is the body of the request just read from r; Empty tells
// whether there is one.
func RequestBody(r *Reader, req *Request, limits Limits) *Body {
	b := requestBody(r, req, limits)
	return &b // inlined, so that a caller who copies it allocates nothing
}

func requestBody(r *Reader, req *Request, limits Limits) Body {
	b := newBody(r, req.Framing, limits)
	if b.kind == closeBody {
		b.kind, b.err = noBody, io.EOF // RFC 9112 section 6.3: a request without framing has none
	}
	return b
}

// ResponseBody is the body of the answer just read from r to a request with
// this method. A 204 has none (RFC 9112 section 6.3); where it declares one all the
// same, what follows could be that, and is not read as an answer.
func ResponseBody(r *Reader, resp *Response, method string, limits Limits) *Body {
	b := responseBody(r, resp, method, limits)
	return &b
}

func responseBody(r *Reader, resp *Response, method string, limits Limits) Body {
	if !BodyAllowed(method, resp.Status) {
		return Body{err: io.EOF, last: resp.Status == 204 && (resp.Chunked || resp.Length > 0)}
	}
	return newBody(r, resp.Framing, limits)
}

func newBody(r *Reader, f Framing, limits Limits) Body {
	b := Body{r: r, fields: limits.orDefault().Fields}
	switch {
	case f.Chunked:
		b.kind = chunkedBody
	case f.Length < 0:
		b.kind = closeBody
	case f.Length == 0:
		b.err = io.EOF
	default:
		b.kind, b.left = fixedBody, f.Length
	}
	return b
}

// Empty reports whether the message has no body.
func (b *Body) Empty() bool { return b.kind == noBody }

// Whole reports whether the body was read to its end, so that the next message
// starts where it stopped.
func (b *Body) Whole() bool { return b.err == io.EOF && b.kind != closeBody && !b.last } //nolint:errorlint // own sticky value

// Ready blocks until Read would not. An error is what Read would return.
func (b *Body) Ready() error {
	b.openChunk()
	if b.err != nil {
		return b.err
	}
	return b.r.Rest()
}

// Trailer is the trailer, once Read or Next has returned io.EOF.
func (b *Body) Trailer() []Field { return b.trailer }

// Next returns the content that comes next, which stays where it was read: it is
// valid until the next call. The head of the message is not valid any more.
// io.EOF comes with the last piece if the end of the body is at hand; other errors,
// as those of Read, come without a piece.
func (b *Body) Next() ([]byte, error) {
	b.openChunk()
	if b.err != nil {
		return nil, b.err
	}
	most := b.left
	if b.kind == closeBody {
		most = largeBuffer
	}
	p, err := b.r.next(most)
	if err = b.consumed(len(p), err); IsTimeout(err) {
		return nil, err
	}
	if b.err = err; b.kind == chunkedBody && err == nil {
		p = b.gather(p)
	}
	if len(p) == 0 || b.err == io.EOF { //nolint:errorlint // own sticky value
		return p, b.err
	}
	return p, nil
}

// openChunk reads up to the content of the next chunk, if that is what comes next.
// It waits without a buffer.
func (b *Body) openChunk() {
	if b.err != nil || b.kind != chunkedBody || b.left > 0 {
		return
	}
	if b.err = b.closeChunk(); b.err == nil {
		b.err = unexpected(b.r.Rest())
	}
	if b.err == nil {
		b.err = b.nextChunk()
	}
}

// gather puts chunks that are at hand behind a piece that ends the one before
// them, and takes the end of the body if that is at hand.
func (b *Body) gather(p []byte) []byte {
	for b.left == 0 && b.chunkAtHand() {
		if b.err = b.nextChunk(); b.err != nil {
			return p
		}
		r := b.r
		n := int(min(int64(r.Buffered()), b.left))
		end := len(p)
		p = p[:end+n] // what it grows over was framing, and is consumed
		copy(p[end:], r.buf[r.r:r.r+n])
		r.r += n
		b.left -= int64(n)
	}
	if at := b.r.buf[b.r.r:b.r.w]; b.left == 0 && bytes.HasPrefix(at, []byte("\r\n0\r\n\r\n")) {
		b.err = b.nextChunk()
	}
	return p
}

// Begun reports whether Next, or the end of the body, is there without waiting.
func (b *Body) Begun() bool {
	if b.kind == noBody {
		return true
	}
	at := b.r.buf[b.r.r:b.r.w]
	if b.kind != chunkedBody || b.left > 0 {
		return len(at) > 0
	}
	end := bytes.IndexByte(at, '\n') // of the size, behind which content or the last CRLF must have begun
	return end >= 0 && end+1 < len(at)
}

// Left is how much of a body with a length is still to come and not at hand; 0 for
// any other.
func (b *Body) Left() int64 {
	if b.kind != fixedBody || b.err != nil || b.r.Buffered() > 0 {
		return 0
	}
	return b.left
}

// Passed notes that n bytes, at most Left, went from the connection past the Reader.
// It returns io.EOF when they were the last.
func (b *Body) Passed(n int64) error {
	b.err = b.consumed(int(n), nil)
	return b.err
}

// AtHand is the whole body, consumed, if it has a length up to most and can be had
// without waiting: the source fails where it would wait. It is valid as long as the
// head.
func (b *Body) AtHand(most int64) (content []byte, ok bool) {
	if b.kind != fixedBody || b.err != nil || b.left > most {
		return nil, false
	}
	for r := b.r; int64(r.Buffered()) < b.left; {
		if r.fill(int(b.left)) != nil {
			return nil, false
		}
	}
	content = b.r.buf[b.r.r : b.r.r+int(b.left)]
	b.r.r += int(b.left)
	b.r.held = b.r.r
	b.left, b.err = 0, io.EOF
	return content, true
}

// Read reads the content, without its framing. A connection that ends before
// the body does is io.ErrUnexpectedEOF. Chunks that are at hand are read together:
// each alone would be a write to the other side, for a few bytes of the sender's.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.piece(p)
	for err == nil && n < len(p) && b.chunkAtHand() {
		more, failed := b.piece(p[n:])
		if n += more; failed != nil {
			break // it is sticky, and for the next Read to tell
		}
	}
	return n, err
}

// chunkAtHand reports whether the content of the next chunk has begun in what is
// buffered, so that reading some of it waits for nothing. The last chunk has none.
func (b *Body) chunkAtHand() bool {
	at := b.r.buf[b.r.r:b.r.w]
	if b.kind != chunkedBody || b.err != nil || b.left > 0 || len(at) < len("\r\n1") || at[2] == '0' {
		return false
	}
	end := bytes.IndexByte(at[2:], '\n')
	return end >= 0 && 2+end+1 < len(at)
}

// piece reads from what is left of the content, or of the current chunk.
func (b *Body) piece(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.kind == chunkedBody && b.left == 0 {
		if b.err = b.nextChunk(); b.err != nil {
			return 0, b.err
		}
	}
	if b.kind != closeBody && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	if err = b.consumed(n, err); !IsTimeout(err) {
		b.err = err
	}
	return n, err
}

// consumed notes that content was read, and what that means where reading it gave
// an error.
func (b *Body) consumed(n int, err error) error {
	if b.kind == closeBody {
		return err
	}
	switch b.left -= int64(n); {
	case b.left == 0 && b.kind == fixedBody:
		return io.EOF
	case b.left == 0:
		return nil
	case err == io.EOF: //nolint:errorlint // a Reader returns it bare
		return io.ErrUnexpectedEOF
	}
	return err
}

// closeChunk reads the CRLF behind the chunk that was read last.
func (b *Body) closeChunk() error {
	if !b.chunks {
		return nil
	}
	crlf, err := b.r.Peek(2)
	if err != nil {
		return unexpected(err)
	}
	if crlf[0] != '\r' || crlf[1] != '\n' {
		return syntax("a chunk is longer than its size")
	}
	b.r.r += 2
	b.chunks = false
	return nil
}

// nextChunk reads a size line, and after the last chunk the trailer (RFC 9112
// section 7.1). It returns io.EOF at the end of the body.
func (b *Body) nextChunk() error {
	if err := b.closeChunk(); err != nil {
		return err
	}
	size, err := b.chunkSize()
	if err != nil {
		return err
	}
	b.chunks = true
	if b.left = size; size > 0 {
		return nil
	}
	if b.trailer, err = b.r.appendFields(nil, maxTrailer, b.fields); err != nil {
		return err
	}
	for _, f := range b.trailer {
		if HeadOnly(f.Name) {
			return syntax("a trailer holds a field that belongs into the head")
		}
	}
	return io.EOF
}

// headOnly are fields of framing, routing, authentication and of what is asked for.
var headOnly = [...]string{
	"Content-Length", "Transfer-Encoding", "Host", "Trailer", "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade",
	"Authorization", "Cookie", "Set-Cookie", "Proxy-Authorization", "Proxy-Authenticate", "WWW-Authenticate",
	"Content-Encoding", "Content-Range", "Range", "Expect", "Max-Forwards",
}

// HeadOnly reports whether a name must not stand in a trailer, where it could be
// read as part of the head (RFC 9110 section 6.5.1), with _ for - or without.
func HeadOnly(name string) bool {
	for _, f := range headOnly {
		if SameName(name, f) {
			return true
		}
	}
	return disguised(name)
}
