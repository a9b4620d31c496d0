package http1

import "strings"

// Response is the head of an answer.
type Response struct {
	Status int    // 100 to 599, or up to 999 as the origin chose
	Reason string // as received, often empty
	Minor  int
	Fields []Field
	Framing
}

// ReadResponse reads the next answer's head, an interim one as any other.
// Errors are as those of ReadRequest, and so is how long strings are valid.
// resp.Fields is reused.
func ReadResponse(r *Reader, resp *Response, limits Limits) error {
	limits = limits.orDefault()
	line, err := r.heldLine(limits.Head)
	if err != nil {
		return err
	}
	*resp = Response{Fields: resp.Fields[:0]}
	if err := resp.parseLine(line); err != nil {
		return err
	}
	if resp.Fields, err = r.appendFields(resp.Fields, limits.Head-len(line)-len("\r\n"), limits.Fields); err != nil {
		return err
	}
	if err := resp.frame(resp.Fields, resp.Minor); err != nil {
		return err
	}
	if resp.Status < 200 && (resp.Chunked || resp.Length > 0) { // RFC 9110 section 8.6, RFC 9112 section 6.1
		return syntax("an interim answer declares a body")
	}
	return nil
}

// parseLine reads `HTTP/1.x SP status SP reason` (RFC 9112 section 4). The
// space before an empty reason may be missing, since no reader can take that
// for anything else.
func (resp *Response) parseLine(line string) error {
	const start = len("HTTP/1.1 200")
	if len(line) < start || !strings.HasPrefix(line, "HTTP/1.") || (line[7] != '0' && line[7] != '1') || line[8] != ' ' ||
		(len(line) > start && line[start] != ' ') {
		return syntax("the answer does not start with an HTTP/1.1 status line")
	}
	resp.Minor = int(line[7] - '0')
	for _, c := range []byte(line[9:start]) {
		if c < '0' || c > '9' {
			return syntax("the answer's status is not a number")
		}
		resp.Status = resp.Status*10 + int(c-'0')
	}
	if resp.Status < 100 {
		return syntax("the answer's status is under 100")
	}
	if len(line) > start {
		resp.Reason = line[start+1:]
		for _, c := range []byte(resp.Reason) {
			if (c < ' ' && c != '\t') || c == 0x7f {
				return syntax("the answer's reason holds a control character")
			}
		}
	}
	return nil
}

// Interim reports whether another head follows this one (RFC 9110 section 15.2).
func (resp *Response) Interim() bool { return resp.Status < 200 && resp.Status != 101 }

// BodyAllowed reports whether an answer with this status to this method has a
// body (RFC 9112 section 6.3).
func BodyAllowed(method string, status int) bool {
	return method != "HEAD" && status >= 200 && status != 204 && status != 304
}
