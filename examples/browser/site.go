//go:build unix

package main

import (
	"crypto/tls"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

// credentials are what the page uses, besides its session cookie.
type credentials struct{ NA1, NA2, NA2Query, Lost string }

// report is what the page found, in its order.
type report []struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Saw  string `json:"saw"`
}

// checks is how many the page makes.
const checks = 8

// judge prints the report. It is an error if anything in it is not so.
func (r report) judge(out io.Writer) error {
	failed := len(r) != checks
	for _, c := range r {
		mark := "  "
		if !c.OK {
			mark, failed = "! ", true
		}
		if _, err := fmt.Fprintf(out, "%s%s: %s\n", mark, c.Name, c.Saw); err != nil {
			return err
		}
	}
	if failed {
		return fmt.Errorf("the page made %d of %d checks, or one of them failed", len(r), checks)
	}
	return nil
}

// site serves the page and takes its report.
type site struct {
	listener net.Listener
	server   *http.Server
	reports  chan report
}

func openSite(cert tls.Certificate, keys credentials) (*site, error) {
	page, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, err
	}
	s := &site{listener: l, reports: make(chan report, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, keys)
	})
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		var found report
		if json.NewDecoder(r.Body).Decode(&found) == nil {
			select {
			case s.reports <- found:
			default: // a second one says nothing new
			}
		}
	})
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)} // of connections that end with the browser
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

func (s *site) address() string { return s.listener.Addr().String() }
func (s *site) close()          { _ = s.server.Close() }

// spoken tells by the edge's access log, of the requests since then, which
// protocol the browser spoke, and that both WebSockets came over it to their
// cells. Lines are written behind the requests, so it waits for them a while.
func spoken(out io.Writer, file string, since time.Time, http1 bool) error {
	want := "HTTP/2.0"
	if http1 {
		want = "HTTP/1.1"
	}
	for range 600 {
		counts, sockets, err := counted(file, since)
		switch {
		case err != nil:
			return err
		case len(counts) > 1:
			return fmt.Errorf("the browser was to speak %s, the edge saw %v", want, counts)
		case sockets[want+" to eu1"] == 1 && sockets[want+" to na2"] == 1:
			_, err := fmt.Fprintf(out, "  by the edge's log: %d requests, all over %s, both WebSockets too\n", counts[want], want)
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("the edge's log does not have both WebSockets over " + want)
}

// counted counts requests by protocol, and those for WebSockets by protocol and
// the cell that they were sent to.
func counted(file string, since time.Time) (counts, sockets map[string]int, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	counts, sockets = map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(text)) {
		var r struct {
			Time              time.Time
			Proto, Path, Sent string
		}
		if !strings.HasSuffix(line, "\n") {
			break // not written to its end yet
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, nil, fmt.Errorf("access log: %w", err)
		}
		if r.Time.Before(since) {
			continue
		}
		counts[r.Proto]++
		if r.Path == "/ws" {
			sockets[r.Proto+" to "+r.Sent]++
		}
	}
	return counts, sockets, nil
}
