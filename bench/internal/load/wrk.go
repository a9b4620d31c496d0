package load

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/homeward/homeward/bench/internal/process"
)

//go:embed wrk.lua
var wrkScript string

// Wrk is wrk: HTTP/1.1 over connections that are kept, each with one request
// at a time and the next right after the answer.
type Wrk struct {
	Program     string
	CPU         int
	Dir         string // for its script
	Connections int
}

// Run sends requests for about d.
func (w Wrk) Run(ctx context.Context, t Target, d time.Duration) (Result, error) {
	script := filepath.Join(w.Dir, "wrk.lua")
	if err := os.WriteFile(script, []byte(t.lua()+wrkScript), 0o600); err != nil {
		return Result{}, err
	}
	scheme := "http://"
	if t.TLS {
		scheme = "https://"
	}
	out, err := process.Run(ctx, w.CPU, w.Program, "-t1", "-c"+strconv.Itoa(w.Connections),
		"-d"+wholeSeconds(d), "--timeout", "10s", "-s", script, scheme+t.Address+t.Path)
	if err != nil {
		return Result{}, err
	}
	r, err := parseWrk(out)
	if err != nil {
		return Result{}, err
	}
	return r, r.check("wrk")
}

// wholeSeconds is d as wrk and h2load take it.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Round(time.Second)/time.Second))) + "s"
}

// lua is the target as the head of the script.
func (t Target) lua() string {
	var b strings.Builder
	b.WriteString("local tokens = {")
	for _, token := range t.Tokens {
		fmt.Fprintf(&b, "%q,", token)
	}
	fmt.Fprintf(&b, "}\nlocal host, path, agent, accept, body = %q, %q, %q, %q, nil\n", t.Host, t.Path, userAgent, accept)
	if t.Post > 0 {
		fmt.Fprintf(&b, "body = string.rep(\"b\", %d)\n", t.Post)
	}
	return b.String()
}

// parseWrk reads the line that the script prints after what wrk does.
func parseWrk(out []byte) (Result, error) {
	for line := range bytes.Lines(out) {
		if !bytes.HasPrefix(line, []byte("{")) {
			continue
		}
		var got struct {
			Requests, Errors int64
			Took             int64 `json:"took_us"`
			P50              int64 `json:"p50_us"`
			P99              int64 `json:"p99_us"`
			P999             int64 `json:"p999_us"`
		}
		if err := json.Unmarshal(line, &got); err != nil {
			return Result{}, fmt.Errorf("read the result of wrk: %w", err)
		}
		us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
		return Result{Requests: got.Requests, Errors: got.Errors, Took: us(got.Took), P50: us(got.P50), P99: us(got.P99), P999: us(got.P999)}, nil
	}
	return Result{}, fmt.Errorf("wrk printed no result:\n%s", out)
}
