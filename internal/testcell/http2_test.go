package testcell_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/testcell"
)

// h2 is a client of HTTP/2 with prior knowledge.
func h2(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: time.Minute}
}

// startTLS runs a cell with TLS, and gives a client that trusts it.
func startTLS(t *testing.T, protocols ...string) (*testcell.Cell, string, *http.Client) {
	t.Helper()
	pki := httptest.NewUnstartedServer(nil)
	pki.StartTLS()
	config := &tls.Config{Certificates: pki.TLS.Certificates}
	tr := pki.Client().Transport.(*http.Transport).Clone()
	pki.Close()
	tr.TLSClientConfig.NextProtos, tr.ForceAttemptHTTP2 = protocols, slices.Contains(protocols, "h2")
	t.Cleanup(tr.CloseIdleConnections)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := testcell.New("eu1", testcell.Options{})
	ended := make(chan error, 1)
	go func() { ended <- c.ServeTLS(l, config) }()
	t.Cleanup(func() {
		c.Close()
		if err := <-ended; !errors.Is(err, testcell.ErrClosed) {
			t.Errorf("ServeTLS ended with %v", err)
		}
	})
	return c, l.Addr().String(), &http.Client{Transport: tr, Timeout: time.Minute}
}

// try sends a request and reads the whole answer.
func try(t *testing.T, client *http.Client, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	return resp, string(body)
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "test")
	return req
}

func decode(t *testing.T, body string) (r testcell.Report) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return r
}

func TestReportOverHTTP2(t *testing.T) {
	cell, addr := start(t, testcell.Options{})
	client := h2(t)
	req := request(t, "POST", "http://"+addr+"/a%2Fb?x=1;y=2&&", "abc")
	req.Host, req.ContentLength = "api.homeward.test", -1
	req.Header["X-Two"] = []string{"1", "2"}
	req.Header.Set("Homeward-Lane", "batch")
	req.Header.Set("Accept-Encoding", "identity")
	req.Trailer = http.Header{"X-Sum": {"7"}}
	_, body := try(t, client, req)
	want := testcell.Report{
		Cell: "na1", Lane: "batch", Proto: "HTTP/2.0", Method: "POST", Host: "api.homeward.test", Target: "/a%2Fb?x=1;y=2&&",
		Headers: [][2]string{
			{"accept-encoding", "identity"}, {"homeward-lane", "batch"}, {"trailer", "X-Sum"}, {"user-agent", "test"}, {"x-two", "1"}, {"x-two", "2"},
		},
		Trailers:  [][2]string{{"x-sum", "7"}},
		BodyBytes: 3, BodySHA256: sumOfABC,
	}
	if diff := cmp.Diff(want, decode(t, body)); diff != "" {
		t.Error(diff)
	}
	try(t, client, request(t, "GET", "http://"+addr+"/2", ""))
	if cell.Requests() != 2 || cell.Connections() != 1 || cell.Open() != 1 {
		t.Errorf("counted %d requests on %d connections, %d open", cell.Requests(), cell.Connections(), cell.Open())
	}
}

func TestTheProtocolIsAgreedOnInTLS(t *testing.T) {
	for want, protocols := range map[string][]string{"HTTP/2.0": {"h2", "http/1.1"}, "HTTP/1.1": {"http/1.1"}} {
		cell, addr, client := startTLS(t, protocols...)
		for range 2 {
			_, body := try(t, client, request(t, "POST", "https://"+addr+"/slow?ms=1", "abc"))
			if r := decode(t, body); r.Proto != want || r.Cell != "eu1" || r.BodySHA256 != sumOfABC {
				t.Errorf("%v: %+v", protocols, r)
			}
		}
		if cell.Connections() != 1 {
			t.Errorf("%v: %d connections", protocols, cell.Connections())
		}
	}
	cell, addr, _ := startTLS(t)
	if _, err := http.Get("http://" + addr); err == nil {
		t.Error("plain HTTP is answered where TLS is spoken")
	}
	idle := dial(t, addr) // says nothing
	cell.Close()
	if !idle.ended() {
		t.Error("a closed cell waits for a handshake")
	}
}

