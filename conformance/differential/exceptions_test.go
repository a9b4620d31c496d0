package differential_test

import (
	"net/url"
	"strings"
)

const (
	lines   = "RFC 9112 section 2.2: lines end with CRLF; a reader of LF and one of CRLF see different lines"
	syntax  = "RFC 9112 section 5 and RFC 9110 section 5: what is no field line is none"
	framing = "RFC 9112 section 6.3: two answers to where a message ends, or none"
	chunks  = "RFC 9112 section 7.1: a chunk is its size, well-formed extensions, CRLF, so many bytes and CRLF"
	hosts   = "RFC 9112 section 3.2: one Host, a well-formed one, and the same as that of the target"
)

// reasons are the rules by which this parser refuses what another server
// accepts, each with why.
var reasons = map[string]string{
	closed:                              "RFC 9112 section 9.6: nothing behind Connection: close is read, wherever it stands in the list",
	"a line ends with a bare LF":        lines,
	"a CR is not followed by LF":        lines,
	"a header is folded over two lines": "RFC 9112 section 5.2: obs-fold is refused",
	"a header name holds a character that is not allowed":             syntax,
	"white space stands between a header name and its colon":          "RFC 9112 section 5.1: refused with 400",
	"Connection lists an option with a character that is not allowed": "RFC 9110 section 7.6.1: an option is a token",
	"Connection lists more than 100 options":                          "each option is looked for among all fields",

	"Content-Length and Transfer-Encoding stand together":                                        framing,
	"Content-Length is not one whole number":                                                     framing,
	"Content-Length stands twice":                                                                framing,
	"Transfer-Encoding is other than a single chunked":                                           framing,
	"Transfer-Encoding stands twice":                                                             framing,
	"Transfer-Encoding stands in an HTTP/1.0 message":                                            framing,
	"a header name is Content-Length or Transfer-Encoding but for what stands between its words": "an origin behind CGI cannot tell it from the framing field",
	"head over its limit":                                                                        "32 KiB and 100 fields",

	"a chunk size is followed by something other than well-formed extensions": chunks,
	"a chunk's size line is too long":                                         "256 bytes: extensions are for nobody here",
	"the extensions of chunks are far longer than their content":              "CVE-2023-39326: a sender pays little for them",
	"a trailer holds a field that belongs into the head":                      "RFC 9110 section 6.5.1: an origin that merges trailers would take it for the head's",

	"the Host header is not a host name or address with an optional port": hosts,
	"the target is for another host than the Host header":                 hosts,

	"CONNECT is for forward proxies; this is none":                                         "RFC 9110 section 9.3.6",
	"the request line is not a method, a target and a version with one space between them": "RFC 9112 section 3",
	"the request line ends with a version other than HTTP/1.1 or HTTP/1.0":                 "RFC 9112 section 2.3: what another minor version means is not known",
	"the request target holds a byte outside 0x21 to 0x7E, or a #":                         "RFC 9112 section 3.2",
	"the request target is neither a path nor an absolute http address":                    "RFC 9112 section 3.2",
	"the target * is for OPTIONS alone":                                                    "RFC 9112 section 3.2.4",
	"too many empty lines before the request line":                                         "RFC 9112 section 2.2 has one skipped",
}

// exceptions are the differences in which this parser is not the stricter one. n
// is the number of the first request that both did not read alike.
var exceptions = []struct {
	of     string // the other server; "" for both
	why    string
	covers func(n int, ours, theirs reading) bool
}{{
	of:  "net/http",
	why: "it skips no empty line before the first request of a connection; RFC 9112 section 2.2 asks servers to skip one",
	covers: func(n int, ours, theirs reading) bool {
		return n == len(theirs.Requests) && ours.extras[n].blank && strings.HasPrefix(theirs.Rule, "400")
	},
}, {
	of:  "net/http",
	why: "it decodes the target, and refuses a percent sign that is no escape; an edge passes the target on as it is",
	covers: func(n int, ours, theirs reading) bool {
		_, err := url.ParseRequestURI(ours.Requests[n].Target)
		return n == len(theirs.Requests) && err != nil && strings.HasPrefix(theirs.Rule, "400")
	},
}, {
	of:  "net/http",
	why: "it knows no expectation but 100-continue; what the cell makes of another is the cell's",
	covers: func(n int, ours, theirs reading) bool {
		return n == len(theirs.Requests) && strings.HasPrefix(theirs.Rule, "417")
	},
}, {
	of:  "fasthttp",
	why: "it refuses Content-Type in a trailer, which llhttp's corpus has; no reader frames or routes by it there",
	covers: func(n int, ours, theirs reading) bool {
		return n == len(theirs.Requests) && strings.Contains(ours.extras[n].trailer, "content-type\n")
	},
}, {
	of:  "fasthttp",
	why: "it checks the names that Trailer announces; an announcement binds nobody, and what comes is checked",
	covers: func(n int, ours, theirs reading) bool {
		return n == len(theirs.Requests) && ours.extras[n].announced != ""
	},
}, {
	of:  "fasthttp",
	why: "it reads no body of GET and HEAD, and takes it for the next request; RFC 9112 section 6.3 frames by the fields alone",
	covers: func(n int, ours, theirs reading) bool {
		for _, q := range ours.Requests[:min(n+1, len(ours.Requests))] {
			if (q.Method == "GET" || q.Method == "HEAD") && q.Body != "" {
				return true
			}
		}
		return false
	},
}}
