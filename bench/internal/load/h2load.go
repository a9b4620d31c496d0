package load

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/homeward/homeward/bench/internal/process"
)

// H2Load is h2load: HTTP/2 over TLS connections that are kept, each with
// several requests at a time and the next right after an answer. A process of
// it has one token, so there is one for each.
type H2Load struct {
	Program     string
	CPU         int
	Dir         string // for its logs
	Connections int    // of all tokens together
	Streams     int    // requests at a time on each connection
}

// Run sends requests for about d.
func (h H2Load) Run(ctx context.Context, t Target, d time.Duration) (Result, error) {
	type part struct {
		result    Result
		latencies []time.Duration
		err       error
	}
	parts := make([]part, len(t.Tokens))
	done := make(chan struct{})
	for i, token := range t.Tokens {
		go func() {
			defer func() { done <- struct{}{} }()
			log := filepath.Join(h.Dir, fmt.Sprintf("h2load-%d.log", i))
			parts[i].result, parts[i].latencies, parts[i].err = h.one(ctx, t, token, log, d)
		}()
	}
	for range parts {
		<-done
	}
	var all Result
	var latencies []time.Duration
	for _, p := range parts {
		if p.err != nil {
			return Result{}, p.err
		}
		all.Requests += p.result.Requests
		all.Errors += p.result.Errors
		all.Took = max(all.Took, p.result.Took)
		latencies = append(latencies, p.latencies...)
	}
	all.percentiles(latencies)
	return all, all.check("h2load")
}

// one runs one process of h2load.
func (h H2Load) one(ctx context.Context, t Target, token, log string, d time.Duration) (Result, []time.Duration, error) {
	if err := os.RemoveAll(log); err != nil { // h2load refuses one that is there
		return Result{}, nil, err
	}
	out, err := process.Run(ctx, h.CPU, h.Program, "-t1", "-c"+strconv.Itoa(h.Connections/len(t.Tokens)),
		"-m"+strconv.Itoa(h.Streams), "-D", wholeSeconds(d), "--log-file="+log,
		"-H", ":authority: "+t.Host, "-H", "user-agent: "+userAgent, "-H", "accept: "+accept,
		"-H", "authorization: Bearer "+token, "https://"+t.Address+t.Path)
	if err != nil {
		return Result{}, nil, err
	}
	result, err := parseH2Load(out)
	if err != nil {
		return Result{}, nil, err
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return Result{}, nil, err
	}
	latencies, err := parseH2Log(text)
	return result, latencies, err
}

var (
	h2Finished = regexp.MustCompile(`(?m)^finished in ([0-9.]+(?:us|ms|s))`)
	h2Requests = regexp.MustCompile(`(?m)^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
)

// parseH2Load reads the summary of h2load.
func parseH2Load(out []byte) (Result, error) {
	finished, requests := h2Finished.FindSubmatch(out), h2Requests.FindSubmatch(out)
	if finished == nil || requests == nil {
		return Result{}, fmt.Errorf("h2load printed no result:\n%s", out)
	}
	took, err := time.ParseDuration(string(finished[1]))
	if err != nil {
		return Result{}, fmt.Errorf("read the result of h2load: %w", err)
	}
	var counts [4]int64
	for i := range counts {
		if counts[i], err = strconv.ParseInt(string(requests[i+1]), 10, 64); err != nil {
			return Result{}, fmt.Errorf("read the result of h2load: %w", err)
		}
	}
	return Result{Requests: counts[0], Errors: counts[1] + counts[2] + counts[3], Took: took}, nil
}

// parseH2Log reads the latencies out of a log of h2load: on each line the
// start, the status, and the time to the end of the answer in µs.
func parseH2Log(text []byte) ([]time.Duration, error) {
	var all []time.Duration
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 3 {
			return nil, fmt.Errorf("read the log of h2load: line %d has %d fields, not 3", len(all)+1, len(fields))
		}
		us, err := strconv.ParseInt(string(fields[2]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read the log of h2load: %w", err)
		}
		all = append(all, time.Duration(us)*time.Microsecond)
	}
	return all, nil
}