func TestPathsOverHTTP2(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	client := h2(t)
	for path, want := range map[string]struct {
		status int
		body   string
		length int64
	}{
		"/sse?n=2&ms=1": {200, "id: 1\ndata: {\"cell\":\"na1\",\"event\":1}\n\nid: 2\ndata: {\"cell\":\"na1\",\"event\":2}\n\n", -1},
		"/status/204":   {204, "", 0},
		"/status/205":   {205, "", 0},
		"/status/304":   {304, "", 0},
		"/bytes/65":     {200, testcell.Alphabet + "0", 65},
		"/bytes/0":      {200, "", 0},
		"/duplex":       {200, "", -1},
	} {
		resp, body := try(t, client, request(t, "GET", "http://"+addr+path, ""))
		if resp.StatusCode != want.status || body != want.body || resp.ContentLength != want.length {
			t.Errorf("%s: %d with %q, length %d", path, resp.StatusCode, body, resp.ContentLength)
		}
		resp, body = try(t, client, request(t, "HEAD", "http://"+addr+path, ""))
		if resp.StatusCode != want.status || body != "" {
			t.Errorf("HEAD %s: %d with %q", path, resp.StatusCode, body)
		}
	}
	resp, body := try(t, client, request(t, "POST", "http://"+addr+"/status/503", "abc"))
	if resp.StatusCode != 503 || decode(t, body).BodySHA256 != sumOfABC {
		t.Errorf("/status/503: %d with %q", resp.StatusCode, body)
	}
	req := request(t, "PUT", "http://"+addr+"/", "abc")
	req.Header.Set("Expect", "100-continue")
	told := make(chan struct{}, 1)
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got100Continue: func() { told <- struct{}{} }}))
	if _, body := try(t, client, req); decode(t, body).BodySHA256 != sumOfABC {
		t.Errorf("after 100 Continue: %q", body)
	}
	select {
	case <-told:
	default:
		t.Error("the client was not told to send its body")
	}
}

func TestEchoOverHTTP2GoesBothWaysAtOnce(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	read, write := io.Pipe()
	req := request(t, "POST", "http://"+addr+"/duplex", "")
	req.Body, req.Trailer = read, http.Header{"X-Sum": {"1"}}
	resp, err := h2(t).Do(req) // before any of the body was sent
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, piece := range []string{"a", "bc", strings.Repeat("d", 100_000)} {
		go func() { _, _ = io.WriteString(write, piece) }()
		got := make([]byte, len(piece))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != piece {
			t.Fatalf("a piece of %d bytes came back as %d: %v", len(piece), len(got), err)
		}
	}
	_ = write.Close()
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 || resp.Trailer.Get("X-Sum") != "1" {
		t.Errorf("after the end: %q, trailer %v, %v", rest, resp.Trailer, err)
	}
}

func TestCloseEndsHTTP2(t *testing.T) {
	came := make(chan string, 10)
	cell, addr := start(t, testcell.Options{Fault: func(r *testcell.Request) testcell.Fault {
		came <- r.Head.Target
		if r.Head.Target == "/silent" {
			return testcell.Silence
		}
		return testcell.NoFault
	}})
	client, ended := h2(t), make(chan error)
	paths := []string{"/slow?ms=" + aWhile, "/sse?n=2&ms=" + aWhile, "/bytes/1099511627776", "/silent"}
	for _, path := range paths {
		req := request(t, "GET", "http://"+addr+path, "")
		go func() {
			resp, err := client.Do(req)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			ended <- err
		}()
		<-came
	}
	cell.Close()
	for range paths {
		if err := <-ended; err == nil {
			t.Error("an answer came to its end")
		}
	}
	if cell.Open() != 0 {
		t.Errorf("%d connections are left", cell.Open())
	}
}

func TestFaultsOverHTTP2(t *testing.T) {
	for name, tc := range map[string]struct {
		fault testcell.Fault
		head  bool // comes
		conns int64
	}{
		"reset":              {testcell.Reset, false, 1},
		"reset after head":   {testcell.ResetAfterHead, true, 1},
		"hang up":            {testcell.HangUp, false, 2},
		"hang up after head": {testcell.HangUpAfterHead, true, 2},
		"garbage":            {testcell.Garbage, false, 2},
		"close announced":    {testcell.CloseAnnounced, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			cell, addr := start(t, testcell.Options{Fault: func(r *testcell.Request) testcell.Fault {
				if r.Proto == "HTTP/2.0" && r.Conn == 1 && r.Number == 1 && r.Head.Target == "/1" {
					return tc.fault
				}
				return testcell.NoFault
			}})
			client := h2(t)
			resp, err := client.Do(request(t, "POST", "http://"+addr+"/1", "abc"))
			if (err == nil) != tc.head {
				t.Fatalf("the head came: %v", err)
			}
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if (err == nil) != (tc.fault == testcell.CloseAnnounced) {
					t.Errorf("the body ended with %v", err)
				}
			}
			// A client may send on for a moment before it reads that it is to go away.
			for end := time.Now().Add(time.Minute); ; {
				_, body := try(t, client, request(t, "GET", "http://"+addr+"/2", ""))
				if r := decode(t, body); r.Target != "/2" || cell.Connections() > tc.conns || time.Now().After(end) {
					t.Fatalf("%+v on connection %d", r, cell.Connections())
				}
				if cell.Connections() == tc.conns {
					break
				}
			}
		})
	}
}

func TestEarlyHints(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	for name, client := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{DisableKeepAlives: true}}, "HTTP/2.0": h2(t)} {
		for path, want := range map[string][]string{
			"/early-hints": {"</style-1.css>; rel=preload; as=style", "</style-2.css>; rel=preload; as=style"}, "/early-hints?n=0": nil,
		} {
			var got []string
			req := request(t, "POST", "http://"+addr+path, "abc")
			req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				if code != 103 || len(h["Link"]) != 1 {
					t.Errorf("%s: %d with %v", name, code, h)
				}
				got = append(got, h["Link"]...)
				return nil
			}}))
			resp, body := try(t, client, req)
			if r := decode(t, body); r.Proto != name || r.BodySHA256 != sumOfABC || resp.Header.Get("Link") != "" {
				t.Errorf("%s: %+v, %v", name, r, resp.Header)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s: %s", name, path, diff)
			}
		}
	}
	c := dial(t, addr)
	c.send("GET /early-hints HTTP/1.0\r\n\r\n")
	if resp := c.answer("GET"); resp.StatusCode != 200 {
		t.Errorf("HTTP/1.0 is answered %d first", resp.StatusCode)
	}
}

func TestTrailers(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	for name, client := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{DisableKeepAlives: true}}, "HTTP/2.0": h2(t)} {
		req := request(t, "POST", "http://"+addr+"/trailers", "")
		req.Body, req.Trailer = io.NopCloser(bytes.NewReader([]byte("abc"))), http.Header{"X-Sum": {"7"}}
		resp, body := try(t, client, req)
		sum := sha256.Sum256([]byte(body))
		want := http.Header{"Report-Sha256": {hex.EncodeToString(sum[:])}, "Report-Cell": {"na1"}}
		if diff := cmp.Diff(want, resp.Trailer); diff != "" || resp.ContentLength != -1 {
			t.Errorf("%s: length %d, trailer %s", name, resp.ContentLength, diff)
		}
		if r := decode(t, body); r.Proto != name || len(r.Trailers) != 1 || !strings.EqualFold(r.Trailers[0][0], "x-sum") || r.Trailers[0][1] != "7" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	c := dial(t, addr)
	c.send("GET /trailers HTTP/1.1\r\nHost: h\r\n\r\n")
	if resp := c.answer("GET"); resp.Trailer == nil || len(resp.Trailer) != 1 {
		t.Errorf("announced are %v", resp.Trailer)
	}
}
